package leader

import (
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
)

// Inputs is all that a duty may look at.
type Inputs struct {
	View state.View
	// Ballot is what the voters' answers about the hosts come to.
	Ballot Ballot
	// Wall is the time of day, Unix nanoseconds.
	Wall int64
	// Checkpoint is the index of the last checkpoint that this leader made.
	Checkpoint uint64
}

// Duty is one thing that the leader must keep doing.
type Duty struct {
	Name string
	Do   func(Inputs) []command.Command
}

// Duties are all of them. Each is asked in turn whenever something changed,
// and at least once a second.
var Duties = []Duty{
	{"place", place},
	{"hosts", hosts},
	{"expire", expire},
	{"checkpoint", checkpoint},
}
