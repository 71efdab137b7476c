package assign

// Network is one network as its host is told of it.
type Network struct {
	ID        string `json:"id"`
	ProjectID string `json:"project_id"`
	// Segment is the network's number in the cloud and, between hosts, the
	// VXLAN network identifier; unique and never 0.
	Segment uint32 `json:"segment"`
	// MTU is in bytes.
	MTU int `json:"mtu"`
	// Down networks pass no frame, and their guests get no answer.
	Down    bool     `json:"down,omitempty"`
	Subnets []Subnet `json:"subnets,omitempty"`
	// Names are the network's guests for the resolver, ordered by address.
	Names []Name `json:"names,omitempty"`
	// Tunnel is this host's own end of the tunnels between hosts, the same in
	// all networks; empty: it has none, and Remotes neither.
	Tunnel string `json:"tunnel,omitempty"`
	// Remotes are the network's guests on other hosts, ordered by MAC.
	Remotes []Remote `json:"remotes,omitempty"`
}

// Remote is a port of a network whose guest another host runs.
type Remote struct {
	MAC string `json:"mac"`
	// Addresses are ordered.
	Addresses []string `json:"addresses,omitempty"`
	// Tunnel is the other host's end of tunnels.
	Tunnel string `json:"tunnel"`
}

// Subnet is an address range of a network.
type Subnet struct {
	ID      string `json:"id"`
	CIDR    string `json:"cidr"`
	Gateway string `json:"gateway,omitempty"`
	DHCP    bool   `json:"dhcp,omitempty"`
	// DNS are the resolvers to tell guests of; none means the gateway.
	DNS    []string `json:"dns,omitempty"`
	Routes []Route  `json:"routes,omitempty"`
}

// Route is a host route told to guests.
type Route struct {
	Destination string `json:"destination"`
	NextHop     string `json:"nexthop"`
}

// Name ties a hostname to an address of a network.
type Name struct {
	Hostname string `json:"hostname"`
	Address  string `json:"address"`
}

// Router joins subnets, and leads outside when External is set.
type Router struct {
	ID string `json:"id"`
	// Num is the router's integer id, unique in the cloud.
	Num uint64 `json:"num"`
	// External says that its guests reach the outside through the host's own
	// address.
	External bool `json:"external,omitempty"`
	// NetworkIDs and SubnetIDs are what it joins, ordered.
	NetworkIDs []string `json:"network_ids,omitempty"`
	SubnetIDs  []string `json:"subnet_ids,omitempty"`
}
