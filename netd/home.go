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
// that joins it. Subnets that no router joins are served from a namespace of
// the network's own, where nothing is forwarded; so is a network without any.
// A network that is down meets none.
func Homes(c Config) []Home {
	routers := slices.SortedFunc(slices.Values(c.Routers), func(a, b Router) int { return int(a.Number) - int(b.Number) })
	var out []Home
	for _, w := range c.Networks {
		if w.Down {
			continue
		}
		out = append(out, homes(Names(c.Prefix), w, routers)...)
	}
	return out
}

func homes(n Names, w Network, routers []Router) []Home {
	var out []Home
	joined := func(s Subnet) bool {
		return slices.ContainsFunc(out, func(h Home) bool {
			return slices.ContainsFunc(h.Addrs, func(a netip.Prefix) bool { return a.Overlaps(s.CIDR) })
		})
	}
	for _, r := range routers {
		h := Home{NetworkID: w.ID, Space: n.RouterSpace(r.Number), MAC: GatewayMAC(w.Number, FirstGateway)}
		if len(out) > 0 {
			h.MAC = GatewayMAC(w.Number, int64(r.Number))
		}
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
	own := Home{NetworkID: w.ID, Space: n.NetworkSpace(w.Number), MAC: GatewayMAC(w.Number, FirstGateway)}
	if len(out) > 0 {
		own.MAC = GatewayMAC(w.Number, OwnGateway)
	}
	own.Outer, own.Link = n.Gateway(w.Number, -1)
	for _, s := range w.Subnets {
		if s.Local.IsValid() && !joined(s) {
			own.Addrs = append(own.Addrs, netip.PrefixFrom(s.Local, s.CIDR.Bits()))
		}
	}
	if len(out) == 0 || len(own.Addrs) > 0 {
		out = append(out, own)
	}
	return out
}
