// Package leader is what only the leader does; and what every voter keeps for
// it, the register of the hosts' leases.
//
// Invariant: a duty is a pure function from Inputs to commands. It reads the
// whole state again each time it is woken, so a lost signal costs time and
// nothing else; it may run twice without harm, because Apply checks again. A
// host is called dead only when a majority of the voters has promised not to
// grant its lease; docs/decisions/0012-leases.md says why that is enough.
//
// run.go is the only loop. It must not know HTTP, raft or any driver.
package leader
