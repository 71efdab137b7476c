package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// HostService is an administrator's verdict on a host: whether it gets new
// servers, and whether it is to be taken for down (Compute API, os-services).
//
// Rules: the actor is an administrator and the host is there. Only the fields
// that are given change; enabling forgets the reason.
type HostService struct {
	ID         model.HostID `json:"id"`
	Disabled   *bool        `json:"disabled,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	ForcedDown *bool        `json:"forced_down,omitempty"`
}

// Kind implements Command.
func (*HostService) Kind() string { return "host.service/1" }

// Apply implements Command.
func (c *HostService) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "host.service"
	if !m.By.Admin {
		return nil, refuse(op, errs.Forbidden, "only administrators may do this")
	}
	old := tx.Host(c.ID)
	if old == nil {
		return nil, refuse(op, errs.NotFound, "Compute host %s could not be found.", c.ID)
	}
	if err := model.CheckText("reason", c.Reason, model.MaxName); err != nil {
		return nil, errs.E(op, errs.Invalid, err.Error(), nil)
	}
	h := old.Clone()
	if c.Disabled != nil {
		h.Disabled, h.DisabledReason = *c.Disabled, ""
		if h.Disabled {
			h.DisabledReason = c.Reason
		}
	}
	set(&h.ForcedDown, c.ForcedDown)
	h.UpdatedAt = m.At
	tx.PutHost(h)
	return []string{string(h.ID)}, nil
}

func exampleHostService() *HostService {
	yes := true
	return &HostService{ID: "00000000-0000-4000-8000-0000000000f1", Disabled: &yes, Reason: "new memory"}
}

func workHostService(g Gen) (Command, By, bool) {
	h, ok := pick(g, g.View().Hosts())
	by, haveAdmin := asAdmin(g)
	if !ok || !haveAdmin {
		return nil, by, false
	}
	disabled := g.Intn(4) == 0
	return &HostService{ID: h.ID, Disabled: &disabled, Reason: "drill"}, by, true
}
