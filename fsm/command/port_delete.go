package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// PortDelete removes a port and frees its addresses.
//
// Rules: the port is the actor's; it is no router's interface; no guest can be
// using it: its server, if it has one, has no host, and is not a deleted one
// whose host has not confirmed that it is gone.
type PortDelete struct {
	ID model.PortID `json:"id"`
}

// Kind implements Command.
func (*PortDelete) Kind() string { return "port.delete/1" }

// Apply implements Command.
func (c *PortDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	p, err := findPort(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	if p.DeviceOwner == model.OwnerRouterInterface {
		return nil, refuse("port.delete", errs.Conflict,
			"Port %s cannot be deleted directly via the port API: has device owner %s.", p.ID, p.DeviceOwner)
	}
	if s := tx.Server(model.ServerID(p.DeviceID)); s != nil && s.HostID == "" {
		tx.PutServer(touch(s.Clone(), m))
	} else if managed(tx, p.DeviceID) {
		return nil, portInUse(p)
	}
	if err := removePort(tx, p); err != nil {
		return nil, err
	}
	return []string{string(p.ID)}, nil
}

func examplePortDelete() *PortDelete {
	return &PortDelete{ID: "00000000-0000-4000-8000-0000000000e3"}
}

func workPortDelete(g Gen) (Command, By, bool) {
	p, have := pick(g, g.View().Ports())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, p.ProjectID)
	return &PortDelete{ID: p.ID}, by, ok
}
