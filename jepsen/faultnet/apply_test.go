package faultnet

import (
	"context"
	"sync"
	"testing"
	"time"
)

// TestPairsChangeAtOneMoment: whoever looks at two pairs, one after the other,
// never finds the second at older rules than the first.
func TestPairsChangeAtOneMoment(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.ports["a"], s.ports["b"] = &port{name: "a"}, &port{name: "b"}
	ctx := context.Background()
	set := func(n int) {
		f := Fault{Delay: time.Duration(n)}
		if err := s.Apply(ctx, Between([]string{"a"}, []string{"b"}, Match{}, f)...); err != nil {
			t.Error(err)
		}
	}
	set(1)
	lanes := s.all()
	if len(lanes) != 2 {
		t.Fatalf("%d pairs", len(lanes))
	}
	age := func(l *lane) time.Duration {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.stages[0].Delay
	}
	done := make(chan struct{})
	var lookers sync.WaitGroup
	for i := range 2 {
		lookers.Go(func() {
			for first, second := lanes[i], lanes[1-i]; ; {
				older := age(first)
				if newer := age(second); newer < older {
					t.Errorf("%v at the rules of %d, then %v at those of %d", first.pair, older, second.pair, newer)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := range 5000 {
		set(n + 2)
	}
	close(done)
	lookers.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
