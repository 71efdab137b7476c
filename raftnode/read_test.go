package raftnode

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// TestFollowersReadWhatWasAcknowledged: a read on any node, begun after a
// write was acknowledged anywhere, sees that write, across leader changes.
func TestFollowersReadWhatWasAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		r.leader()
		var wg sync.WaitGroup
		reads, failed := 0, 0
		var mu sync.Mutex
		for c := range 6 {
			wg.Go(func() {
				for i := range 20 {
					data := fmt.Sprintf("%d-%d", c, i)
					out := r.do(data)
					m := r.members[(c+i)%3]
					_, err := m.node.ReadBarrier(t.Context())
					mu.Lock()
					reads++
					if err != nil {
						failed++
					}
					mu.Unlock()
					if err == nil && m.sm.count(data) == 0 {
						t.Errorf("%s does not see %s of index %d", m.id, data, out.Index)
					}
					pause(t, 30*time.Millisecond)
				}
			})
		}
		for range 2 {
			pause(t, 2*time.Second)
			old := r.leader()
			r.partition(old, true)
			pause(t, 3*time.Second)
			r.partition(old, false)
		}
		wg.Wait()
		if failed*4 > reads*3 {
			t.Errorf("%d of %d reads failed: the test shows nothing", failed, reads)
		}
		r.settle()
	})
}

// TestDeposedLeaderConfirmsNothing: a leader that does not know yet that it is
// deposed gives no read point, to nobody.
func TestDeposedLeaderConfirmsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The first node's lease timer runs late, as a paused process's would: it
		// goes on believing that it leads when the others have moved on.
		r := newRack(t, 3, func(i int, c *Config) {
			c.ElectionTimeout, c.LeaderLease = 15*time.Second, 5*time.Second
			if i == 0 {
				c.ElectionTimeout, c.LeaderLease = 2*time.Minute, 2*time.Minute
			}
		})
		old := r.members[0]
		r.lead(old)
		r.do("before")
		r.partition(old, true)
		next := r.leader()
		if out := next.node.Propose(t.Context(), []byte("news")); out.Verdict != Done {
			t.Fatalf("%+v", out)
		}
		if old.node.Role().State != Leader {
			t.Fatal("the old leader noticed: the test shows nothing")
		}
		// The wire is whole again for questions, before any heartbeat came.
		old.cut.Store(false)
		if _, err := old.node.ReadBarrier(t.Context()); !errs.Is(err, errs.Unavailable) {
			t.Errorf("the deposed leader serves a read: %v", err)
		}
		if _, err := old.node.ConfirmRead(t.Context()); !errs.Is(err, errs.Unavailable) {
			t.Errorf("the deposed leader confirms a read: %v", err)
		}
		r.wire()
		r.settle()
	})
}

// TestReadsCostNoEntries: rounds write nothing, and many readers share one.
func TestReadsCostNoEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		l, f := r.leader(), r.follower()
		r.do("x")
		if _, err := l.node.ReadBarrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := l.node.Stats()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				for _, m := range []*member{l, f} {
					if _, err := m.node.ReadBarrier(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		after := l.node.Stats()
		if after.LastIndex != before.LastIndex {
			t.Errorf("reads wrote %d entries", after.LastIndex-before.LastIndex)
		}
		if n := after.ReadRounds - before.ReadRounds; n == 0 || n > 100 {
			t.Errorf("%d rounds for 200 reads", n)
		}
	})
}

// TestReadPointSkipsRaftsOwnEntries: the end of the log is an entry that is
// never applied; a reader does not wait for it.
func TestReadPointSkipsRaftsOwnEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		l, f := r.leader(), r.follower()
		want := r.do("last").Index
		for range 3 {
			if err := l.node.raft.Barrier(time.Second).Error(); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range []*member{l, f} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			p, err := m.node.ReadBarrier(ctx)
			cancel()
			if err != nil || p.Index != want {
				t.Errorf("%s: %+v, %v; want %d", m.id, p, err, want)
			}
		}
	})
}

func TestConfirmIsOneHop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		f := r.follower()
		if _, err := f.node.ConfirmRead(t.Context()); !errs.Is(err, errs.Unavailable) {
			t.Errorf("a follower confirms: %v", err)
		}
		l := r.leader()
		r.partition(l, true)
		if _, err := f.node.ReadBarrier(t.Context()); !errs.Is(err, errs.Unavailable) {
			t.Errorf("the leader is cut off, and yet: %v", err)
		}
	})
}
