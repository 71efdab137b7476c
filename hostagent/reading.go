package hostagent

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
)

// Reading is how an agent stands, for metrics.
type Reading struct {
	Counts
	// States counts the guests by what was last seen of them.
	States map[assign.State]int
	// Index is that of the desired state in the ledger; Confirmed says that the
	// control plane stood by it since the start.
	Index     uint64
	Confirmed bool
	// Silence is how long ago the control plane was heard, if it was Heard at
	// all.
	Heard   bool
	Silence time.Duration
	// Pending guests have something to be reported.
	Pending int
	// ImageBytes is what the image cache holds.
	ImageBytes int64
}

// Read tells how the agent stands. It never waits for the hypervisor, the
// network or the control plane.
func (a *Agent) Read() Reading {
	d, _ := a.ledger.Desired()
	r := Reading{Counts: a.Counts(), States: map[assign.State]int{}, Index: d.Index,
		Confirmed: a.ledger.Confirmed(), Pending: a.reporter.Pending()}
	for _, g := range a.Guests() {
		if s := g.seen.Load(); s != nil {
			r.States[*s]++
		}
	}
	if last := a.contact.last.Load(); last != 0 {
		r.Heard, r.Silence = true, a.clock.Mono()-time.Duration(last-1)
	}
	if sized, ok := a.hands.Images.(interface{ Bytes() int64 }); ok {
		r.ImageBytes = sized.Bytes()
	}
	return r
}

// Ready says why the host is not one to send guests to; empty if it is.
func (a *Agent) Ready() string {
	a.mu.Lock()
	adopted, registered, away := a.spawn != nil, a.registered, a.away
	a.mu.Unlock()
	switch {
	case !adopted:
		return "the hypervisor was not reached yet"
	case away:
		return "the control plane does not answer"
	case !registered:
		return "the host is not registered yet"
	case !a.ledger.Confirmed():
		return "the control plane has not confirmed yet what the host is assigned"
	case a.unplugged.Load():
		return "the host's network is not as it is assigned"
	}
	return ""
}

// contact is the control plane, and when it was heard last.
type contact struct {
	Control
	clock clock.Clock
	// last is a reading of the monotone clock, in nanoseconds and one more; 0
	// is never.
	last atomic.Int64
}

// note takes a call's end; an answer that refuses is an answer too.
func (c *contact) note(err error) {
	if err == nil || refused(err) {
		c.last.Store(int64(c.clock.Mono()) + 1)
	}
}

// Register implements Control.
func (c *contact) Register(ctx context.Context, capacity assign.Capacity) error {
	err := c.Control.Register(ctx, capacity)
	c.note(err)
	return err
}

// Desired implements Control.
func (c *contact) Desired(ctx context.Context, digest string) (assign.Desired, error) {
	d, err := c.Control.Desired(ctx, digest)
	c.note(err)
	return d, err
}

// Report implements Control.
func (c *contact) Report(ctx context.Context, report assign.Report) error {
	err := c.Control.Report(ctx, report)
	c.note(err)
	return err
}
