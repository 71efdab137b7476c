package leader

import (
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// hosts says which hosts are down: those that a majority of the voters has found
// silent and promised to hold. A host that is down and heard by a majority again
// is up. A verdict names the one that it replaces, so that one which was long
// under way does not undo a newer one.
func hosts(in Inputs) (out []command.Command) {
	for _, id := range in.Ballot.Called {
		if h := in.View.Host(model.HostID(id)); h != nil && !h.Down {
			out = append(out, &command.HostState{ID: h.ID, Down: true, ChangedAt: h.ChangedAt})
		}
	}
	for _, id := range in.Ballot.Heard {
		if h := in.View.Host(model.HostID(id)); h != nil && h.Down {
			out = append(out, &command.HostState{ID: h.ID, Down: false, ChangedAt: h.ChangedAt})
		}
	}
	return out
}

// isUp tells whether a host is there and not called dead.
func isUp(v state.View, id string) bool {
	h := v.Host(model.HostID(id))
	return h != nil && !h.Down
}
