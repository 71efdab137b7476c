// Package metasvc finds the guest behind a metadata request and turns what the
// host was assigned into that guest's metadata record.
//
// Invariant: a guest is found by the network that its request came in from and
// its source address there, and by nothing that it says; an address that two
// guests of a network claim finds nobody.
//
// It must not know sockets, namespaces or the control plane: it answers from
// the host's ledger, so guests boot while the control plane is away.
package metasvc
