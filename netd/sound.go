package netd

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/assign"
)

// Sound gives the part of c that can be made so, in a fixed order (by id), and
// says of everything else why it was left out. One bad network never stops
// the rest of its host. Only without a usable Prefix or Transfer there is no
// sound part at all: the Config given back has no Prefix, and Plan does nothing
// with it rather than tear down what is there.
func Sound(c Config) (Config, []error) {
	n := Names(c.Prefix)
	s := sounder{names: n, config: c, out: Config{Prefix: c.Prefix, Transfer: c.transfer()}, held: map[string]string{}}
	if !n.valid() {
		s.bad("prefix %q: want a lower-case letter and at most two more letters or digits", c.Prefix)
		return Config{}, s.errs
	}
	if _, _, ok := c.TransferAddrs(0); !ok {
		s.bad("transfer range %v: want an IPv4 range of at least four addresses", c.Transfer)
		return Config{}, s.errs
	}
	s.denied()
	s.tunnel()
	s.networks()
	s.routers()
	s.ports()
	s.remotes()
	return s.out, s.errs
}

type sounder struct {
	names  Names
	config Config
	out    Config
	errs   []error
	// held tells who has a MAC or an address, as "network address".
	held map[string]string
}

func (s *sounder) bad(format string, args ...any) {
	s.errs = append(s.errs, fmt.Errorf("left out: "+format, args...))
}

// denied keeps each range once and none inside another: nft refuses sets with
// overlapping intervals.
func (s *sounder) denied() {
	always := []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16"), s.out.Transfer}
	all := append(always, s.config.Denied...)
	for i, p := range all {
		if !p.IsValid() || !p.Addr().Is4() || p.Bits() == 0 {
			s.bad("denied range %v: want an IPv4 range smaller than everything", p)
			continue
		}
		all[i] = p.Masked()
	}
	s.out.Denied = outermost(all)
}

