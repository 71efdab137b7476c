// Package kernel observes the host's network and carries out netd's Ops on
// it: links, addresses, routes, neighbours, bridges' entries and namespaces by
// netlink, packet filters by the nft command, settings through /proc/sys.
//
// Invariant: it decides nothing. Observe reports what is there, Do does the one
// Op it is given, and both leave the calling goroutine in the namespace that
// it came from.
//
// nft is run as `nft -f -` and `nft -j list table`, so what a plan prints is
// byte for byte what the kernel is given, in one transaction a table.
//
// It must not know Configs, plans or what a link is for.
package kernel
