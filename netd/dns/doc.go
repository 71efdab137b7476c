// Package dns resolves for guests: the names of their network from what is
// known of it, everything else by asking the host's resolvers.
//
// Invariant: a name of the network, the address of an unqualified name, or an
// address of its ranges is never asked of anybody outside; and the work that one network can
// cause at a time is bounded.
//
// It must not know namespaces or where names come from. There is no cache:
// the host's resolver has one.
package dns
