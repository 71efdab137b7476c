package netsvc

import (
	"fmt"
	"net/netip"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/netd"
)

// Translate turns what a host is assigned into netd's Config. Like netd.Sound
// it leaves out what can't be read, and says what. It is pure.
func Translate(base netd.Config, networks []assign.Network, routers []assign.Router, guests []assign.Guest) (netd.Config, []error) {
	t := translator{out: base, gateways: map[string]netd.Interface{}}
	for _, n := range networks {
		t.network(n)
	}
	for _, r := range routers {
		t.router(r)
	}
	for _, g := range guests {
		for _, nic := range g.NICs {
			t.port(g, nic)
		}
	}
	return t.out, t.errs
}

type translator struct {
	out  netd.Config
	errs []error
	// gateways are routers' addresses by subnet id.
	gateways map[string]netd.Interface
}

func (t *translator) bad(format string, args ...any) {
	t.errs = append(t.errs, fmt.Errorf("left out: "+format, args...))
}

// addr reads an address that may be empty.
func (t *translator) addr(of, s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		t.bad("%s: %v", of, err)
	}
	return a
}

func (t *translator) network(n assign.Network) {
	w := netd.Network{ID: n.ID, Number: n.Segment, MTU: n.MTU, Down: n.Down}
	for _, s := range n.Subnets {
		of := "subnet " + s.ID + " of network " + n.ID
		cidr, err := netip.ParsePrefix(s.CIDR)
		if err != nil {
			t.bad("%s: %v", of, err)
			continue
		}
		if !cidr.Addr().Is4() {
			continue // IPv6 is not served yet, and no fault of the host's
		}
		sub := netd.Subnet{CIDR: cidr, Gateway: t.addr(of, s.Gateway), DHCP: s.DHCP}
		for _, d := range s.DNS {
			if a := t.addr(of, d); a.Is4() {
				sub.DNS = append(sub.DNS, a)
			}
		}
		for _, r := range s.Routes {
			dst, err := netip.ParsePrefix(r.Destination)
			if via := t.addr(of, r.NextHop); err == nil && dst.Addr().Is4() && via.Is4() {
				sub.Routes = append(sub.Routes, netd.Route{Dst: dst.Masked(), Via: via})
			} else {
				t.bad("%s: host route to %q via %q", of, r.Destination, r.NextHop)
			}
		}
		if sub.Gateway.IsValid() {
			t.gateways[s.ID] = netd.Interface{NetworkID: n.ID, Addr: netip.PrefixFrom(sub.Gateway, cidr.Bits())}
		}
		w.Subnets = append(w.Subnets, sub)
	}
	for _, name := range n.Names {
		if a := t.addr("a name of network "+n.ID, name.Address); a.Is4() {
			w.Names = append(w.Names, netd.Name{Host: name.Hostname, Addr: a})
		}
	}
	t.tunnel(n)
	w.Remotes = t.remotes(n)
	t.out.Networks = append(t.out.Networks, w)
}

// tunnel takes this host's end of tunnels from the first network that names
// it.
func (t *translator) tunnel(n assign.Network) {
	a := t.addr("the tunnel address of this host", n.Tunnel)
	switch own := t.out.Tunnel.Addr; {
	case !own.IsValid():
		t.out.Tunnel.Addr = a
	case a.IsValid() && a != own:
		t.bad("network %s: it has this host's tunnels end at %v, another at %v", n.ID, a, own)
	}
}

func (t *translator) remotes(n assign.Network) (out []netd.Remote) {
	for _, r := range n.Remotes {
		of := "port " + r.MAC + " of network " + n.ID + " on another host"
		mac, err := netd.ParseMAC(r.MAC)
		via := t.addr(of, r.Tunnel)
		if err != nil || !via.IsValid() {
			t.bad("%s: its MAC or tunnel address %q can't be read", of, r.Tunnel)
			continue
		}
		w := netd.Remote{MAC: mac, Via: via}
		for _, s := range r.Addresses {
			if a := t.addr(of, s); a.Is4() {
				w.Addrs = append(w.Addrs, a)
			}
		}
		out = append(out, w)
	}
	return out
}

func (t *translator) router(r assign.Router) {
	w := netd.Router{ID: r.ID, Number: uint32(r.Num), External: r.External}
	if uint64(w.Number) != r.Num {
		t.bad("router %s: its number %d is too large", r.ID, r.Num)
		return
	}
	for _, id := range r.SubnetIDs {
		// A subnet without gateway has no address for a router, and one that is
		// not here has no guests here.
		if i, ok := t.gateways[id]; ok {
			w.Interfaces = append(w.Interfaces, i)
		}
	}
	t.out.Routers = append(t.out.Routers, w)
}

func (t *translator) port(g assign.Guest, nic assign.NIC) {
	of := "port " + nic.PortID + " of guest " + g.ID
	mac, err := netd.ParseMAC(nic.MAC)
	if err != nil {
		t.bad("%s: %v", of, err)
		return
	}
	p := netd.Port{ID: nic.PortID, NetworkID: nic.NetworkID, MAC: mac, Hostname: g.Hostname, Down: nic.Down,
		Tap: netd.Names(t.out.Prefix).Tap(nic.PortID)}
	for _, s := range nic.Addresses {
		if a := t.addr(of, s); a.Is4() {
			p.Addrs = append(p.Addrs, a)
		}
	}
	t.out.Ports = append(t.out.Ports, p)
}
