package leader

import (
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
)

// checkpointEvery is how many entries lie between two comparisons of the
// nodes' states.
const checkpointEvery = 1000

// checkpoint publishes the leader's hash now and then: a node whose own
// differs stops itself.
func checkpoint(in Inputs) []command.Command {
	if in.View.Cluster() == nil || in.View.Index < in.Checkpoint+checkpointEvery {
		return nil
	}
	return []command.Command{&command.StateCheckpoint{Index: in.View.Index, Schema: state.SnapshotVersion, Hash: in.View.Hash().String()}}
}
