package model

import "slices"

// DefaultMTU is what a network gets that names none: 1500 less what a tunnel
// between hosts takes, so that guests need no change when hosts are added.
const DefaultMTU = 1450

// Network is a broadcast domain. Written by network.*, networks.create and
// tags.change.
type Network struct {
	ID          NetworkID `json:"id,omitzero"`
	ProjectID   ProjectID `json:"project_id,omitzero"`
	Name        string    `json:"name,omitzero"`
	Description string    `json:"description,omitzero"`
	Down        bool      `json:"down,omitzero"`
	Shared      bool      `json:"shared,omitzero"`
	// External networks lead outside; routers get their gateway there.
	External bool `json:"external,omitzero"`
	// MTU is in bytes.
	MTU int `json:"mtu,omitzero"`
	// Segment is its number in the cloud, from 1.
	Segment uint32 `json:"segment,omitzero"`
	// Tags are in order, each once.
	Tags      []string `json:"tags,omitempty"`
	Revision  uint64   `json:"revision,omitzero"`
	CreatedAt int64    `json:"created_at,omitzero"`
	UpdatedAt int64    `json:"updated_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (n *Network) Clone() *Network { m := *n; m.Tags = slices.Clone(n.Tags); return &m }

// Pool is a range of addresses, both ends included.
type Pool struct {
	Start string `json:"start,omitzero"`
	End   string `json:"end,omitzero"`
}

// HostRoute is a route that guests are told of.
type HostRoute struct {
	Destination string `json:"destination,omitzero"`
	NextHop     string `json:"nexthop,omitzero"`
}

// Subnet is a range of a network. Written by subnet.*, subnets.create and
// tags.change.
type Subnet struct {
	ID          SubnetID  `json:"id,omitzero"`
	NetworkID   NetworkID `json:"network_id,omitzero"`
	ProjectID   ProjectID `json:"project_id,omitzero"`
	Name        string    `json:"name,omitzero"`
	Description string    `json:"description,omitzero"`
	// CIDR is masked; Gateway is empty for none.
	CIDR      string      `json:"cidr,omitzero"`
	Gateway   string      `json:"gateway,omitzero"`
	NoDHCP    bool        `json:"no_dhcp,omitzero"`
	Pools     []Pool      `json:"pools,omitempty"`
	DNS       []string    `json:"dns,omitempty"`
	Routes    []HostRoute `json:"routes,omitempty"`
	Tags      []string    `json:"tags,omitempty"`
	Revision  uint64      `json:"revision,omitzero"`
	CreatedAt int64       `json:"created_at,omitzero"`
	UpdatedAt int64       `json:"updated_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (s *Subnet) Clone() *Subnet {
	t := *s
	t.Pools, t.DNS, t.Routes, t.Tags = slices.Clone(s.Pools), slices.Clone(s.DNS), slices.Clone(s.Routes), slices.Clone(s.Tags)
	return &t
}
