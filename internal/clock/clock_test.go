package clock

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFakeWakesInOrder(t *testing.T) {
	f := NewFake(time.Unix(100, 0))
	early, late := f.After(time.Second), f.After(time.Minute)
	f.Advance(2 * time.Second)
	select {
	case at := <-early:
		if !at.Equal(time.Unix(102, 0)) {
			t.Errorf("woken at %v", at)
		}
	default:
		t.Fatal("the early wait was not woken")
	}
	select {
	case <-late:
		t.Fatal("the late wait was woken too soon")
	default:
	}
	if f.Waiting() != 1 || f.Mono() != 2*time.Second {
		t.Errorf("waiting %d, mono %v", f.Waiting(), f.Mono())
	}
}

func TestSleepEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Sleep(ctx, NewFake(time.Unix(0, 0)), time.Hour); err == nil {
		t.Fatal("want the context's error")
	}
}

// TestMonoCountsSleep: the readings are the kernel's count of the time since
// boot, which goes on while the machine is suspended.
func TestMonoCountsSleep(t *testing.T) {
	b, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Skip("no /proc/uptime to compare with: ", err)
	}
	s, err := strconv.ParseFloat(strings.Fields(string(b))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	up, mine := time.Duration(s*float64(time.Second)), sinceBoot()
	if d := mine - up; d < -time.Second || d > time.Second {
		t.Errorf("%v since boot, and the kernel says %v", mine, up)
	}
	first := Real{}.Mono()
	if second := (Real{}).Mono(); first < 0 || second < first || second > mine {
		t.Errorf("readings %v and %v in a process that is younger than the machine's %v", first, second, mine)
	}
}