// outermost sorts IPv4 ranges and drops those inside another, and what is no
// IPv4 range.
func outermost(all []netip.Prefix) []netip.Prefix {
	all = slices.SortedFunc(slices.Values(all), func(a, b netip.Prefix) int {
		return cmp.Or(cmp.Compare(a.Bits(), b.Bits()), a.Addr().Compare(b.Addr()))
	})
	var out []netip.Prefix
	for _, p := range all {
		inside := func(o netip.Prefix) bool { return o.Contains(p.Addr()) }
		if p.IsValid() && p.Addr().Is4() && p.Bits() > 0 && !slices.ContainsFunc(out, inside) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return out
}

func (s *sounder) networks() {
	ids, numbers := map[string]bool{}, map[uint32]bool{}
	for _, w := range sortedBy(s.config.Networks, func(w Network) string { return w.ID }) {
		switch {
		case w.ID == "" || ids[w.ID]:
			s.bad("network %q: its id is empty or used twice", w.ID)
			continue
		case w.Number == 0 || w.Number >= 1<<24 || numbers[w.Number]:
			s.bad("network %s: its number %d is out of 1..16777215 or used twice", w.ID, w.Number)
			continue
		case w.MTU < assign.MinMTU || w.MTU > 65535:
			s.bad("network %s: its MTU %d is out of %d..65535", w.ID, w.MTU, assign.MinMTU)
			continue
		}
		if fit := s.out.Tunnel.Fit(w.MTU); fit < w.MTU {
			s.bad("%d bytes of the MTU %d of network %s: the tunnels' link carries %d, of which a tunnel takes %d",
				w.MTU-fit, w.MTU, w.ID, s.out.Tunnel.MTU, TunnelOverhead)
			w.MTU = fit
		}
		ids[w.ID], numbers[w.Number] = true, true
		w.Subnets = s.subnets(w)
		s.out.Networks = append(s.out.Networks, w)
	}
}

func (s *sounder) subnets(w Network) []Subnet {
	var out []Subnet
	for _, sub := range sortedBy(w.Subnets, func(sub Subnet) string { return sub.CIDR.String() }) {
		if sub.Local == (netip.Addr{}) {
			sub.Local = sub.Gateway
		}
		overlaps := func(o Subnet) bool { return o.CIDR.Overlaps(sub.CIDR) }
		switch {
		case !s.usable(sub.CIDR) || slices.ContainsFunc(out, overlaps):
			s.bad("network %s: subnet %v is no IPv4 range of guests, or overlaps another", w.ID, sub.CIDR)
			continue
		case sub.Local.IsValid() && !sub.CIDR.Contains(sub.Local):
			s.bad("network %s: our address %v is not in subnet %v", w.ID, sub.Local, sub.CIDR)
			continue
		}
		sub.CIDR = sub.CIDR.Masked()
		out = append(out, sub)
	}
	return out
}

// usable tells whether guests may live in p: not where metadata or our own
// transfer addresses are, for a namespace routes both.
func (s *sounder) usable(p netip.Prefix) bool {
	return p.IsValid() && p.Addr().Is4() && p.Bits() >= 1 && p.Bits() <= 31 && !p.Overlaps(s.out.Transfer) &&
		!p.Contains(MetadataAddr) && !p.Addr().IsLoopback() && !p.Addr().IsMulticast()
}

func (s *sounder) routers() {
	ids, numbers := map[string]bool{}, map[uint32]bool{}
	taken := map[string]string{} // network and address -> router
	for _, r := range sortedBy(s.config.Routers, func(r Router) string { return r.ID }) {
		if r.ID == "" || ids[r.ID] || numbers[r.Number] {
			s.bad("router %q: its id is empty, or its id or number %d used twice", r.ID, r.Number)
			continue
		}
		if _, _, ok := s.out.TransferAddrs(r.Number); !ok {
			s.bad("router %s: its number %d does not fit the transfer range %v", r.ID, r.Number, s.out.Transfer)
			continue
		}
		ids[r.ID], numbers[r.Number] = true, true
		r.Interfaces = s.interfaces(r, taken)
		if len(r.Interfaces) > 0 {
			s.out.Routers = append(s.out.Routers, r)
		}
	}
}

func (s *sounder) interfaces(r Router, taken map[string]string) []Interface {
	var out []Interface
	for _, i := range sortedBy(r.Interfaces, func(i Interface) string { return i.NetworkID + " " + i.Addr.String() }) {
		overlaps := func(o Interface) bool {
			// Several addresses in one subnet are fine.
			same := o.NetworkID == i.NetworkID && o.Addr.Bits() == i.Addr.Bits() && o.Addr != i.Addr
			return o.Addr.Overlaps(i.Addr) && !same
		}
		at := i.NetworkID + " " + i.Addr.Addr().String()
		switch _, known := s.network(i.NetworkID); {
		case !known:
			s.bad("router %s: it joins network %q, which is not here", r.ID, i.NetworkID)
			continue
		case !s.usable(i.Addr) || slices.ContainsFunc(out, overlaps):
			s.bad("router %s: its address %v is no IPv4 address among guests, or overlaps another", r.ID, i.Addr)
			continue
		case taken[at] != "":
			s.bad("router %s: its address %v is router %s's in the same network", r.ID, i.Addr, taken[at])
			continue
		}
		taken[at] = r.ID
		out = append(out, i)
	}
	return out
}

func (s *sounder) network(id string) (Network, bool) {
	for _, w := range s.out.Networks {
		if w.ID == id {
			return w, true
		}
	}
	return Network{}, false
}

func (s *sounder) ports() {
	s.gateways()
	ids, taps := map[string]bool{}, map[string]bool{}
	for _, p := range sortedBy(s.config.Ports, func(p Port) string { return p.ID }) {
		switch _, known := s.network(p.NetworkID); {
		case p.ID == "" || ids[p.ID]:
			s.bad("port %q: its id is empty or used twice", p.ID)
			continue
		case !known:
			s.bad("port %s: its network %q is not here", p.ID, p.NetworkID)
			continue
		case !s.names.OwnsTap(p.Tap) || taps[p.Tap]:
			s.bad("port %s: link %q is no name for a tap of ours, or used twice", p.ID, p.Tap)
			continue
		case !p.MAC.Unicast() || s.held[p.NetworkID+" "+p.MAC.String()] != "":
			s.bad("port %s: %v is no sender's address, or used twice in its network", p.ID, p.MAC)
			continue
		}
		ids[p.ID], taps[p.Tap], s.held[p.NetworkID+" "+p.MAC.String()] = true, true, p.ID
		p.Addrs = slices.DeleteFunc(slices.Clone(p.Addrs), func(a netip.Addr) bool {
			return !s.hold(p.NetworkID, a, "port "+p.ID)
		})
		p.Hostname = strings.ToLower(p.Hostname)
		s.out.Ports = append(s.out.Ports, p)
	}
}

// gateways hold their MACs and addresses before any guest.
func (s *sounder) gateways() {
	for _, w := range s.out.Networks {
		s.held[w.ID+" "+RoutedMAC.String()] = "tunnels"
		s.held[w.ID+" "+GatewayMAC(w.Number, bridgeMAC).String()] = "its bridge"
	}
	for _, h := range Homes(s.out) {
		s.held[h.NetworkID+" "+h.MAC.String()] = h.Space
		for _, a := range h.Addrs {
			s.held[h.NetworkID+" "+a.Addr().String()] = h.Space
		}
	}
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})
