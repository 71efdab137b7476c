package clock

import (
	"context"
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
