package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// RouterDetach takes a subnet off a router and removes the port (Networking
// API v2, "Remove interface from router").
//
// Rules: the router is the actor's and has an interface on the subnet.
type RouterDetach struct {
	ID       model.RouterID `json:"id"`
	SubnetID model.SubnetID `json:"subnet_id"`
}

// Kind implements Command.
func (*RouterDetach) Kind() string { return "router.detach/1" }

// Apply implements Command. The id is the removed port's.
func (c *RouterDetach) Apply(tx *state.Tx, m Meta) ([]string, error) {
	r, err := findRouter(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range collect(tx.PortsOfDevice(string(r.ID))) {
		for _, a := range collect(tx.FixedAddressesOf(p.ID)) {
			if a.SubnetID != c.SubnetID {
				continue
			}
			tx.PutRouter(touchRouter(r.Clone(), m))
			return []string{string(p.ID)}, removePort(tx, p)
		}
	}
	return nil, refuse("router.detach", errs.NotFound, "Router %s has no interface on subnet %s", c.ID, c.SubnetID)
}

func exampleRouterDetach() *RouterDetach {
	return &RouterDetach{ID: "00000000-0000-4000-8000-0000000000e4", SubnetID: "00000000-0000-4000-8000-0000000000e2"}
}

func workRouterDetach(g Gen) (Command, By, bool) {
	v := g.View()
	r, have := pick(g, v.Routers())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, r.ProjectID)
	p, havePort := pick(g, v.PortsOfDevice(string(r.ID)))
	if !ok || !havePort {
		return nil, by, false
	}
	a, haveAddress := pick(g, v.FixedAddressesOf(p.ID))
	if !haveAddress {
		return nil, by, false
	}
	return &RouterDetach{ID: r.ID, SubnetID: a.SubnetID}, by, true
}
