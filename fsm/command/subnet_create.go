package command

import "github.com/kvorum/kvorum/internal/model"

// SubnetCreate gives a network a range of addresses (Networking API v2,
// "Create subnet").
//
// Rules: the network is the actor's (one that is merely shared may not be
// changed) and the project is the actor's and there; the id is new; the range
// is masked, of unicast addresses, IPv4 from /8 to /30 or IPv6 from /64 to
// /126, and overlaps with no other of the network; gateway, pools, name
// servers and routes are as checkSubnet says; the project's quota has room.
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
