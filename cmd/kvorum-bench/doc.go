// Command kvorum-bench measures the replicated log of Kvorum side by side with
// a bare hashicorp/raft on the same kind of store, in one process and taking
// turns, so that a noisy machine disturbs both alike.
//
// Invariant: a ratio is always ours to the peer's from the same run, both with
// fsync on and with entries of the same size.
//
// It must not know what a command means: workload.go names the state machine
// and makes the commands, and is the only file to change for other ones.
//
//	kvorum-bench -row propose_c256
package main
