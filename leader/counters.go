package leader

import (
	"maps"
	"sync"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
)

// Counters count what the duties did on this node since it started, whenever
// it led. They are for metrics only: no duty looks at them.
type Counters struct {
	mu sync.Mutex
	c  Counts
}

// Counts is a reading of Counters.
type Counts struct {
	// Duties are by name.
	Duties map[string]DutyCount
	// Placed servers got a host. Refused ones got none, by the filter that
	// refused the most hosts.
	Placed  uint64
	Refused map[string]uint64
}

// DutyCount is what one duty did.
type DutyCount struct {
	// Runs is how often it was asked, and Took the time that it thought.
	Runs uint64
	Took time.Duration
	// Done, Void and Failed are its commands: what the log took, what no longer
	// held by then, and what did not get through.
	Done, Void, Failed uint64
}

// Read copies the counters; of nil there are none.
func (c *Counters) Read() Counts {
	if c == nil {
		return Counts{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.c
	n.Duties, n.Refused = maps.Clone(n.Duties), maps.Clone(n.Refused)
	return n
}

// duty changes the count of one duty. A nil receiver counts nothing.
func (c *Counters) duty(name string, f func(*DutyCount)) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.c.Duties == nil {
		c.c.Duties = map[string]DutyCount{}
	}
	d := c.c.Duties[name]
	f(&d)
	c.c.Duties[name] = d
}

func (c *Counters) ran(name string, took time.Duration) {
	c.duty(name, func(d *DutyCount) { d.Runs++; d.Took += took })
}

// done counts a command that the log took; after is the state that shows what
// became of it: what no longer held is left out of a batch without a word.
func (c *Counters) done(name string, cmd command.Command, after state.View) {
	c.duty(name, func(d *DutyCount) { d.Done++ })
	p, ok := cmd.(*command.ServersPlace)
	if !ok || c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, item := range p.Items {
		s := after.Server(item.ServerID)
		switch {
		case s == nil:
		case item.HostID != "" && s.HostID == item.HostID:
			c.c.Placed++
		case item.HostID == "" && s.Fault != nil && s.Fault.Message == item.Fault:
			if c.c.Refused == nil {
				c.c.Refused = map[string]uint64{}
			}
			c.c.Refused[item.Reason]++
		}
	}
}
