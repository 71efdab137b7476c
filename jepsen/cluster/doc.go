// Package cluster runs a whole Kvorum as its users would, real processes on a
// rack, lets clients use it while faults are done to it, and judges the history
// of what they were answered. README.md in this folder says how to add a fault,
// a workload or a checker, and how to read a run that failed.
//
// A Test names a workload, the faults that are done meanwhile, and the checkers
// that judge. Run gives a Verdict: it holds, it is violated, or the run is
// invalid, because too little was done or a fault had no effect that could be
// seen; such a run proves nothing.
//
// Invariant: what is judged is what clients saw, and the log as it lies on the
// nodes' disks. All times of a history are readings of one clock, of this
// process.
//
// It must not know how the product keeps a promise.
package cluster
