package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// NetworkUpdate changes a network: only the fields that are given.
//
// Rules: the network is the actor's; values as in NetworkCreate; Shared and
// External are an administrator's; sharing ends only when no other project
// has a port on it, and being external only when no router leads out there.
type NetworkUpdate struct {
	ID          model.NetworkID `json:"id"`
	Name        *string         `json:"name,omitempty"`
	Description *string         `json:"description,omitempty"`
	Down        *bool           `json:"down,omitempty"`
	Shared      *bool           `json:"shared,omitempty"`
	External    *bool           `json:"external,omitempty"`
	MTU         *int            `json:"mtu,omitempty"`
}

// Kind implements Command.
func (*NetworkUpdate) Kind() string { return "network.update/1" }

// Apply implements Command.
func (c *NetworkUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	old, err := findNetwork(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	n := old.Clone()
	set(&n.Name, c.Name)
	set(&n.Description, c.Description)
	set(&n.Down, c.Down)
	set(&n.Shared, c.Shared)
	set(&n.External, c.External)
	set(&n.MTU, c.MTU)
	if err := checkNetwork(m.By, n, old); err != nil {
		return nil, err
	}
	if err := checkWithdrawn(tx, n, old); err != nil {
		return nil, err
	}
	n.UpdatedAt, n.Revision = m.At, n.Revision+1
	tx.PutNetwork(n)
	return []string{string(n.ID)}, nil
}

// checkWithdrawn refuses to take a network away from those who use it.
func checkWithdrawn(tx *state.Tx, n, old *model.Network) error {
	const op = "network.update"
	if old.External && !n.External && leadsOut(tx, n.ID) {
		return refuse(op, errs.Conflict, "External network %s cannot be updated to be made non-external, since it has existing gateway ports.", n.ID)
	}
	if !old.Shared || n.Shared {
		return nil
	}
	for p := range tx.PortsOn(n.ID) {
		if p.ProjectID != n.ProjectID {
			return refuse(op, errs.Conflict, "Unable to reconfigure sharing settings for network %s. Multiple tenants are using it.", n.ID)
		}
	}
	return nil
}

// leadsOut tells whether a router has its gateway on a network.
func leadsOut(tx *state.Tx, id model.NetworkID) bool {
	for r := range tx.Routers() {
		if r.ExternalNetworkID == id {
			return true
		}
	}
	return false
}

func exampleNetworkUpdate() *NetworkUpdate {
	name, mtu := "private-2", 1400
	return &NetworkUpdate{ID: "00000000-0000-4000-8000-0000000000e1", Name: &name, MTU: &mtu}
}

func workNetworkUpdate(g Gen) (Command, By, bool) {
	n, have := pick(g, g.View().Networks())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, n.ProjectID)
	name := fmt.Sprintf("n-%d", g.Intn(100))
	c := &NetworkUpdate{ID: n.ID, Name: &name}
	if g.Intn(4) == 0 {
		c.Shared, c.External = new(bool), new(bool)
		*c.Shared, *c.External = g.Intn(2) == 0, g.Intn(2) == 0
	}
	return c, by, ok
}
