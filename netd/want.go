package netd

import "net/netip"

// wanted is a Config worked out: the state in which nothing is left to do.
type wanted struct {
	names Names
	// bridges, by name, in the root namespace.
	bridges map[string]Link
	// pairs, by the outer link's name.
	pairs map[string]pair
	// tunnels are links to other hosts, by name.
	tunnels map[string]Link
	// taps tell of each tap that may be there which bridge and MTU it has.
	taps   map[string]Link
	spaces map[string]space
	// tables of the root namespace.
	tables []Table
}

// pair is a veth with its outer end in the root namespace.
type pair struct {
	outer     Link
	space     string
	innerName string
	inner     Link
}

// space is a namespace with all it holds but the inner ends of pairs.
type space struct {
	sysctls []Sysctl
	lo      []netip.Prefix
	routes  []Route
	table   Table
}

// work derives the wanted state from a sound Config.
func work(c Config) wanted {
	w := wanted{names: Names(c.Prefix), bridges: map[string]Link{}, pairs: map[string]pair{},
		tunnels: map[string]Link{}, taps: map[string]Link{}, spaces: map[string]space{}}
	if len(c.Networks) == 0 {
		return w
	}
	nets := map[string]Network{}
	for _, n := range c.Networks {
		nets[n.ID] = n
		w.bridges[w.names.Bridge(n.Number)] = Link{Kind: "bridge", MAC: GatewayMAC(n.Number, bridgeMAC), MTU: n.MTU, Up: true}
	}
	for _, id := range sortedKeys(meshed(c)) {
		w.mesh(c, nets[id])
	}
	for _, p := range c.Ports {
		n := nets[p.NetworkID]
		w.taps[p.Tap] = Link{Master: w.names.Bridge(n.Number), MTU: n.MTU, Up: true}
	}
	inside := map[string][]Home{}
	for _, h := range Homes(c) {
		inside[h.Space] = append(inside[h.Space], h)
		n := nets[h.NetworkID]
		w.pairs[h.Outer] = pair{
			outer:     Link{Kind: "veth", MTU: n.MTU, Up: true, Master: w.names.Bridge(n.Number)},
			space:     h.Space,
			innerName: h.Link,
			inner:     Link{Kind: "veth", MAC: h.MAC, MTU: n.MTU, Up: true, Addrs: h.Addrs},
		}
	}
	routers := map[string]*Router{}
	for i, r := range c.Routers {
		routers[w.names.RouterSpace(r.Number)] = &c.Routers[i]
	}
	for _, name := range sortedKeys(inside) {
		w.space(c, name, inside[name], routers[name])
	}
	w.tables = []Table{guestFilter(c), hostFilter(c)}
	return w
}

func (w *wanted) space(c Config, name string, homes []Home, r *Router) {
	s := space{
		sysctls: spaceSysctls(r != nil),
		lo:      []netip.Prefix{netip.PrefixFrom(MetadataAddr, 32)},
		table:   spaceFilter(c, homes, r),
	}
	if r != nil && r.External {
		root, own, _ := c.TransferAddrs(r.Number)
		outer, inner := w.names.Uplink(r.Number)
		w.pairs[outer] = pair{
			outer:     Link{Kind: "veth", MTU: 1500, Up: true, Addrs: []netip.Prefix{root}},
			space:     name,
			innerName: inner,
			inner:     Link{Kind: "veth", MTU: 1500, Up: true, Addrs: []netip.Prefix{own}},
		}
		s.routes = []Route{{Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: root.Addr()}}
	}
	w.spaces[name] = s
}
