package sim

import (
	"fmt"
	"time"
)

// Options are all that a seed decides about a run before it begins. Rates are
// in thousandths; a span is the mean time between two faults of a kind, 0 for
// never.
type Options struct {
	Hosts, Users, Projects, Nodes, Steps int
	// SubnetBits is the size of the projects' ranges: 28 runs out of addresses.
	SubnetBits int

	// Loss, Mute, Late, Twice, Stale and Slow befall messages: it is lost, its
	// answer is, it arrives long after its sender gave up, it arrives again, an
	// old answer arrives, it takes almost too long.
	Loss, Mute, Late, Twice, Stale, Slow int
	// Vanish and Delay befall proposals whose outcome is then unknown: never
	// done, or done later.
	Vanish, Delay int
	// Call befalls hypervisor calls, before or after their effect; Broken makes
	// a start fail for good; Disk befalls the ledger's writes; Death ends the
	// agent in the middle of a call.
	Call, Broken, Disk, Death int

	AgentCrash, PowerLoss, Cut, NewTerm, Restart, Mishap time.Duration
	// Pause and Isolate befall control nodes, Freeze hosts: their agent stands
	// still, and their guests do not. Jump befalls anybody's time of day.
	Pause, Isolate, Freeze, Jump time.Duration
	// Lease is how long a host may be silent.
	Lease time.Duration
	// StopTimeout is the agents' patience with guests.
	StopTimeout time.Duration
}

// drawOptions draws a run's options. Each kind of fault is absent from some
// runs: what one fault hides, another run without it shows.
func drawOptions(seed uint64) Options {
	c := newChance(seed, forOptions)
	rate := func(top int) int {
		if c.IntN(4) == 0 {
			return 0
		}
		return 1 + c.IntN(top)
	}
	mean := func(lo, hi int) time.Duration {
		if c.IntN(4) == 0 {
			return 0
		}
		return time.Duration(lo+c.IntN(hi-lo)) * time.Second
	}
	o := Options{
		Hosts: 2 + c.IntN(4), Users: 3 + c.IntN(5), Projects: 1 + c.IntN(3), Nodes: 3 + 2*c.IntN(2),
		Steps: 4000 + 600*c.IntN(5), SubnetBits: 26 + c.IntN(3),
		Loss: rate(60), Mute: rate(60), Late: rate(40), Twice: rate(40), Stale: rate(30),
		Vanish: rate(50), Delay: rate(50),
		Call: rate(40), Broken: rate(10), Disk: rate(20), Death: rate(8),
		AgentCrash: mean(10, 60), PowerLoss: mean(30, 120), Cut: mean(15, 60), NewTerm: mean(10, 60),
		Restart: mean(15, 60), Mishap: mean(4, 20),
		Lease: time.Duration(6+c.IntN(10)) * time.Second, StopTimeout: time.Duration(5+c.IntN(15)) * time.Second,
	}
	o.Slow = rate(200)
	o.Pause, o.Isolate, o.Freeze, o.Jump = mean(10, 60), mean(15, 60), mean(15, 60), mean(10, 60)
	return o
}

// aboutLeases leaves one user, and lets so much befall hosts, their guests and
// control nodes that leases are lost all the time.
func (o Options) aboutLeases(seed uint64) Options {
	c := newChance(seed, forLeases)
	mean := func(lo, hi int) time.Duration { return time.Duration(lo+c.IntN(hi-lo)) * time.Second }
	o.Users, o.Steps, o.Mishap = 1, 2*o.Steps, mean(2, 6)
	o.AgentCrash, o.PowerLoss, o.Freeze, o.Cut = mean(60, 240), mean(90, 300), mean(20, 90), mean(4, 20)
	o.NewTerm, o.Restart, o.Pause, o.Isolate = mean(40, 120), mean(8, 30), mean(20, 90), mean(20, 90)
	return o
}

// String gives the options for the film's first line.
func (o Options) String() string {
	return fmt.Sprintf("hosts=%d users=%d projects=%d nodes=%d steps=%d subnet=/%d"+
		" loss=%d mute=%d late=%d twice=%d stale=%d slow=%d vanish=%d delay=%d call=%d broken=%d disk=%d death=%d"+
		" agent=%s power=%s cut=%s term=%s restart=%s mishap=%s pause=%s isolate=%s freeze=%s jump=%s lease=%s stop=%s",
		o.Hosts, o.Users, o.Projects, o.Nodes, o.Steps, o.SubnetBits,
		o.Loss, o.Mute, o.Late, o.Twice, o.Stale, o.Slow, o.Vanish, o.Delay, o.Call, o.Broken, o.Disk, o.Death,
		o.AgentCrash, o.PowerLoss, o.Cut, o.NewTerm, o.Restart, o.Mishap, o.Pause, o.Isolate, o.Freeze, o.Jump, o.Lease, o.StopTimeout)
}
