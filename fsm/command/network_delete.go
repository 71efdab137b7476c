package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// NetworkDelete removes a network with its subnets.
//
// Rules: the network is the actor's; no port is on it and no router leads out
// there. Addresses that deleted servers still hold go with it: its segment is
// never given again, so a guest that is not gone yet can meet nobody there.
type NetworkDelete struct {
	ID model.NetworkID `json:"id"`
}

// Kind implements Command.
func (*NetworkDelete) Kind() string { return "network.delete/1" }

// Apply implements Command.
func (c *NetworkDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "network.delete"
	n, err := findNetwork(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	for range tx.PortsOn(n.ID) {
		return nil, refuse(op, errs.Conflict, "Unable to complete operation on network %s. There are one or more ports still in use on the network.", n.ID)
	}
	if leadsOut(tx, n.ID) {
		return nil, refuse(op, errs.Conflict, "Unable to complete operation on network %s. There are one or more routers that have their gateway on the network.", n.ID)
	}
	for _, a := range collect(tx.FixedAddressesOn(n.ID)) {
		tx.DeleteFixedAddress(a.NetworkID, a.IP)
	}
	for _, s := range collect(tx.SubnetsOf(n.ID)) {
		tx.DeleteSubnet(s.ID)
		if err := tx.Charge(s.ProjectID, state.Charge{Resource: "subnet", By: -1}); err != nil {
			return nil, err
		}
	}
	tx.DeleteNetwork(n.ID)
	return []string{string(n.ID)}, tx.Charge(n.ProjectID, state.Charge{Resource: "network", By: -1})
}

func exampleNetworkDelete() *NetworkDelete {
	return &NetworkDelete{ID: "00000000-0000-4000-8000-0000000000e1"}
}

func workNetworkDelete(g Gen) (Command, By, bool) {
	n, have := pick(g, g.View().Networks())
	for range 3 { // most networks have ports, and stay
		if other, more := pick(g, g.View().Networks()); more && len(collect(g.View().PortsOn(n.ID))) > 0 {
			n = other
		}
	}
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, n.ProjectID)
	return &NetworkDelete{ID: n.ID}, by, ok
}
