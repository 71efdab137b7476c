// Package leader is what only the leader does.
//
// Invariant: a duty is a pure function from Inputs to commands. It reads the
// whole state again each time it is woken, so a lost signal costs time and
// nothing else; it may run twice without harm, because Apply checks again.
//
// run.go is the only loop. It must not know HTTP, raft or any driver.
package leader
