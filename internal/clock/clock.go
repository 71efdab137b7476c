package clock

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// Clock tells the time and waits. Real is the machine's; Fake is a test's.
type Clock interface {
	// Now is the wall clock, for display and expiry; it may jump.
	Now() time.Time
	// Mono is a reading that only goes forward, for measuring spans. It counts
	// the time that the machine slept, too: a lease runs out over a suspension.
	Mono() time.Duration
	// After delivers once, d from now. The channel is buffered: an abandoned
	// wait leaks nothing.
	After(d time.Duration) <-chan time.Time
}

// Real is the machine's clock. In builds with the tag 'faults' somebody may
// have put it wrong: see Skew there.
type Real struct{}

var (
	loaded  = time.Now()
	started = sinceBoot()
)

// sinceBoot reads CLOCK_BOOTTIME: Go's own monotone readings are
// CLOCK_MONOTONIC, which stands still while the machine is suspended.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return time.Since(loaded) // a kernel older than 2.6.39
	}
	return time.Duration(ts.Nano())
}

// uptime is the time since the process began.
func uptime() time.Duration { return sinceBoot() - started }

// Sleep waits for d on c, or until ctx ends; it returns ctx's error then.
func Sleep(ctx context.Context, c Clock, d time.Duration) error {
	select {
	case <-c.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
