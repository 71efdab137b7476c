package netd

import (
	"net/netip"
	"slices"
)

// Home is where a namespace meets a network: what listens for the network's
// guests listens there, on that link.
type Home struct {
	NetworkID string
	// Space is the namespace, Link the link in it, Outer its other end in the
	// root namespace, plugged into the network's bridge.
	Space, Link, Outer string
	// MAC is the gateway's address.
	MAC MAC
	// Addrs are ours in the network, with the subnets' lengths.
	Addrs []netip.Prefix
}

// Homes gives the meetings of networks and namespaces in a sound Config,
// ordered by network, then router number. A network has one for each router
// that joins it; without any, one in a namespace of its own.
func Homes(c Config) []Home {
	n := Names(c.Prefix)
	routers := slices.SortedFunc(slices.Values(c.Routers), func(a, b Router) int { return int(a.Number) - int(b.Number) })
	var out []Home
	for _, w := range c.Networks {
		before := len(out)
		for _, r := range routers {
			h := Home{NetworkID: w.ID, Space: n.RouterSpace(r.Number), MAC: GatewayMAC(w.Number, int64(r.Number))}
			h.Outer, h.Link = n.Gateway(w.Number, int64(r.Number))
			for _, i := range r.Interfaces {
				if i.NetworkID == w.ID {
					h.Addrs = append(h.Addrs, i.Addr)
				}
			}
			if len(h.Addrs) > 0 {
				out = append(out, h)
			}
		}
		if len(out) > before {
			continue
		}
		h := Home{NetworkID: w.ID, Space: n.NetworkSpace(w.Number), MAC: GatewayMAC(w.Number, -1)}
		h.Outer, h.Link = n.Gateway(w.Number, -1)
		for _, s := range w.Subnets {
			if s.Local.IsValid() {
				h.Addrs = append(h.Addrs, netip.PrefixFrom(s.Local, s.CIDR.Bits()))
			}
		}
		out = append(out, h)
	}
	return out
}
