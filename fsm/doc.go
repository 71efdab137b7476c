// Package fsm is the replicated state machine: log entries in, state out.
//
// Invariant: equal entries at equal indexes give equal state, result and hash
// on every node. An entry that this program cannot read stops the node; it is
// never skipped.
//
// It must not know raft, HTTP, placement, or any clock.
package fsm
