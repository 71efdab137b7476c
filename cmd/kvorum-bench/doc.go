// Command kvorum-bench measures Kvorum: proposals side by side with a bare
// hashicorp/raft on the same kind of store, in one process and taking turns, so
// that a noisy machine disturbs both alike; and the program as a process.
//
// Invariant: a ratio is always ours to the peer's from the same run, both with
// fsync on and with entries of the same size.
//
//	kvorum-bench -row propose_c256
package main
