// Package netsvc keeps what listens for guests running: DHCP, DNS and
// metadata, on the gateway's link of each network, inside the namespace that
// netd made for it.
//
// Invariant: every socket is bound to one link in one namespace, so whatever
// arrives on it came from the guests of exactly one network; together with the
// source address, which the guests' filters vouch for, that names the guest.
// Nothing that a guest writes into a request is ever taken for who it is.
//
// It must not know how namespaces and links come about, nor what metadata
// says: it is given functions and handlers.
//
// Level-triggered: Reconcile is told all that is wanted, any number of times.
package netsvc
