package command

import (
	"fmt"
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// SubnetUpdate changes a subnet: only the fields that are given. Lists replace
// the whole.
//
// Rules: the subnet or its network is the actor's; values as in SubnetCreate;
// the gateway changes only while no port has the old or the new address.
type SubnetUpdate struct {
	ID          model.SubnetID `json:"id"`
	Name        *string        `json:"name,omitempty"`
	Description *string        `json:"description,omitempty"`
	// Gateway is cleared by an empty string.
	Gateway *string            `json:"gateway,omitempty"`
	NoDHCP  *bool              `json:"no_dhcp,omitempty"`
	Pools   *[]model.Pool      `json:"pools,omitempty"`
	DNS     *[]string          `json:"dns,omitempty"`
	Routes  *[]model.HostRoute `json:"routes,omitempty"`
}

// Kind implements Command.
func (*SubnetUpdate) Kind() string { return "subnet.update/1" }

// Apply implements Command.
func (c *SubnetUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	old, err := findSubnet(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	s := old.Clone()
	set(&s.Name, c.Name)
	set(&s.Description, c.Description)
	set(&s.Gateway, c.Gateway)
	set(&s.NoDHCP, c.NoDHCP)
	if c.Pools != nil {
		s.Pools = slices.Clone(*c.Pools)
	}
	if c.DNS != nil {
		s.DNS = slices.Clone(*c.DNS)
	}
	if c.Routes != nil {
		s.Routes = slices.Clone(*c.Routes)
	}
	if err := checkSubnet(s); err != nil {
		return nil, err
	}
	if s.Gateway != old.Gateway {
		if err := checkGatewayMove(tx, s, old); err != nil {
			return nil, err
		}
	}
	s.UpdatedAt, s.Revision = m.At, s.Revision+1
	tx.PutSubnet(s)
	return []string{string(s.ID)}, nil
}

// checkGatewayMove refuses to move a gateway that a router has, or to where a
// guest is.
func checkGatewayMove(tx *state.Tx, s, old *model.Subnet) error {
	const op = "subnet.update"
	if old.Gateway != "" {
		if a := tx.FixedAddress(s.NetworkID, old.Gateway); a != nil {
			return refuse(op, errs.Conflict, "Current gateway ip %s already in use by port %s. Unable to update.", old.Gateway, a.PortID)
		}
	}
	if s.Gateway != "" {
		if a := tx.FixedAddress(s.NetworkID, s.Gateway); a != nil {
			return refuse(op, errs.Conflict, "Gateway ip %s is in use by port %s.", s.Gateway, a.PortID)
		}
	}
	return nil
}

func exampleSubnetUpdate() *SubnetUpdate {
	gateway, off := "", true
	return &SubnetUpdate{ID: "00000000-0000-4000-8000-0000000000e2", Gateway: &gateway, NoDHCP: &off, DNS: &[]string{"1.1.1.1", "9.9.9.9"}}
}

func workSubnetUpdate(g Gen) (Command, By, bool) {
	s, have := pick(g, g.View().Subnets())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, s.ProjectID)
	name := fmt.Sprintf("sub-%d", g.Intn(100))
	c := &SubnetUpdate{ID: s.ID, Name: &name, DNS: &[]string{"9.9.9.9"}}
	if g.Intn(3) == 0 {
		gateway := ""
		c.Gateway = &gateway
	}
	return c, by, ok
}
