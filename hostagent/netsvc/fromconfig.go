package netsvc

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/dhcp"
	"github.com/kvorum/kvorum/netd/dns"
)

// Told is what guests are told beside what the Config says.
type Told struct {
	// Domain is the guests' domain; empty means "novalocal".
	Domain string
	// LeaseTime is how long a guest may keep its address without asking; 0
	// means 24 hours.
	LeaseTime time.Duration
	// Metadata serves all networks; see CallerOf. nil: none.
	Metadata http.Handler
}

// FromConfig gives the services that a host's wanted network needs, what
// netd.Sound leaves out of it excepted. It is pure.
func FromConfig(c netd.Config, told Told) []Service {
	c, _ = netd.Sound(c)
	if told.Domain == "" {
		told.Domain = "novalocal"
	}
	if told.LeaseTime == 0 {
		told.LeaseTime = 24 * time.Hour
	}
	networks := map[string]netd.Network{}
	zones := map[string]*dns.Zone{}
	for _, n := range c.Networks {
		networks[n.ID] = n
		zones[n.ID] = zone(n, c.Ports, told.Domain)
	}
	answered := map[string]bool{}
	var out []Service
	for _, h := range netd.Homes(c) {
		svc := Service{Network: h.NetworkID, Space: h.Space, Link: h.Link, Zone: zones[h.NetworkID], Metadata: told.Metadata}
		// Of several routers in a subnet one answers DHCP, or guests would get as
		// many answers.
		n := networks[h.NetworkID]
		n.Subnets = nil
		for _, sub := range networks[h.NetworkID].Subnets {
			key := n.ID + " " + sub.CIDR.String()
			if _, ours := serverOf(h, sub); sub.DHCP && ours && !answered[key] {
				answered[key] = true
				n.Subnets = append(n.Subnets, sub)
			}
		}
		if len(n.Subnets) > 0 {
			svc.Leases = leases(n, h, c.Ports, told)
		}
		out = append(out, svc)
	}
	return out
}

// leases works out all answers for the network's guests on this host
// beforehand; n has the subnets that this home answers for.
func leases(n netd.Network, home netd.Home, ports []netd.Port, told Told) dhcp.Lookup {
	known := map[[6]byte]dhcp.Lease{}
	for _, p := range ports {
		if p.NetworkID != n.ID {
			continue
		}
		if l, ok := lease(n, home, p, told); ok {
			known[p.MAC] = l
		}
	}
	return func(mac [6]byte) (dhcp.Lease, bool) {
		l, ok := known[mac]
		return l, ok
	}
}

// lease is for the port's first address in one of n's subnets.
func lease(n netd.Network, home netd.Home, p netd.Port, told Told) (dhcp.Lease, bool) {
	for _, a := range p.Addrs {
		for _, s := range n.Subnets {
			server, ours := serverOf(home, s)
			if !s.CIDR.Contains(a) || !ours {
				continue
			}
			l := dhcp.Lease{
				Addr: netip.PrefixFrom(a, s.CIDR.Bits()), Server: server, Router: s.Gateway, DNS: s.DNS,
				Routes:   []dhcp.Route{{Dst: netip.PrefixFrom(netd.MetadataAddr, 32), Via: server}},
				Hostname: p.Hostname, Domain: told.Domain, MTU: n.MTU, Time: told.LeaseTime,
			}
			if len(l.DNS) == 0 {
				l.DNS = []netip.Addr{server}
			}
			for _, r := range s.Routes {
				l.Routes = append(l.Routes, dhcp.Route(r))
			}
			return l, true
		}
	}
	return dhcp.Lease{}, false
}

// serverOf is our address in a subnet.
func serverOf(home netd.Home, s netd.Subnet) (netip.Addr, bool) {
	for _, a := range home.Addrs {
		if s.CIDR.Contains(a.Addr()) {
			return a.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// zone is what DNS knows of a network: the names that it was told, and those
// of the ports that are here.
func zone(n netd.Network, ports []netd.Port, domain string) *dns.Zone {
	z := &dns.Zone{Domain: domain, Hosts: map[string][]netip.Addr{}, Names: map[netip.Addr]string{}}
	for _, s := range n.Subnets {
		z.Ranges = append(z.Ranges, s.CIDR)
	}
	add := func(host string, a netip.Addr) {
		host = strings.ToLower(host)
		if _, known := z.Names[a]; host == "" || known {
			return
		}
		z.Hosts[host] = append(z.Hosts[host], a)
		z.Names[a] = host
	}
	for _, name := range n.Names {
		add(name.Host, name.Addr)
	}
	for _, p := range ports {
		if p.NetworkID == n.ID {
			for _, a := range p.Addrs {
				add(p.Hostname, a)
			}
		}
	}
	return z
}
