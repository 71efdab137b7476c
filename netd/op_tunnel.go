package netd

import (
	"fmt"
	"net/netip"
)

// AddVXLAN makes a tunnel's link in the root namespace, down. It learns
// nothing and has no place to send what it knows no hop for.
type AddVXLAN struct {
	Name string
	VXLAN
	MTU int
}

// SetDirected tells a bridge to send into a tunnel's link only what is for a
// guest that it knows there, to answer ARP in its place, and to learn nothing
// from it.
type SetDirected struct{ Name string }

// SetHop makes or changes the way to a guest behind a tunnel's link: for the
// link and for its bridge.
type SetHop struct {
	Link string
	MAC  MAC
	Via  netip.Addr
}

// DelHop removes both.
type DelHop struct {
	Link string
	MAC  MAC
}

// SetNeighbour lets a bridge answer ARP for a guest on another host.
type SetNeighbour struct {
	Bridge string
	Addr   netip.Addr
	MAC    MAC
}

// DelNeighbour ends that.
type DelNeighbour struct {
	Bridge string
	Addr   netip.Addr
}

// String is the command that does it.
func (o AddVXLAN) String() string {
	return fmt.Sprintf("ip link add %s mtu %d type vxlan id %d local %s dstport %d nolearning",
		o.Name, o.MTU, o.Number, o.Local, o.Port)
}

// String is the command that does it.
func (o SetDirected) String() string {
	return "bridge link set dev " + o.Name + " learning off flood off mcast_flood off bcast_flood off neigh_suppress on"
}

// String is the command that does it.
func (o SetHop) String() string {
	return fmt.Sprintf("bridge fdb replace %s dev %s dst %s self master static", o.MAC, o.Link, o.Via)
}

// String is the command that does it.
func (o DelHop) String() string {
	return fmt.Sprintf("bridge fdb del %s dev %s self master", o.MAC, o.Link)
}

// String is the command that does it.
func (o SetNeighbour) String() string {
	return fmt.Sprintf("ip neigh replace %s lladdr %s dev %s nud permanent", o.Addr, o.MAC, o.Bridge)
}

// String is the command that does it.
func (o DelNeighbour) String() string {
	return fmt.Sprintf("ip neigh del %s dev %s", o.Addr, o.Bridge)
}

func (o AddVXLAN) rank() rank     { return rankAddVXLAN }
func (o SetDirected) rank() rank  { return rankDirect }
func (o SetHop) rank() rank       { return rankSetHop }
func (o DelHop) rank() rank       { return rankDelHop }
func (o SetNeighbour) rank() rank { return rankSetNeighbour }
func (o DelNeighbour) rank() rank { return rankDelHop }
