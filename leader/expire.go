package leader

import (
	"github.com/kvorum/kvorum/fsm/command"
)

// TombstoneLife is how long a deleted server can still be looked up, in
// nanoseconds: 7 days.
const TombstoneLife = int64(7 * 24 * 3600 * 1e9)

// expire asks for a sweep when there is something to sweep.
func expire(in Inputs) []command.Command {
	for r := range in.View.RevocationsByExpiry() {
		if r.ExpiresAt < in.Wall {
			return []command.Command{&command.Expire{}}
		}
		break
	}
	for t := range in.View.Tombstones() {
		if t.Confirmed && t.DeletedAt+TombstoneLife < in.Wall {
			return []command.Command{&command.Expire{}}
		}
	}
	return nil
}
