//go:build faults

package clock

import (
	"fmt"
	"sync"
	"time"
)

// Skew is how wrong the process's clock goes from now on. It reaches all that
// asks this package; the Raft library's timers and the kernel's are right.
type Skew struct {
	// WallMS is how far the wall clock is ahead of the machine's, in
	// milliseconds: a step, forwards or backwards, that the monotone reading
	// does not take.
	WallMS int64 `json:"wall_ms"`
	// JumpMS moves both readings forward at once, in milliseconds, as a machine
	// does that was suspended. It is never negative.
	JumpMS int64 `json:"jump_ms"`
	// Drift is how much faster both go, in parts per million; negative is
	// slower. Between -500,000 and 1,000,000.
	Drift int64 `json:"drift_ppm"`
}

// skewed is the clock as it stands: at the true reading since, the monotone
// one was mono, and the wall clock was wall ahead of the machine's beyond that.
type skewed struct {
	mu    sync.RWMutex
	since time.Duration
	mono  time.Duration
	wall  time.Duration
	drift int64
}

var skew skewed

// reading gives the monotone reading at the true one.
func (s *skewed) reading(true_ time.Duration) time.Duration {
	d := true_ - s.since
	return s.mono + d + time.Duration(int64(d)/1_000_000*s.drift+int64(d)%1_000_000*s.drift/1_000_000)
}

// SetSkew puts the clock wrong in another way. What it already went wrong
// stays in the monotone reading, which never goes back.
func SetSkew(w Skew) error {
	if w.JumpMS < 0 || w.Drift < -500_000 || w.Drift > 1_000_000 {
		return fmt.Errorf("clock: a jump is never backwards, and a drift is between -500000 and 1000000")
	}
	skew.mu.Lock()
	defer skew.mu.Unlock()
	now := uptime()
	skew.mono = skew.reading(now) + time.Duration(w.JumpMS)*time.Millisecond
	skew.since, skew.drift, skew.wall = now, w.Drift, time.Duration(w.WallMS)*time.Millisecond
	return nil
}

// Now implements Clock.
func (Real) Now() time.Time {
	skew.mu.RLock()
	defer skew.mu.RUnlock()
	up := uptime()
	return time.Now().Add(skew.reading(up) - up + skew.wall)
}

// Mono implements Clock.
func (Real) Mono() time.Duration {
	skew.mu.RLock()
	defer skew.mu.RUnlock()
	return skew.reading(uptime())
}

// After implements Clock. A wait that has begun keeps its end when the clock is
// put wrong meanwhile.
func (Real) After(d time.Duration) <-chan time.Time {
	skew.mu.RLock()
	defer skew.mu.RUnlock()
	return time.After(time.Duration(float64(d) / (1 + float64(skew.drift)/1e6)))
}
