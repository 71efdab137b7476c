package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// SubnetDelete removes a subnet.
//
// Rules: the subnet or its network is the actor's; no port has an address of
// it. An address that a deleted server still holds stays taken on the network,
// of no subnet any more, so that a new subnet cannot give it away too early.
type SubnetDelete struct {
	ID model.SubnetID `json:"id"`
}

// Kind implements Command.
func (*SubnetDelete) Kind() string { return "subnet.delete/1" }

// Apply implements Command.
func (c *SubnetDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "subnet.delete"
	s, err := findSubnet(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range collect(tx.FixedAddressesOn(s.NetworkID)) {
		if a.SubnetID != s.ID {
			continue
		}
		if a.PortID != "" {
			return nil, refuse(op, errs.Conflict, "Unable to complete operation on subnet %s: One or more ports have an IP allocation from this subnet.", s.ID)
		}
		held := a.Clone()
		held.SubnetID = ""
		tx.PutFixedAddress(held)
	}
	tx.DeleteSubnet(s.ID)
	return []string{string(s.ID)}, tx.Charge(s.ProjectID, state.Charge{Resource: "subnet", By: -1})
}

func exampleSubnetDelete() *SubnetDelete {
	return &SubnetDelete{ID: "00000000-0000-4000-8000-0000000000e2"}
}

func workSubnetDelete(g Gen) (Command, By, bool) {
	s, have := pick(g, g.View().Subnets())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, s.ProjectID)
	return &SubnetDelete{ID: s.ID}, by, ok
}
