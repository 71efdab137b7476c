package netd

import (
	"slices"
	"strconv"
)

// What passes tunnels. Guests elsewhere and here are known, so each way is a
// short list of what may pass: IPv4 from one known guest to another, and what
// a router sends to a guest. Nothing else enters, whatever a bridge does: no
// ARP (the bridge answers it), no broadcast, no DHCP, no router
// advertisement, nothing from or to a gateway's MAC or address.
//
// Routing is asymmetric: a packet is routed where it comes from, by a router
// that is on every host with the same MAC. That MAC stays on its host: in
// tunnels RoutedMAC stands for it, and the guest sees its gateway's again.

// tunnelSets are the elements of the tunnels' rules, keyed by the tunnel's
// link: who is here, who is far, and who is the gateway.
func tunnelSets(c Config) []Set {
	here := Set{Name: "here", Type: "ifname . ether_addr"}
	hereAddr := Set{Name: "here_ip4", Type: "ifname . ipv4_addr"}
	far := Set{Name: "far", Type: "ifname . ether_addr"}
	farAddr := Set{Name: "far_ip4", Type: "ifname . ether_addr . ipv4_addr"}
	gate := Set{Name: "gate", Type: "ifname . ether_addr"}
	gateAddr := Set{Name: "gate_ip4", Type: "ifname . ipv4_addr"}
	router := Set{Name: "router", Type: "ifname", Value: "ether_addr"}
	links, reach := map[string]string{}, meshed(c)
	for _, w := range c.Networks {
		if !reach[w.ID] {
			continue
		}
		link := Names(c.Prefix).Tunnel(w.Number)
		links[w.ID] = link
		router.add(link + " : " + GatewayMAC(w.Number, FirstGateway).String())
		for _, r := range w.Remotes {
			far.add(link + " . " + r.MAC.String())
			for _, a := range r.Addrs {
				farAddr.add(link + " . " + r.MAC.String() + " . " + a.String())
			}
		}
	}
	for _, p := range c.Ports {
		if link, ok := links[p.NetworkID]; ok {
			here.add(link + " . " + p.MAC.String())
			for _, a := range p.Addrs {
				hereAddr.add(link + " . " + a.String())
			}
		}
	}
	for _, h := range Homes(c) {
		if link, ok := links[h.NetworkID]; ok {
			gate.add(link + " . " + h.MAC.String())
			for _, a := range h.Addrs {
				gateAddr.add(link + " . " + a.Addr().String())
			}
		}
	}
	sets := []Set{here, hereAddr, far, farAddr, gate, gateAddr, router}
	for i := range sets {
		sets[i].Elements = slices.Compact(sorted(sets[i].Elements))
	}
	return sets
}

// filterTunnels adds the rules of this host's tunnels to the guests' filter.
// They stay while the host has an end of tunnels: what is in no set is shut.
func filterTunnels(c Config, guests Table) Table {
	if !c.Tunnel.Addr.IsValid() {
		return guests
	}
	link := Names(c.Prefix).wild("v")
	more := map[string]Rule{
		"prerouting": rule("all that tunnels bring", "iifname "+link+" jump from_tunnel"),
		// What the host sends is not forwarded, so it does not pass to_tunnel.
		"output": rule("the host has no place in it", "oifname "+link+" drop"),
	}
	for i, chain := range guests.Chains {
		if r, ok := more[chain.Name]; ok {
			guests.Chains[i].Rules = append(chain.Rules, r)
		}
	}
	guests.Sets = append(guests.Sets, tunnelSets(c)...)
	guests.Counters = append(guests.Counters, "drop_to_tunnel", "drop_from_tunnel")
	guests.Chains = append(guests.Chains, toTunnelChain, fromTunnelChain)
	for i, chain := range guests.Chains {
		if chain.Name == "forward" {
			guests.Chains[i].Rules = append(chain.Rules, rule("all that enters a tunnel", "oifname "+link+" jump to_tunnel"))
		}
	}
	return guests
}

// toTunnelChain is what every frame into a tunnel passes. Its sender is a
// guest, which the guests' chain has vouched for, or a gateway.
var toTunnelChain = Chain{Name: "to_tunnel", Rules: []Rule{
	rule("tags, ARP, IPv6, all but IPv4", "ether type != ip counter name drop_to_tunnel drop"),
	rule("only to guests elsewhere", "oifname . ether daddr != @far counter name drop_to_tunnel drop"),
	rule("DHCP", "udp dport { 67, 68 } counter name drop_to_tunnel drop"),
	rule("from a gateway's address", "oifname . ip saddr @gate_ip4 counter name drop_to_tunnel drop"),
	rule("to a gateway's address", "oifname . ip daddr @gate_ip4 counter name drop_to_tunnel drop"),
	rule("routed: a gateway's MAC stays here", "oifname . ether saddr @gate ether saddr set "+RoutedMAC.String()),
}}

// fromTunnelChain is what every frame out of a tunnel passes.
var fromTunnelChain = Chain{Name: "from_tunnel", Rules: []Rule{
	rule("tags, ARP, IPv6, all but IPv4", "ether type != ip counter name drop_from_tunnel drop"),
	rule("only to guests here", "iifname . ether daddr != @here counter name drop_from_tunnel drop"),
	rule("DHCP", "udp dport { 67, 68 } counter name drop_from_tunnel drop"),
	rule("a guest elsewhere", "iifname . ether saddr . ip saddr @far_ip4 accept"),
	// What a guest here sends is routed here, and a gateway's word is its host's.
	rule("routed elsewhere", "ether saddr "+RoutedMAC.String()+" iifname . ip saddr != @here_ip4 "+
		"iifname . ip saddr != @gate_ip4 ether saddr set iifname map @router accept"),
	rule("all else", "counter name drop_from_tunnel drop"),
}}

// guardTunnels adds to the host's filter what keeps strangers out of tunnels.
// The kernel takes the port's datagrams at any of the host's addresses, so
// all of the port is ours.
func guardTunnels(c Config, host Table) Table {
	if !c.Tunnel.Addr.IsValid() {
		return host
	}
	peers := Set{Name: "peers", Type: "ipv4_addr"}
	for _, w := range c.Networks {
		for _, r := range w.Remotes {
			peers.add(r.Via.String())
		}
	}
	peers.Elements = slices.Compact(sorted(peers.Elements))
	up, own, port := Names(c.Prefix).wild("u"), c.Tunnel.Addr.String(), "udp dport "+strconv.Itoa(TunnelPort)
	// Each flow of a guest has a source port of its own: tracked, they would
	// fill the host's connection table.
	untracked := func(side string) []Rule {
		return []Rule{rule("tunnels: never tracked here", "ip "+side+" "+own+" "+port+" notrack")}
	}
	more := map[string][]Rule{
		"raw": untracked("daddr"),
		"input": {
			rule("tunnels of other hosts only", port+" ip saddr != @peers counter name drop_tunnel drop"),
			rule("tunnels end at one address", port+" ip daddr != "+own+" counter name drop_tunnel drop"),
		},
		// Translated, a guest's datagram would come from this host's address.
		"forward": {rule("guests make no tunnels", "iifname "+up+" "+port+" counter name drop_denied drop")},
	}
	for i, chain := range host.Chains {
		host.Chains[i].Rules = append(more[chain.Name], chain.Rules...)
	}
	host.Sets = append(host.Sets, peers)
	host.Counters = append(host.Counters, "drop_tunnel")
	host.Chains = append(host.Chains, Chain{Name: "raw_output",
		Head: "type filter hook output priority -300; policy accept;", Rules: untracked("saddr")})
	return host
}
