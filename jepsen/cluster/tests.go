package cluster

import "time"

// calm and storm are the usual lengths, in milliseconds.
var (
	calm  = [2]int{500, 2000}
	storm = [2]int{1000, 4000}
	brief = [2]int{200, 2000}
)

func registersOf(reads int) func() Workload {
	return func() Workload { return &Registers{Keys: 5, PerKey: 150, Reads: reads} }
}

// ofRegisters are the judges of registers.
var ofRegisters = []Checker{Order{}, Replay{}, Linear{Limit: 20 * time.Second}}

// quick is a pace of many operations.
var quick = [2]int{0, 10}

// Tests are all families.
var Tests = []Test{
	{ID: "T1", Promise: "P1: what was acknowledged is never lost, whoever is killed", Controls: 3, Clients: 12, Hops: 30, Pace: quick,
		Workload: registersOf(30), Checkers: ofRegisters, Least: 20,
		Script: Script{Calm: calm, Storm: brief, Make: []func() Fault{Kill(Leader), Kill(One), Kill(Majority), Kill(All),
			Point(Leader, "log.append.before", Deed{Do: "kill", Skip: 5}), Point(Leader, "log.append.after", Deed{Do: "kill", Skip: 5}),
			Point(One, "log.append.after", Deed{Do: "panic", Skip: 5}), Point(Leader, "apply.before", Deed{Do: "kill", Skip: 5})}}},
	{ID: "T2", Promise: "P1: what was acknowledged outlives the power, at one node or at all", Controls: 3, Clients: 12, Hops: 30, Pace: quick, Disk: true,
		Workload: registersOf(20), Checkers: ofRegisters, Least: 20,
		Script: Script{Calm: calm, Storm: brief, Make: []func() Fault{PowerLoss(All), PowerLoss(Majority), PowerLoss(Leader), FailSync(Leader), FailSync(One)}}},
	{ID: "T3", Promise: "P2: every node reads and writes as if there were one", Controls: 3, Clients: 12, Hops: 30, Pace: quick,
		Workload: registersOf(50), Checkers: ofRegisters, Least: 20,
		Script: Script{Calm: calm, Storm: storm, Make: []func() Fault{Partition(Leader), Partition(One), Deaf(Leader), Mute(Leader), Ring, Slow,
			Lossy, Pause(Leader), Pause(One), Stop(Leader)}}},
	{ID: "T4", Promise: "P2: a leader that was paused answers no read that another one's writes have overtaken", Controls: 3, Clients: 12, Hops: 0, Pace: [2]int{5, 20},
		Workload: registersOf(80), Checkers: ofRegisters, Least: 20,
		Script: Script{Calm: brief, Storm: [2]int{200, 600}, Make: []func() Fault{StaleAnswers}}},
	{ID: "T6", Promise: "P3: what is said to have failed was not done", Controls: 3, Clients: 12, Hops: 30, Pace: quick,
		Workload: registersOf(20), Checkers: ofRegisters, Least: 10,
		Script: Script{Calm: brief, Storm: brief, Make: []func() Fault{Kill(Leader), Partition(Leader), Point(Leader, "reply.before", Deed{Do: "error", Percent: 30}),
			Point(Leader, "reply.before", Deed{Do: "drop", Percent: 10}), Point(All, "forward.after", Deed{Do: "drop", Percent: 20}),
			Point(All, "forward.before", Deed{Do: "drop", Percent: 20})}}},
	{ID: "T7", Promise: "P4: what is offered again is done once", Controls: 3, Clients: 12, Hops: 30, Pace: quick,
		Workload: registersOf(20), Checkers: ofRegisters, Least: 20,
		Script: Script{Calm: brief, Storm: storm, Make: []func() Fault{Point(All, "forward.after", Deed{Do: "error", Percent: 40}),
			Point(Leader, "reply.before", Deed{Do: "error", Percent: 40}), Point(Leader, "reply.before", Deed{Do: "kill", Skip: 5}), Kill(Leader)}}},
	{ID: "T8", Promise: "P5: nothing that was made is lost, and nothing is there that nobody made", Controls: 3, Clients: 12, Hops: 30, Pace: quick,
		Workload: func() Workload { return &Networks{} }, Checkers: []Checker{Set{}, Order{}}, Least: 20,
		Script: Script{Calm: calm, Storm: storm, Make: []func() Fault{Kill(Leader), Kill(Majority), Partition(Leader), Pause(Leader)}}},
	{ID: "T9", Promise: "P6: who goes from node to node never goes back in time", Controls: 3, Clients: 12, Hops: 100, Pace: quick,
		Workload: registersOf(60), Checkers: ofRegisters, Least: 40,
		Script: Script{Calm: brief, Storm: storm, Make: []func() Fault{Point(One, "apply.before", Deed{Do: "sleep", Milliseconds: 300}),
			Point(One, "log.append.before", Deed{Do: "sleep", Milliseconds: 200}), Kill(One), Pause(One)}}},
	{ID: "T11", Promise: "P8: all nodes have the same state at the same index", Controls: 5, Clients: 12, Hops: 30, Pace: quick,
		Workload: func() Workload { return &Networks{} }, Checkers: []Checker{Set{}, Order{}}, Least: 20,
		Script: Script{Calm: calm, Storm: storm, Make: []func() Fault{Kill(One), Kill(Majority), Stop(Leader), Clocks(All)}}},
	{ID: "T21", Promise: "P19: the death of a leader is a matter of seconds, its stop of none", Controls: 3, Clients: 12, Hops: 30, Pace: quick,
		Workload: registersOf(50), Checkers: append([]Checker{Failover{}}, ofRegisters...), Least: 40,
		Script: Script{Calm: [2]int{2000, 3000}, Storm: [2]int{4000, 5000}, Make: []func() Fault{Kill(Leader), Stop(Leader)}}},
	{ID: "T22", Promise: "P20, P21: a node that is ill is not an outage", Controls: 3, Clients: 12, Hops: 0, Pace: quick, Disk: true,
		Workload: registersOf(50), Checkers: ofRegisters, Least: 20,
		Script: Script{Calm: calm, Storm: storm, Make: []func() Fault{Point(One, "log.append.before", Deed{Do: "sleep", Milliseconds: 1000}),
			Point(One, "apply.before", Deed{Do: "sleep", Milliseconds: 1000}), Clocks(One), Clocks(All), Pause(One),
			Deaf(One), Mute(One), Narrow, Slow, Lossy, SlowSync(One), SlowSync(Leader), HangSync(One), FullDisk(One)}}},
	{ID: "T23", Promise: "P22: a node that was away catches up, by a snapshot if need be", Controls: 3, Clients: 12, Hops: 30, Pace: quick,
		Workload: registersOf(20), Checkers: ofRegisters, Least: 20, Proof: "Installed remote snapshot",
		Flags: []string{"--control.raft.snapshot_interval", "1s", "--control.raft.snapshot_threshold", "100", "--control.raft.trailing_logs", "64"},
		Script: Script{Calm: calm, Storm: [2]int{4000, 7000}, Make: []func() Fault{Partition(Follower), Kill(One), Pause(One), Kill(Leader),
			Point(One, "snapshot.middle", Deed{Do: "kill"}), Point(One, "snapshot.rename.before", Deed{Do: "panic"}), DieRestoring}}},
	{ID: "S8", Promise: "S8: a token that was ended is ended at every node", Controls: 3, Clients: 8, Hops: 100, Pace: quick,
		Workload: func() Workload { return &Tokens{} }, Checkers: []Checker{TokenLife{}, Order{}}, Least: 10,
		Script: Script{Calm: calm, Storm: storm, Make: []func() Fault{Kill(Leader), Partition(Leader), Pause(Leader), Pause(One)}}},
}
