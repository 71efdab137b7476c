//go:build !faults

package clock

import "time"

// Now implements Clock.
func (Real) Now() time.Time { return time.Now() }

// Mono implements Clock.
func (Real) Mono() time.Duration { return uptime() }

// After implements Clock.
func (Real) After(d time.Duration) <-chan time.Time { return time.After(d) }
