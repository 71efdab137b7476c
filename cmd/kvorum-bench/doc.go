// Command kvorum-bench measures Kvorum: its control plane side by side with
// bare hashicorp/raft on the same kind of store and network, and the program
// as a process.
//
// Invariant: a ratio is always ours to the peer's from the same run: the same
// number of nodes, each a process of its own, fsync on, the same settings of
// the library, entries of the same bytes, and turns taken one after the other,
// so that a noisy machine disturbs both alike. The ratio is the median of the
// turns' ratios. What is proposed is encoded before the clock starts, for both.
//
//	kvorum-bench -row propose_c256
package main
