package hostagent

import (
	"maps"
	"sync"
)

// Counters count what the agent did since it started; for metrics.
type Counters struct {
	mu sync.Mutex
	c  Counts
}

// Counts is a reading of the counters.
type Counts struct {
	// Steps and Failures are by kind of step.
	Steps, Failures map[StepKind]uint64
	// Troubles are turns that failed before they could decide.
	Troubles uint64
	// Accepted and Refused are desired states; Away counts polls that did not
	// reach the control plane.
	Accepted, Refused, Away uint64
	// Reported guests, and Dropped ones, which the control plane refused.
	Reported, Dropped uint64
	// NetworkFailures counts applications of the network that failed.
	NetworkFailures uint64
	// Lease are the renewals of the host's lease; LeaseHeld is a gauge.
	Lease     LeaseCounts
	LeaseHeld bool
	// Guests and Quarantined are gauges: guests with a turn of their own, and
	// those of them that nobody wants here.
	Guests, Quarantined int
}

func (c *Counters) add(f func(*Counts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.c)
}

func (c *Counters) step(kind StepKind, err error) {
	c.add(func(n *Counts) {
		if n.Steps == nil {
			n.Steps, n.Failures = map[StepKind]uint64{}, map[StepKind]uint64{}
		}
		if err != nil {
			n.Failures[kind]++
			return
		}
		n.Steps[kind]++
	})
}

func (c *Counters) trouble() { c.add(func(n *Counts) { n.Troubles++ }) }

// read copies the counters.
func (c *Counters) read() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.c
	n.Steps, n.Failures = maps.Clone(n.Steps), maps.Clone(n.Failures)
	return n
}
