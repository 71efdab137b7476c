// Package sim runs a whole cluster above the log in one thread, from one seed:
// users, three or five control nodes with their doors, registers of leases and,
// while they lead, duties, and the hosts' agents on simulated hypervisors.
// Clocks, log, wires and disks are its own, and fail as the seed says. Each
// control node has a machine that lags behind the log; the lead moves; a node
// that was deposed may not know it for a while.
//
// A run has two phases. At first anything may fail, and nothing may ever be
// wrong. Then all is healed, no new wishes come, and within a bounded time
// everything must be what was asked for. What must hold is held by the
// checkers, a file each (check_*.go). The film of a run has a line for each
// change; its first line is the way back.
//
//	r := sim.Run(sim.Config{Seed: 7, Film: os.Stdout})
//
// Invariant: the same seed and the same program give the same film, byte for
// byte. So there is no goroutine, no real clock, no shared source of chance
// and no order of a map in here.
//
// It must not know how raft, HTTP connections, kernels or hypervisors work: it
// begins above the first two and ends at the drivers of the others.
package sim
