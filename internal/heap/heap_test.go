package heap

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercent(t *testing.T) {
	for _, x := range []struct {
		room, alive uint64
		want        int
	}{
		{64 << 20, 0, 6400},        // nothing yet: as for a small heap
		{64 << 20, 4 << 20, 1600},  // 64 MiB more than 4
		{64 << 20, 64 << 20, 100},  // as the runtime does
		{64 << 20, 500 << 20, 100}, // never less
	} {
		if got := percent(x.room, x.alive); got != x.want {
			t.Errorf("percent(%d, %d) = %d, want %d", x.room, x.alive, got, x.want)
		}
	}
}

var kept []byte

func TestThePercentageFollowsWhatIsAlive(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(usual))
	follow(64 << 20)
	if small := now(); small <= usual {
		t.Errorf("with a small heap the percentage is %d", small)
	}
	kept = make([]byte, 128<<20)
	defer func() { kept = nil }()
	for deadline := time.Now().Add(time.Minute); now() != usual; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("with a large heap the percentage stays at %d", now())
		}
		runtime.GC()
	}
}

// now is the percentage that is set.
func now() int {
	p := debug.SetGCPercent(usual)
	debug.SetGCPercent(p)
	return p
}
