package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
)

// StateCheckpoint says what the leader's state hashed to at an index, so that
// every node can compare and a diverged one stops. It is the leader's duty.
//
// Rules: the actor is the leader; the index is an earlier one. It changes
// nothing; the state machine does the comparing.
type StateCheckpoint struct {
	Index uint64 `json:"index"`
	// Schema is the leader's state.SnapshotVersion: nodes of another one do not
	// compare.
	Schema int    `json:"schema"`
	Hash   string `json:"hash"`
}

// Kind implements Command.
func (*StateCheckpoint) Kind() string { return "state.checkpoint/1" }

// Apply implements Command.
func (c *StateCheckpoint) Apply(_ *state.Tx, m Meta) ([]string, error) {
	const op = "state.checkpoint"
	if err := onlySystem(op, m.By, Leader); err != nil {
		return nil, err
	}
	if c.Index == 0 || c.Index >= m.Index || !isHex(c.Hash, 16) {
		return nil, refuse(op, errs.Invalid, "a checkpoint names an earlier index and its hash")
	}
	return nil, nil
}

func exampleStateCheckpoint() *StateCheckpoint {
	return &StateCheckpoint{Index: 4096, Schema: state.SnapshotVersion, Hash: "000102030405060708090a0b0c0d0e0f"}
}

func workStateCheckpoint(g Gen) (Command, By, bool) {
	v := g.View()
	return &StateCheckpoint{Index: v.Index, Schema: state.SnapshotVersion, Hash: v.Hash().String()}, By{System: Leader, Term: v.Term}, v.Index > 0
}
