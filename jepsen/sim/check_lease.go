package sim

import (
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// leaseChecker is "a host that is down holds no lease", by its own belief and its
// own clock; and "a guest starts on a word that holds": under the host's lease,
// and on a desired state that the host was told after it was last called dead.
type leaseChecker struct {
	nothing
	w *world
	// called is when a host was called dead last.
	called map[string]time.Duration
}

const (
	noLease   = "a host that is down holds no lease"
	wordHolds = "a guest starts on a word that holds"
)

func (c *leaseChecker) committed(e entry) {
	x, ok := e.env.Command.(*command.HostState)
	if !ok || !e.fresh() {
		return
	}
	if !x.Down {
		c.w.counts.Revived++
		return
	}
	c.w.counts.Called++
	c.called[string(x.ID)] = c.w.clock.Mono()
	for _, h := range c.w.hosts {
		c.renewed(h)
	}
}

// renewed is told when a host may have come to believe that it holds its lease.
func (c *leaseChecker) renewed(h *host) {
	record := c.w.view().Host(model.HostID(h.id))
	if record != nil && record.Down && h.holds() {
		c.w.violated(noLease, "%s is down and holds its lease: %+v", h.name, h.agent.Lease().Status(h.clock.Mono()))
	}
}

// holds tells whether the host's agent believes that it holds its lease.
func (h *host) holds() bool { return h.agent != nil && h.agent.Lease().Held(h.clock.Mono()) }

// told is when a host got a desired state that was true at that moment.
func (c *leaseChecker) told(h *host) { h.told = c.w.clock.Mono() }

// starts is told of each start, just before.
func (c *leaseChecker) starts(h *host, id string) {
	called, dead := c.called[h.id]
	switch {
	case !h.holds():
		c.w.violated(wordHolds, "%s is started on %s, which does not hold its lease", c.w.film.name("s", id), h.name)
	case dead && h.told < called:
		c.w.violated(wordHolds, "%s is started on %s by what it was told at %s, and it was called dead at %s",
			c.w.film.name("s", id), h.name, h.told, called)
	}
}
