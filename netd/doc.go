// Package netd decides what one host's network must look like and how to get
// there: Plan(want, have) gives the commands, in order, that turn what is
// there into what is wanted.
//
// Invariant: Plan is a pure function, and no Op of it ever names an object
// that is not ours. Ours are: links and namespaces whose names are the
// configured prefix, a role letter and a number; nft tables named exactly like
// the prefix; and everything inside our namespaces.
//
// It must not know netlink, nft's transport, the clock, the replicated state
// or any API. The whole layout, for a prefix of "kv" (n: a network's number,
// r: a router's number, both in base 36):
//
//	root namespace                         namespace kvr<r> (or kvn<n>)
//	kvb<n>  bridge, one a network
//	  kvt.. tap of a guest
//	  kvg<n>-<r> ------ veth ------------- kvi<n>-<r>  gateway, DHCP, DNS
//	  kvv<n>  tunnels (VXLAN n) to the other hosts with guests of the network
//	kvu<r>  transfer, even address ------- kvx<r>      transfer, odd address
//	                                       lo          169.254.169.254
//
// A network that no router joins has a namespace of its own, kvn<n>, with
// veth kvg<n> - kvi<n>: DHCP, DNS and metadata work there, forwarding does not.
// Because conntrack is per namespace, projects may use the same ranges.
//
// Hosts are joined by what is known of the guests elsewhere, and by nothing
// else: see filters_tunnel.go, and docs/decisions/0009-vxlan-mesh.md.
//
// IPv6 is refused everywhere for now: guests' IPv6 frames are dropped (which
// covers router advertisements and DHCPv6 servers), and our links have it off.
package netd
