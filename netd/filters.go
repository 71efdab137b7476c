package netd

import (
	"net/netip"
	"slices"
)

// The rule sets of a host, in full. Rules are few and never change with the
// guests: guests are elements of sets, found by hash.

// guestFilter is the bridge family's table in the root namespace: what a
// guest may send. It is keyed by the link's name, so it holds before the link
// exists, and a link with a guest's name that is in no set can send nothing.
// It runs before br_netfilter, so before any connection is tracked.
func guestFilter(c Config) Table {
	n := Names(c.Prefix)
	macs := Set{Name: "mac", Type: "ifname . ether_addr"}
	addrs := Set{Name: "ip4", Type: "ifname . ether_addr . ipv4_addr"}
	down := Set{Name: "down", Type: "ifname", Elements: downTaps(c)}
	for _, p := range c.Ports {
		macs.Elements = append(macs.Elements, p.Tap+" . "+p.MAC.String())
		for _, a := range p.Addrs {
			addrs.Elements = append(addrs.Elements, p.Tap+" . "+p.MAC.String()+" . "+a.String())
		}
	}
	macs.Elements, addrs.Elements = sorted(macs.Elements), sorted(addrs.Elements)
	tap, gate := n.wild("t"), n.wild("g")
	return filterTunnels(c, Table{
		Family: "bridge", Name: n.Table(),
		Counters: []string{"drop_mac", "drop_type", "drop_arp", "drop_dhcp_server", "drop_ip4", "drop_local", "drop_down"},
		Sets:     []Set{macs, addrs, down},
		Chains: []Chain{
			{Name: "prerouting", Head: "type filter hook prerouting priority -300; policy accept;", Rules: []Rule{
				rule("a port that is down", "iifname @down counter name drop_down drop"),
				rule("all that guests send", "iifname "+tap+" jump guest"),
			}},
			{Name: "forward", Head: "type filter hook forward priority -200; policy accept;", Rules: []Rule{
				rule("a port that is down", "oifname @down counter name drop_down drop"),
			}},
			guestChain,
			guestARPChain,
			// The bridge itself is a link of the root namespace: what is addressed
			// to it would be the host's to answer and to route.
			{Name: "input", Head: "type filter hook input priority -200; policy accept;", Rules: []Rule{
				rule("guests never reach the host", "iifname "+tap+" counter name drop_local drop"),
				rule("routers never reach the host", "iifname "+gate+" counter name drop_local drop"),
			}},
			{Name: "output", Head: "type filter hook output priority -200; policy accept;", Rules: []Rule{
				rule("the host has no place in it", "oifname "+tap+" drop"),
				rule("the host has no place in it", "oifname "+gate+" drop"),
			}},
		},
	})
}

// downTaps are the links of the ports that are down, by themselves or with
// their network.
func downTaps(c Config) []string {
	off := map[string]bool{}
	for _, w := range c.Networks {
		off[w.ID] = w.Down
	}
	var out []string
	for _, p := range c.Ports {
		if p.Down || off[p.NetworkID] {
			out = append(out, p.Tap)
		}
	}
	return sorted(out)
}

// guestChain is what every frame of a guest passes.
var guestChain = Chain{Name: "guest", Rules: []Rule{
	rule("foreign MAC", "iifname . ether saddr != @mac counter name drop_mac drop"),
	rule("tags, IPv6, all but ARP and IPv4", "ether type != { arp, ip } counter name drop_type drop"),
	rule("ARP", "ether type arp goto guest_arp"),
	rule("DHCP servers and relays", "udp sport 67 counter name drop_dhcp_server drop"),
	rule("asking for an address", "ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept"),
	rule("own address", "iifname . ether saddr . ip saddr @ip4 accept"),
	rule("foreign address", "counter name drop_ip4 drop"),
}}

// guestARPChain is what a guest's ARP passes.
var guestARPChain = Chain{Name: "guest_arp", Rules: []Rule{
	rule("only Ethernet and IPv4", "arp htype != 1 counter name drop_arp drop"),
	rule("only Ethernet and IPv4", "arp ptype != ip counter name drop_arp drop"),
	rule("only Ethernet and IPv4", "arp hlen != 6 counter name drop_arp drop"),
	rule("only Ethernet and IPv4", "arp plen != 4 counter name drop_arp drop"),
	rule("only questions and answers", "arp operation != { request, reply } counter name drop_arp drop"),
	rule("own address", "iifname . arp saddr ether . arp saddr ip @ip4 accept"),
	// RFC 5227: a probe names no sender; only for its own address, or it
	// would deny addresses to others.
	rule("probe for own address", "arp operation request arp saddr ip 0.0.0.0 "+
		"iifname . arp saddr ether . arp daddr ip @ip4 accept"),
	rule("foreign address", "counter name drop_arp drop"),
}}

