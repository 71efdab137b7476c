package command

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// SubnetCreate gives a network a range of addresses (Networking API v2,
// "Create subnet").
//
// Rules: the network is the actor's (one that is merely shared may not be
// changed) and the project is the actor's and there; the id is new; the range
// is masked, one where guests can live (assign.CheckRange), from /8 to /30, and
// overlaps with no other of the network; gateway, pools, name servers and
// routes are as checkSubnet says; the project's quota has room.
// Without pools it gets all usable addresses but the gateway's.
type SubnetCreate struct {
	ID          model.SubnetID  `json:"id"`
	NetworkID   model.NetworkID `json:"network_id"`
	ProjectID   model.ProjectID `json:"project_id"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	CIDR        string          `json:"cidr"`
	// Gateway is empty for none.
	Gateway string            `json:"gateway,omitempty"`
	NoDHCP  bool              `json:"no_dhcp,omitempty"`
	Pools   []model.Pool      `json:"pools,omitempty"`
	DNS     []string          `json:"dns,omitempty"`
	Routes  []model.HostRoute `json:"routes,omitempty"`
}

// Kind implements Command.
func (*SubnetCreate) Kind() string { return "subnet.create/1" }

// Apply implements Command.
func (c *SubnetCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "subnet.create"
	if _, err := findNetwork(tx, m.By, c.NetworkID); err != nil {
		return nil, err
	}
	if err := ownProject(tx, m.By, c.ProjectID); err != nil {
		return nil, err
	}
	if err := newUUID(op, string(c.ID), tx.Subnet(c.ID) != nil); err != nil {
		return nil, err
	}
	p, err := parseRange(c.CIDR)
	if err != nil {
		return nil, err
	}
	for other := range tx.SubnetsOf(c.NetworkID) {
		if q, err := netip.ParsePrefix(other.CIDR); err == nil && q.Overlaps(p) {
			return nil, refuse(op, errs.Invalid, "Requested subnet with cidr: %s for network: %s overlaps with another subnet.", p, c.NetworkID)
		}
	}
	s := &model.Subnet{ID: c.ID, NetworkID: c.NetworkID, ProjectID: c.ProjectID, Name: c.Name, Description: c.Description,
		CIDR: p.String(), Gateway: c.Gateway, NoDHCP: c.NoDHCP, Pools: slices.Clone(c.Pools), DNS: slices.Clone(c.DNS),
		Routes: slices.Clone(c.Routes), Revision: 1, CreatedAt: m.At, UpdatedAt: m.At}
	if err := checkSubnet(s); err != nil {
		return nil, err
	}
	if err := tx.Charge(c.ProjectID, state.Charge{Resource: "subnet", By: 1}); err != nil {
		return nil, err
	}
	tx.PutSubnet(s)
	return []string{string(c.ID)}, nil
}

func exampleSubnetCreate() *SubnetCreate {
	return &SubnetCreate{ID: "00000000-0000-4000-8000-0000000000e2", NetworkID: "00000000-0000-4000-8000-0000000000e1",
		ProjectID: "000000000000000000000000000000a1", Name: "private-v4", CIDR: "10.0.0.0/24", Gateway: "10.0.0.1",
		DNS: []string{"9.9.9.9"}, Routes: []model.HostRoute{{Destination: "192.168.0.0/16", NextHop: "10.0.0.254"}}}
}

func workSubnetCreate(g Gen) (Command, By, bool) {
	n, have := pick(g, g.View().Networks())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, n.ProjectID)
	third := g.Intn(8)
	c := &SubnetCreate{ID: model.SubnetID(g.UUID()), NetworkID: n.ID, ProjectID: n.ProjectID, Name: fmt.Sprintf("sub-%d", g.Intn(100)),
		CIDR: fmt.Sprintf("10.0.%d.0/%d", third, 24+g.Intn(7)), Gateway: fmt.Sprintf("10.0.%d.%d", third, 1+g.Intn(2))}
	if g.Intn(6) == 0 {
		c.CIDR, c.Gateway = fmt.Sprintf("172.16.%d.0/26", third), ""
	}
	return c, by, ok
}
