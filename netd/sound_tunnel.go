package netd

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/kvorum/kvorum/internal/assign"
)

// tunnel keeps a usable end of tunnels, or none: guests here then have each
// other, and nobody elsewhere.
func (s *sounder) tunnel() {
	t := s.config.Tunnel
	a := t.Addr
	switch {
	case !a.IsValid():
	case !a.Is4() || a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a == broadcast:
		s.bad("tunnels from %v: want an IPv4 address that other hosts can reach", a)
	case t.MTU < 0 || t.MTU > 0 && t.MTU < assign.MinMTU+TunnelOverhead:
		s.bad("tunnels from %v: its link carries %d bytes, and needs %d", a, t.MTU, assign.MinMTU+TunnelOverhead)
	default:
		s.out.Tunnel = t
	}
}

// remotes keeps those guests elsewhere that tunnels can lead to. What is here
// comes first: no remote takes a local port's or a gateway's address.
func (s *sounder) remotes() {
	for i := range s.out.Networks {
		w := &s.out.Networks[i]
		if len(w.Remotes) > 0 && !s.out.Tunnel.Addr.IsValid() {
			s.bad("network %s: its %d ports on other hosts, for this host has no tunnels", w.ID, len(w.Remotes))
			w.Remotes = nil
		}
		all := sortedBy(w.Remotes, func(r Remote) string { return r.MAC.String() })
		w.Remotes = nil
		for _, r := range all {
			if s.remote(w.ID, &r) {
				w.Remotes = append(w.Remotes, r)
			}
		}
	}
}

// remote tells whether a remote is sound, less the addresses that are not.
func (s *sounder) remote(network string, r *Remote) bool {
	of := fmt.Sprintf("port %v of network %s on host %v", r.MAC, network, r.Via)
	switch {
	case !r.Via.Is4() || r.Via.IsUnspecified() || r.Via.IsLoopback() || r.Via.IsMulticast() || r.Via == broadcast:
		s.bad("%s: want an IPv4 address of the host", of)
		return false
	case r.Via == s.out.Tunnel.Addr:
		s.bad("%s: that is this host's own end of the tunnels", of)
		return false
	case !r.MAC.Unicast() || s.held[network+" "+r.MAC.String()] != "":
		s.bad("%s: it is no sender's address, or used twice in its network", of)
		return false
	}
	s.held[network+" "+r.MAC.String()] = of
	r.Addrs = slices.DeleteFunc(slices.Clone(r.Addrs), func(a netip.Addr) bool { return !s.hold(network, a, of) })
	slices.SortFunc(r.Addrs, netip.Addr.Compare)
	return true
}

// hold takes an address of a network for a guest; what it can't have, or
// somebody else has, is left out.
func (s *sounder) hold(network string, a netip.Addr, who string) bool {
	at := network + " " + a.String()
	ok := a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != broadcast &&
		a != MetadataAddr && s.held[at] == ""
	if !ok {
		s.bad("%s: %v is no guest's IPv4 address, or taken", who, a)
		return false
	}
	s.held[at] = who
	return true
}
