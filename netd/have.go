package netd

import "net/netip"

// Have is what a host's kernel holds. It may hold foreign objects too: Plan
// does not look at them.
type Have struct {
	// Root is the namespace that the agent runs in.
	Root Space
	// Spaces are named namespaces.
	Spaces map[string]Space
}

// Space is one network namespace.
type Space struct {
	// Broken says that the name is there but no namespace behind it.
	Broken bool
	Links  map[string]Link
	// Routes are the main table's IPv4 routes that somebody set; those that the
	// kernel made from addresses are left out.
	Routes []Route
	// Sysctls are those of Keys.
	Sysctls map[string]string
	// Tables are keyed by Table.Key. Tables in the root namespace that do not
	// bear our name may be left out.
	Tables map[string]Table
}

// Link is a network interface.
type Link struct {
	// Kind is as netlink says: "bridge", "veth", "tun", "vxlan"; "lo" has none.
	Kind string
	MAC  MAC
	MTU  int
	Up   bool
	// Master is the bridge that it is plugged into, if any.
	Master string
	// Addrs are its IPv4 addresses, without 127.0.0.0/8.
	Addrs []netip.Prefix
	// Neighbours are a bridge's lasting ones: whom it answers ARP for.
	Neighbours map[netip.Addr]MAC

	// The rest is a tunnel's.
	VXLAN VXLAN
	// Directed says that its bridge sends into it only what is for a known
	// guest, answers ARP in its place, and learns nothing from it.
	Directed bool
	Hops     map[MAC]Hop
}

// Sysctl is one kernel setting, with dots in its key.
type Sysctl struct{ Key, Value string }

// rootSysctls: routers' traffic leaves by the root namespace. It is never
// switched off again, because others on the host may have come to need it.
var rootSysctls = []Sysctl{{"net.ipv4.ip_forward", "1"}}

// spaceSysctls in the order in which they must be set: writing ip_forward
// resets some others. "default" counts for links that enter later.
func spaceSysctls(forward bool) []Sysctl {
	f := "0"
	if forward {
		f = "1"
	}
	return []Sysctl{
		{"net.ipv4.ip_forward", f},
		// A router must not tell guests of a shorter way around its filter.
		{"net.ipv4.conf.all.send_redirects", "0"},
		{"net.ipv4.conf.default.send_redirects", "0"},
		{"net.ipv4.conf.all.accept_redirects", "0"},
		{"net.ipv4.conf.default.accept_redirects", "0"},
		// A guest's source must live where it came from.
		{"net.ipv4.conf.all.rp_filter", "1"},
		// Deleting an address must not take the next one of its subnet along.
		{"net.ipv4.conf.all.promote_secondaries", "1"},
		{"net.ipv6.conf.all.disable_ipv6", "1"},
		{"net.ipv6.conf.default.disable_ipv6", "1"},
	}
}

// noIPv6 is the setting that keeps link from having IPv6 addresses.
func noIPv6(link string) Sysctl {
	return Sysctl{"net.ipv6.conf." + link + ".disable_ipv6", "1"}
}

// Keys are the settings that Observe must read in a namespace with these
// links: in the root namespace when root is set, else in one of ours.
func Keys(n Names, root bool, links map[string]Link) []string {
	var keys []string
	if !root {
		for _, s := range spaceSysctls(true) {
			keys = append(keys, s.Key)
		}
		return keys
	}
	for _, s := range rootSysctls {
		keys = append(keys, s.Key)
	}
	for _, name := range sortedKeys(links) {
		if n.Owns(name, "bguv") {
			keys = append(keys, noIPv6(name).Key)
		}
	}
	return keys
}
