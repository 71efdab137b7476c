package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// HostState is the leader's verdict that a host is down, or up again. Liveness
// itself never enters the log; only this change of mind does.
//
// Rules: the actor is the leader, the host is there, the verdict is new, and the
// one that it replaces is the one that the leader saw.
type HostState struct {
	ID   model.HostID `json:"id"`
	Down bool         `json:"down"`
	// ChangedAt is the host's when the leader made up its mind; 0 does not say.
	// So a verdict that was long under way does not undo a newer one.
	ChangedAt int64 `json:"changed_at,omitempty"`
}

// Kind implements Command.
func (*HostState) Kind() string { return "host.state/1" }

// Apply implements Command.
func (c *HostState) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := onlySystem("host.state", m.By, Leader); err != nil {
		return nil, err
	}
	old := tx.Host(c.ID)
	if old == nil {
		return nil, refuse("host.state", errs.NotFound, "host %s is not registered", c.ID)
	}
	if old.Down == c.Down {
		return nil, refuse("host.state", errs.Conflict, "host %s is known to be so", c.ID)
	}
	if c.ChangedAt != 0 && old.ChangedAt != c.ChangedAt {
		return nil, refuse("host.state", errs.Conflict, "the verdict on host %s has changed meanwhile", c.ID)
	}
	h := old.Clone()
	h.Down, h.ChangedAt = c.Down, m.At
	tx.PutHost(h)
	return []string{string(h.ID)}, nil
}

func exampleHostState() *HostState {
	return &HostState{ID: "00000000-0000-4000-8000-0000000000f1", Down: true}
}

func workHostState(g Gen) (Command, By, bool) {
	h, ok := pick(g, g.View().Hosts())
	if !ok {
		return nil, By{}, false
	}
	return &HostState{ID: h.ID, Down: !h.Down}, By{System: Leader, Term: g.View().Term}, true
}
