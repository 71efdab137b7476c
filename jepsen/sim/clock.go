package sim

import (
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// watch is one machine's clock. Its spans are long or short by up to a
// thousandth, its zero is its own, and its time of day may jump.
type watch struct {
	world *clock.Fake
	// zero is its reading when the run begins, ppm how much it gains in millionths.
	zero time.Duration
	ppm  int64
	// wall is how far its time of day is off.
	wall time.Duration
	// stood is for how long it stood still, which only a broken one does; it does
	// so now if still is set, since then.
	stood time.Duration
	still *time.Duration
}

var _ clock.Clock = (*watch)(nil)

// maxDrift is how much a sound clock gains or loses, in millionths.
const maxDrift = 1000

func newWatch(w *world) *watch {
	return &watch{world: w.clock, zero: w.flt.span(0, 1000*time.Hour), ppm: w.flt.Int64N(2*maxDrift+1) - maxDrift}
}

// Now implements clock.Clock.
func (c *watch) Now() time.Time { return c.world.Now().Add(c.wall) }

// Mono implements clock.Clock.
func (c *watch) Mono() time.Duration {
	t := c.world.Mono()
	if c.still != nil {
		t = *c.still
	}
	t -= c.stood
	return c.zero + t + t/1_000_000*time.Duration(c.ppm)
}

// After implements clock.Clock. Nothing in here waits.
func (c *watch) After(d time.Duration) <-chan time.Time { return c.world.After(d) }

// stop makes the clock stand still, and start lets it go on from there.
func (c *watch) stop() {
	now := c.world.Mono()
	c.still = &now
}

func (c *watch) start() {
	if c.still != nil {
		c.stood += c.world.Mono() - *c.still
		c.still = nil
	}
}

// impatient is a clock for a door that never holds an answer back: the
// simulated agents ask often enough.
type impatient struct{ clock.Clock }

// After implements clock.Clock.
func (i impatient) After(time.Duration) <-chan time.Time {
	now := make(chan time.Time, 1)
	now <- i.Now()
	return now
}
