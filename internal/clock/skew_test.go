//go:build faults

package clock

import (
	"testing"
	"time"
)

func TestSkew(t *testing.T) {
	t.Cleanup(func() { _ = SetSkew(Skew{}) })
	set := func(s Skew) {
		t.Helper()
		if err := SetSkew(s); err != nil {
			t.Fatal(err)
		}
	}
	near := func(what string, got, want time.Duration) {
		t.Helper()
		if d := got - want; d < -2*time.Second || d > 2*time.Second {
			t.Errorf("%s: %v, want about %v", what, got, want)
		}
	}
	first := Real{}.Mono()
	set(Skew{WallMS: -600_000})
	near("a wall clock that is behind", time.Until(Real{}.Now()), -10*time.Minute)
	near("its monotone reading", Real{}.Mono()-first, 0)
	set(Skew{JumpMS: 60_000})
	near("a wall clock after a jump", time.Until(Real{}.Now()), time.Minute)
	near("the monotone reading after it", Real{}.Mono()-first, time.Minute)
	set(Skew{})
	near("the monotone reading when the clock is put right: it does not go back", Real{}.Mono()-first, time.Minute)
	if err := SetSkew(Skew{JumpMS: -1}); err == nil {
		t.Error("a jump backwards was taken")
	}
}

// TestDrift: a reading grows by the drift and by no more, whatever it is.
func TestDrift(t *testing.T) {
	for _, drift := range []int64{0, 1000, -1000, 1_000_000, -500_000} {
		s := skewed{since: time.Hour, mono: 2 * time.Hour, drift: drift}
		want := 2*time.Hour + 1000*time.Second + time.Duration(drift)*time.Millisecond
		if got := s.reading(time.Hour + 1000*time.Second); got != want {
			t.Errorf("drift %d: %v, want %v", drift, got, want)
		}
	}
}

// TestWaitsAreAsWrongAsReadings: what waits a minute on a clock that goes twice
// as fast waits half of one. Nothing here waits so long: a wait of no length
// ends at once, and the rest is arithmetic.
func TestWaitsAreAsWrongAsReadings(t *testing.T) {
	t.Cleanup(func() { _ = SetSkew(Skew{}) })
	if err := SetSkew(Skew{Drift: 1_000_000}); err != nil {
		t.Fatal(err)
	}
	before := Real{}.Mono()
	<-Real{}.After(200 * time.Millisecond)
	if took := (Real{}).Mono() - before; took < 200*time.Millisecond {
		t.Errorf("a wait of 200 ms took %v by the same clock", took)
	}
}
