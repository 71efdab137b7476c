package command

import (
	"net/netip"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// RouterAttach joins a subnet to a router: a port of the router's project gets
// the subnet's gateway address (Networking API v2, "Add interface to router").
//
// Rules: the router is the actor's; the subnet's network is too (one that is
// merely shared may not be changed); the subnet has a gateway, which is free,
// and overlaps with none of the router's; the quota has room for the port.
type RouterAttach struct {
	ID       model.RouterID `json:"id"`
	SubnetID model.SubnetID `json:"subnet_id"`
	// PortID and MAC are the new port's.
	PortID model.PortID `json:"port_id"`
	MAC    string       `json:"mac"`
}

// Kind implements Command.
func (*RouterAttach) Kind() string { return "router.attach/1" }

// Apply implements Command. The id is the new port's.
func (c *RouterAttach) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "router.attach"
	r, err := findRouter(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	s, err := findSubnet(tx, m.By, c.SubnetID)
	if err != nil {
		return nil, err
	}
	if s.Gateway == "" {
		return nil, refuse(op, errs.Invalid, "Bad router request: Subnet for router interface must have a gateway IP.")
	}
	if err := checkRouterRanges(tx, r, s); err != nil {
		return nil, err
	}
	p := &model.Port{ID: c.PortID, NetworkID: s.NetworkID, ProjectID: r.ProjectID, MAC: c.MAC,
		DeviceID: string(r.ID), DeviceOwner: model.OwnerRouterInterface, Active: true}
	if err := makePort(tx, m, p, []PortAddress{{SubnetID: s.ID, IP: s.Gateway}}, false); err != nil {
		return nil, err
	}
	tx.PutRouter(touchRouter(r.Clone(), m))
	return []string{string(c.PortID)}, nil
}

// checkRouterRanges refuses a subnet that overlaps with one that the router
// joins: it could not tell their addresses apart.
func checkRouterRanges(tx *state.Tx, r *model.Router, s *model.Subnet) error {
	const op = "router.attach"
	p, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return refuse(op, errs.Invalid, "Bad router request: '%s' is not a range.", s.CIDR)
	}
	for port := range tx.PortsOfDevice(string(r.ID)) {
		for a := range tx.FixedAddressesOf(port.ID) {
			if a.SubnetID == s.ID {
				return refuse(op, errs.Invalid, "Bad router request: Router already has a port on subnet %s.", s.ID)
			}
			other := tx.Subnet(a.SubnetID)
			if other == nil {
				continue
			}
			if q, err := netip.ParsePrefix(other.CIDR); err == nil && q.Overlaps(p) {
				return refuse(op, errs.Invalid, "Bad router request: Cidr %s of subnet %s overlaps with cidr %s of subnet %s.", s.CIDR, s.ID, other.CIDR, other.ID)
			}
		}
	}
	return nil
}

func exampleRouterAttach() *RouterAttach {
	return &RouterAttach{ID: "00000000-0000-4000-8000-0000000000e4", SubnetID: "00000000-0000-4000-8000-0000000000e2",
		PortID: "00000000-0000-4000-8000-0000000000e6", MAC: "fa:16:3e:00:00:06"}
}

func workRouterAttach(g Gen) (Command, By, bool) {
	r, haveRouter := pick(g, g.View().Routers())
	s, haveSubnet := pick(g, g.View().Subnets())
	if !haveRouter || !haveSubnet {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, r.ProjectID)
	return &RouterAttach{ID: r.ID, SubnetID: s.ID, PortID: model.PortID(g.UUID()), MAC: newMAC(g)}, by, ok
}
