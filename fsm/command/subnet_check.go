package command

import (
	"net/netip"
	"slices"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// The bounds of a subnet's lists.
const (
	maxPools       = 16
	maxNameServers = 5
	maxHostRoutes  = 20
)

// parseRange reads a subnet's range: masked, where guests can live, and
// neither too large nor too small to serve.
func parseRange(cidr string) (netip.Prefix, error) {
	const op = "subnet.range"
	p, err := netip.ParsePrefix(cidr)
	if err != nil || p.Addr().Is4In6() {
		return p, refuse(op, errs.Invalid, "Invalid input for cidr. Reason: '%s' is not a valid IP subnet.", cidr)
	}
	if p != p.Masked() {
		return p, refuse(op, errs.Invalid, "Invalid input for operation: '%s' isn't a recognized IP subnet cidr, '%s' is recommended.", cidr, p.Masked())
	}
	if why := assign.CheckRange(p); why != "" {
		return p, refuse(op, errs.Invalid, "Invalid input for cidr. Reason: '%s' has addresses that no guest can have: %s.", cidr, why)
	}
	if p.Bits() < assign.MinPrefix || p.Bits() > assign.MaxPrefix {
		return p, refuse(op, errs.Invalid, "Invalid input for cidr. Reason: '%s' is not from /%d to /%d.", cidr, assign.MinPrefix, assign.MaxPrefix)
	}
	return p, nil
}

// checkSubnet checks a subnet's values against its range, and brings them into
// canonical form: the gateway is a usable address of the range; pools lie
// within the usable ones, overlap neither with each other nor with the
// gateway, and are in order; name servers and routes are addresses, each once.
func checkSubnet(s *model.Subnet) error {
	const op = "subnet.check"
	if err := checkTexts(op, s.Name, s.Description); err != nil {
		return err
	}
	p, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return refuse(op, errs.Invalid, "Invalid input for cidr. Reason: '%s' is not a valid IP subnet.", s.CIDR)
	}
	if s.Gateway != "" {
		gw, err := netip.ParseAddr(s.Gateway)
		if err != nil || !p.Contains(gw) || !usable(p, gw) {
			return refuse(op, errs.Invalid, "Invalid input for operation: Gateway %s is not valid on subnet %s.", s.Gateway, s.CIDR)
		}
		s.Gateway = gw.String()
	}
	if len(s.Pools) == 0 {
		s.Pools = defaultPools(p, s.Gateway)
	}
	if err := checkPools(p, s); err != nil {
		return err
	}
	if err := checkNameServers(s); err != nil {
		return err
	}
	return checkRoutes(s)
}

func checkPools(p netip.Prefix, s *model.Subnet) error {
	const op = "subnet.pools"
	if len(s.Pools) > maxPools {
		return refuse(op, errs.Invalid, "Invalid input for allocation_pools. Reason: %d pools are more than %d.", len(s.Pools), maxPools)
	}
	type span struct{ start, end netip.Addr }
	var spans []span
	for _, x := range s.Pools {
		start, err1 := netip.ParseAddr(x.Start)
		end, err2 := netip.ParseAddr(x.End)
		if err1 != nil || err2 != nil || end.Less(start) {
			return refuse(op, errs.Invalid, "The allocation pool %s-%s is not valid.", x.Start, x.End)
		}
		if !p.Contains(start) || !p.Contains(end) || !usable(p, start) || !usable(p, end) {
			return refuse(op, errs.Invalid, "The allocation pool %s-%s spans beyond the subnet cidr %s.", x.Start, x.End, s.CIDR)
		}
		spans = append(spans, span{start, end})
	}
	slices.SortFunc(spans, func(a, b span) int { return a.start.Compare(b.start) })
	gw, _ := netip.ParseAddr(s.Gateway)
	s.Pools = nil
	for i, x := range spans {
		if i > 0 && !spans[i-1].end.Less(x.start) {
			return refuse(op, errs.Conflict, "Found overlapping allocation pools: %s-%s, %s-%s for subnet %s.",
				spans[i-1].start, spans[i-1].end, x.start, x.end, s.CIDR)
		}
		if gw.IsValid() && !gw.Less(x.start) && !x.end.Less(gw) {
			return refuse(op, errs.Conflict, "Gateway ip %s conflicts with allocation pool %s-%s.", gw, x.start, x.end)
		}
		s.Pools = append(s.Pools, model.Pool{Start: x.start.String(), End: x.end.String()})
	}
	return nil
}

// defaultPools is every usable address but the gateway's: one pool or two.
func defaultPools(p netip.Prefix, gateway string) []model.Pool {
	first, last := p.Addr().Next(), lastAddr(p).Prev()
	gw, err := netip.ParseAddr(gateway)
	if err != nil {
		return []model.Pool{{Start: first.String(), End: last.String()}}
	}
	var pools []model.Pool
	if first.Less(gw) {
		pools = append(pools, model.Pool{Start: first.String(), End: gw.Prev().String()})
	}
	if gw.Less(last) {
		pools = append(pools, model.Pool{Start: gw.Next().String(), End: last.String()})
	}
	return pools
}

func checkNameServers(s *model.Subnet) error {
	const op = "subnet.dns"
	if len(s.DNS) > maxNameServers {
		return refuse(op, errs.Invalid, "Invalid input for dns_nameservers. Reason: %d name servers are more than %d.", len(s.DNS), maxNameServers)
	}
	seen := map[netip.Addr]bool{}
	for i, text := range s.DNS {
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() || seen[a] {
			return refuse(op, errs.Invalid, "Invalid input for dns_nameservers. Reason: '%s' is not a valid nameserver (IPv4) or stands twice.", text)
		}
		seen[a] = true
		s.DNS[i] = a.String()
	}
	return nil
}

func checkRoutes(s *model.Subnet) error {
	const op = "subnet.routes"
	if len(s.Routes) > maxHostRoutes {
		return refuse(op, errs.Invalid, "Invalid input for host_routes. Reason: %d routes are more than %d.", len(s.Routes), maxHostRoutes)
	}
	seen := map[model.HostRoute]bool{}
	for i, r := range s.Routes {
		to, err1 := netip.ParsePrefix(r.Destination)
		via, err2 := netip.ParseAddr(r.NextHop)
		if err1 != nil || err2 != nil || !to.Addr().Is4() || !via.Is4() {
			return refuse(op, errs.Invalid, "Invalid input for host_routes. Reason: '%s' by '%s' is not a route.", r.Destination, r.NextHop)
		}
		s.Routes[i] = model.HostRoute{Destination: to.Masked().String(), NextHop: via.String()}
		if seen[s.Routes[i]] {
			return refuse(op, errs.Invalid, "Invalid input for host_routes. Reason: '%s' by '%s' stands twice.", r.Destination, r.NextHop)
		}
		seen[s.Routes[i]] = true
	}
	return nil
}
