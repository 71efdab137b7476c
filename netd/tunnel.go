package netd

import (
	"net/netip"
	"slices"
)

// TunnelPort is the UDP port at which hosts take each other's tunnels (VXLAN,
// RFC 7348).
const TunnelPort = 4789

// TunnelOverhead is what a tunnel adds to a guest's packet, in bytes: the
// outer IPv4, UDP and VXLAN headers, and the guest's own Ethernet header.
const TunnelOverhead = 20 + 8 + 8 + 14

// Tunnel is this host's end of the tunnels between hosts. The zero Tunnel
// keeps the host out of them.
type Tunnel struct {
	// Addr is an IPv4 address of the host's root namespace.
	Addr netip.Addr
	// MTU is that of the link with Addr, in bytes. Networks that ask for more
	// than it leaves them get less. 0: not known, nothing is held against it.
	MTU int
}

// Fit is the part of a network's MTU that passes the tunnels.
func (t Tunnel) Fit(mtu int) int {
	if !t.Addr.IsValid() || t.MTU == 0 {
		return mtu
	}
	return min(mtu, t.MTU-TunnelOverhead)
}

// Remote is a guest's port on another host.
type Remote struct {
	MAC   MAC
	Addrs []netip.Addr
	// Via is the end of its host's tunnels.
	Via netip.Addr
}

// VXLAN is what makes a link a tunnel's.
type VXLAN struct {
	Number uint32
	Local  netip.Addr
	// Port is the UDP port.
	Port uint16
	// Learning: the kernel believes whatever comes out of the tunnel.
	Learning bool
}

// Hop is how a bridge reaches a guest behind a tunnel's link.
type Hop struct {
	// Via is the other end of the tunnel, as the VXLAN link knows it.
	Via netip.Addr
	// Bridged says that the bridge looks for the guest behind that link.
	Bridged bool
}

// meshed gives the networks, by id, that reach other hosts: those with guests
// there, and those with guests here that a router joins with one of the
// former. What is routed there comes out of a tunnel of the latter.
func meshed(c Config) map[string]bool {
	far, here, out := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, w := range c.Networks {
		if len(w.Remotes) > 0 {
			far[w.ID], out[w.ID] = true, true
		}
	}
	for _, p := range c.Ports {
		here[p.NetworkID] = true
	}
	for _, r := range c.Routers {
		if !slices.ContainsFunc(r.Interfaces, func(i Interface) bool { return far[i.NetworkID] }) {
			continue
		}
		for _, i := range r.Interfaces {
			if here[i.NetworkID] {
				out[i.NetworkID] = true
			}
		}
	}
	return out
}

// mesh adds what n needs to reach other hosts: the tunnel's link with a hop to
// each guest, and the bridge's answers to ARP for them. The kernel looks for
// these among the neighbours of the bridge, and answers only for a MAC that
// the bridge finds behind a port that suppresses ARP.
func (w *wanted) mesh(c Config, n Network) {
	bridge := w.bridges[w.names.Bridge(n.Number)]
	bridge.Neighbours = map[netip.Addr]MAC{}
	link := Link{Kind: "vxlan", MTU: n.MTU, Up: true, Master: w.names.Bridge(n.Number), Directed: true,
		VXLAN: VXLAN{Number: n.Number, Local: c.Tunnel.Addr, Port: TunnelPort}, Hops: map[MAC]Hop{}}
	for _, r := range n.Remotes {
		link.Hops[r.MAC] = Hop{Via: r.Via, Bridged: true}
		for _, a := range r.Addrs {
			bridge.Neighbours[a] = r.MAC
		}
	}
	w.bridges[w.names.Bridge(n.Number)] = bridge
	w.tunnels[w.names.Tunnel(n.Number)] = link
}
