// Package gossip lets the nodes of a cluster find each other: control nodes
// have a pool of their own, and join the agents' pool too. It is the only
// importer of hashicorp/serf and hashicorp/memberlist.
//
// Invariant: it finds and hints, and decides nothing. What it says may be
// late, wrong or forged by whoever has the pool's key, so nothing in the
// replicated state may change because of it alone: whether a host is up is
// the leases' business. Without the key of a pool nobody is heard there; with
// it, nobody can make a node stop, give up its name while it lives, or change
// its keys, and the ways that are known to make the libraries panic are shut.
//
// It must not know the state, raft, or what a role is good for.
//
// A Port is where a node gossips, in however many pools; a Pool is its part in
// one of them; a Keeper keeps it there while the facts change that a pool needs.
//
//	port, err := gossip.Listen("10.0.0.1:8771", log)
//	pool, err := gossip.Open(cfg)          // encrypted, or an error
//	changed := pool.Changed()              // taken before looking
//	for _, m := range pool.Members() { }   // the whole list, always
//	<-changed                              // look again
package gossip
