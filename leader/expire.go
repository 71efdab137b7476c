package leader

import (
	"github.com/kvorum/kvorum/fsm/command"
)

// TombstoneLife is how long a deleted server can still be looked up, in
// nanoseconds.
const TombstoneLife = command.TombstoneKeep

// expire asks for a sweep when there is something to sweep.
func expire(in Inputs) []command.Command {
	if !command.ExpireDue(in.View, in.Wall) {
		return nil
	}
	return []command.Command{&command.Expire{}}
}