// hostFilter is the ip table in the root namespace: how routers pass.
func hostFilter(c Config) Table {
	n := Names(c.Prefix)
	up, bridges, transfer := n.wild("u"), n.wild("b"), c.transfer().String()
	return guardTunnels(c, Table{
		Family: "ip", Name: n.Table(),
		Counters: []string{"drop_denied", "drop_host", "drop_inbound", "drop_foreign"},
		Sets:     []Set{{Name: "denied", Type: "ipv4_addr", Interval: true, Elements: ranges(c.Denied)}},
		Chains: []Chain{
			// Where br_netfilter shows us bridged packets, they must not meet in
			// this namespace's connection table: ranges of projects overlap.
			{Name: "raw", Head: "type filter hook prerouting priority -300; policy accept;", Rules: []Rule{
				rule("bridged: never tracked here", "iifname "+bridges+" notrack"),
			}},
			{Name: "input", Head: "type filter hook input priority -10; policy accept;", Rules: []Rule{
				rule("routers never reach the host", "iifname "+up+" counter name drop_host drop"),
				rule("bridges never reach the host", "iifname "+bridges+" counter name drop_host drop"),
			}},
			{Name: "forward", Head: "type filter hook forward priority -10; policy accept;", Rules: []Rule{
				rule("bridged", "iifname "+bridges+" oifname "+bridges+" accept"),
				rule("bridges are not routed", "iifname "+bridges+" counter name drop_foreign drop"),
				rule("router to router", "iifname "+up+" oifname "+up+" counter name drop_denied drop"),
				rule("not translated", "iifname "+up+" ip saddr != "+transfer+" counter name drop_foreign drop"),
				rule("denied ranges", "iifname "+up+" ip daddr @denied counter name drop_denied drop"),
				rule("answers", "oifname "+up+" ct state established,related accept"),
				rule("nobody calls in", "oifname "+up+" counter name drop_inbound drop"),
			}},
			{Name: "postrouting", Head: "type nat hook postrouting priority 100; policy accept;", Rules: []Rule{
				rule("by the host's own address", "iifname "+up+" oifname != "+up+" ip saddr "+transfer+" masquerade"),
			}},
		},
	})
}

// spaceFilter is the ip table in a namespace: what its addresses answer, and
// what it forwards. router is nil in a network's own namespace.
func spaceFilter(c Config, homes []Home, router *Router) Table {
	n := Names(c.Prefix)
	in := n.wild("i")
	var subnets []netip.Prefix
	for _, h := range homes {
		for _, a := range h.Addrs {
			subnets = append(subnets, a.Masked())
		}
	}
	forward, post := crossing(c, router)
	local := "iifname " + in + " ip saddr @subnets "
	return Table{
		Family: "ip", Name: n.Table(),
		Counters: []string{"drop_denied", "drop_forward", "drop_gateway"},
		Sets: []Set{
			{Name: "denied", Type: "ipv4_addr", Interval: true, Elements: ranges(c.Denied)},
			{Name: "subnets", Type: "ipv4_addr", Interval: true, Elements: ranges(outermost(subnets))},
		},
		Chains: []Chain{
			{Name: "input", Head: "type filter hook input priority -10; policy drop;", Rules: []Rule{
				rule("itself", `iifname "lo" accept`),
				rule("answers", "ct state established,related accept"),
				rule("DHCP", "iifname "+in+" udp sport 68 udp dport 67 accept"),
				rule("DNS", local+"udp dport 53 accept"),
				rule("DNS", local+"tcp dport 53 accept"),
				rule("metadata", local+"ip daddr "+MetadataAddr.String()+" tcp dport 80 accept"),
				rule("ping", local+"icmp type echo-request accept"),
				rule("all else", "counter name drop_gateway drop"),
			}},
			{Name: "forward", Head: "type filter hook forward priority -10; policy drop;", Rules: forward},
			{Name: "postrouting", Head: "type nat hook postrouting priority 100; policy accept;", Rules: post},
		},
	}
}

// crossing gives the rules for what a namespace forwards, and translates.
func crossing(c Config, router *Router) (forward, post []Rule) {
	n := Names(c.Prefix)
	in, up := n.wild("i"), n.wild("x")
	local := "iifname " + in + " ip saddr @subnets "
	if router != nil {
		// No look at connection state between subnets: with routers on every host
		// the two directions of a connection may pass different hosts.
		forward = append(forward, rule("between subnets", local+"oifname "+in+" ip daddr @subnets accept"))
	}
	if router != nil && router.External {
		_, own, _ := c.TransferAddrs(router.Number)
		forward = append(forward,
			rule("denied ranges", "iifname "+in+" ip daddr @denied counter name drop_denied drop"),
			// Invalid packets would leave untranslated.
			rule("out", local+"oifname "+up+" ct state new,established,related accept"),
			rule("answers", "iifname "+up+" oifname "+in+" ct state established,related accept"))
		post = append(post, rule("by our transfer address", "oifname "+up+" snat to "+own.Addr().String()))
	}
	forward = append(forward, rule("all else", "counter name drop_forward drop"))
	return forward, post
}

// ranges prints IPv4 ranges as nft does: a single address without length.
func ranges(ps []netip.Prefix) []string {
	var out []string
	for _, p := range ps {
		if p.Bits() == 32 {
			out = append(out, p.Addr().String())
		} else {
			out = append(out, p.String())
		}
	}
	slices.Sort(out)
	return out
}
