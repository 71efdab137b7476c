// Package sim is a host that is not there: a hypervisor, a network and images
// in memory, with latencies and faults that a seed decides.
//
// Invariant: called from one thread with the same seed and clock, it does the
// same, byte for byte.
//
// It must not know what the agent decides: it only does as it is told, and
// refuses what a real hypervisor would refuse.
package sim
