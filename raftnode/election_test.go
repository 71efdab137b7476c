package raftnode

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

func TestOutcomesAreHonestAcrossLeaderChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		r.leader()
		const callers, each = 8, 25
		var mu sync.Mutex
		verdicts := map[string]Verdict{}
		indexes := map[string]uint64{}
		var wg sync.WaitGroup
		for c := range callers {
			wg.Go(func() {
				for i := range each {
					for try := 0; ; try++ {
						// Any node is asked, so that stale leaders are, too.
						data := fmt.Sprintf("%d-%d-%d", c, i, try)
						out := r.members[(c+try)%3].node.Propose(t.Context(), []byte(data))
						mu.Lock()
						verdicts[data], indexes[data] = out.Verdict, out.Index
						mu.Unlock()
						if out.Verdict == Done {
							if out.Result != "did "+data {
								t.Errorf("result of %s: %v", data, out.Result)
							}
							break
						}
						pause(t, 20*time.Millisecond)
					}
					pause(t, 50*time.Millisecond)
				}
			})
		}
		for range 3 {
			pause(t, 2*time.Second)
			old := r.leader()
			r.partition(old, true)
			next := r.leader()
			if next == old {
				t.Error("no new leader")
			}
			pause(t, 2*time.Second)
			r.partition(old, false)
		}
		wg.Wait()
		rows := r.settle()
		at := map[string]uint64{}
		for _, row := range rows {
			if at[row.Data] != 0 {
				t.Errorf("%s applied twice", row.Data)
			}
			at[row.Data] = row.Index
		}
		tally := map[Verdict]int{}
		for data, v := range verdicts {
			tally[v]++
			if v == Done && at[data] != indexes[data] {
				t.Errorf("%s: done at %d, found at %d", data, indexes[data], at[data])
			}
			if v == Refused && at[data] != 0 {
				t.Errorf("%s: refused, found at %d", data, at[data])
			}
		}
		if tally[Done] != callers*each || tally[Refused] == 0 || tally[Unknown] == 0 {
			t.Errorf("verdicts %v: want %d done and some of each other", tally, callers*each)
		}
	})
}

func TestCutLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, func(_ int, c *Config) { c.MaxInFlight = 3 })
		l := r.leader()
		r.do("before")
		r.partition(l, true)

		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		out := l.node.Propose(short, []byte("gave up"))
		if out.Verdict != Unknown || !errors.Is(out.Err, context.DeadlineExceeded) || !errs.Is(out.Err, errs.Unknown) {
			t.Errorf("ctx ended after raft had it: %+v", out)
		}
		// The one given up still holds its slot: two more fit.
		results := make(chan Outcome, 2)
		for range 2 {
			go func() { results <- l.node.Propose(t.Context(), []byte("lost")) }()
		}
		synctest.Wait()
		if out := l.node.Propose(t.Context(), []byte("over")); out.Verdict != Refused || !errs.Is(out.Err, errs.Busy) {
			t.Errorf("over the limit: %+v", out)
		}
		if got := l.node.Stats().InFlight; got != 3 {
			t.Errorf("in flight: %d, want 3", got)
		}
		for range 2 {
			if out := <-results; out.Verdict != Unknown {
				t.Errorf("leadership lost: %+v", out)
			}
		}
		if out := l.node.Propose(t.Context(), []byte("late")); out.Verdict != Refused || !errs.Is(out.Err, errs.Unavailable) {
			t.Errorf("not a leader any more: %+v", out)
		}
		if _, err := l.node.ReadBarrier(t.Context()); !errs.Is(err, errs.Unavailable) {
			t.Errorf("read on a deposed leader: %v", err)
		}
		next := r.leader()
		r.partition(l, false)
		r.settle()
		if next.sm.count("over")+next.sm.count("late") != 0 {
			t.Error("a refused proposal was applied")
		}
		if got := l.node.Stats().InFlight; got != 0 {
			t.Errorf("in flight at the end: %d", got)
		}
	})
}

func TestRefusedBeforeRaft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, func(_ int, c *Config) { c.MaxEntryBytes = 10 })
		l, f := r.leader(), r.follower()
		over, cancel := context.WithCancel(t.Context())
		cancel()
		for name, c := range map[string]struct {
			on   *member
			ctx  context.Context
			data string
			kind errs.Kind
		}{
			"follower":        {f, t.Context(), "x", errs.Unavailable},
			"time is over":    {l, over, "x", errs.Unavailable},
			"entry too large": {l, t.Context(), "12345678901", errs.TooLarge},
		} {
			out := c.on.node.Propose(c.ctx, []byte(c.data))
			if out.Verdict != Refused || !errs.Is(out.Err, c.kind) {
				t.Errorf("%s: %+v, want refused, %v", name, out, c.kind)
			}
		}
		if rows := r.settle(); len(rows) != 1 {
			t.Errorf("applied: %v", rows)
		}
	})
}

func TestTimesGrowAcrossLeadersWithWrongClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, func(i int, c *Config) { c.Clock = skewed{by: time.Duration(i-1) * time.Hour} })
		led := map[string]bool{}
		for i := 0; len(led) < 3 && i < 50; i++ {
			l := r.leader()
			led[l.id] = true
			for k := range 5 {
				r.do(fmt.Sprintf("%d-%d", i, k))
			}
			// To each in turn: raft itself would pick the furthest, and may never
			// pick one of them.
			next := r.members[i%len(r.members)]
			if next == l {
				continue
			}
			if err := l.node.HandOver(next.id); err != nil {
				t.Fatal(err)
			}
			pause(t, time.Second)
		}
		if len(led) < 3 {
			t.Fatalf("only %v led", led)
		}
		// The ledger stops the node if a time does not grow.
		rows := r.settle()
		if span := rows[len(rows)-1].At - rows[0].At; span < 0 {
			t.Errorf("times went back by %d", -span)
		}
	})
}

func TestRunAsLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		r.leader()
		type event struct {
			id      string
			term    uint64
			applied int
		}
		begun, ended := make(chan event, 16), make(chan event, 16)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, m := range r.members {
			wg.Go(func() {
				err := m.node.RunAsLeader(ctx, func(ctx context.Context, term uint64) error {
					begun <- event{m.id, term, m.sm.count("x")}
					<-ctx.Done()
					ended <- event{id: m.id, term: term}
					return ctx.Err()
				})
				if err != nil {
					t.Errorf("%s: %v", m.id, err)
				}
			})
		}
		first := <-begun
		r.do("x")
		if err := r.leader().node.TransferLeadership(); err != nil {
			t.Fatal(err)
		}
		if e := <-ended; e.id != first.id || e.term != first.term {
			t.Errorf("ended %+v, want %+v", e, first)
		}
		second := <-begun
		if second.term <= first.term {
			t.Errorf("term %d after %d", second.term, first.term)
		}
		if second.applied != 1 {
			t.Error("a duty ran before the entries of earlier terms were applied")
		}
		cancel()
		wg.Wait()
		failed := errors.New("a duty failed")
		err := r.leader().node.RunAsLeader(t.Context(), func(context.Context, uint64) error { return failed })
		if !errors.Is(err, failed) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestFollowerCatchesUpBySnapshotAndRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, func(_ int, c *Config) {
			c.Snapshots = SnapshotConfig{Interval: time.Hour, Threshold: 1 << 20, Trailing: 3}
		})
		away := r.follower()
		r.do("seen")
		r.partition(away, true)
		for i := range 40 {
			r.do(fmt.Sprint(i))
		}
		for _, m := range r.members {
			if m != away {
				if err := m.node.Snapshot(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.partition(away, false)
		before := r.settle()
		if away.sm.restored() != 1 {
			t.Errorf("restored %d times, want 1", away.sm.restored())
		}
		for _, m := range r.members {
			if err := m.node.Close(); err != nil {
				t.Fatalf("%s: %v", m.id, err)
			}
			if role := m.node.Role(); role.State != Stopped {
				t.Errorf("%s after Close: %v", m.id, role)
			}
			r.open(m, nil)
		}
		after := r.settle()
		if len(after) != len(before)+1 || after[0] != before[0] {
			t.Errorf("%d rows after the restart, %d before", len(after), len(before))
		}
	})
}

func TestReadBarrierSeesWhatWasAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		l := r.leader()
		var wg sync.WaitGroup
		for c := range 8 {
			wg.Go(func() {
				for i := range 10 {
					data := fmt.Sprintf("%d-%d", c, i)
					out := l.node.Propose(t.Context(), []byte(data))
					point, err := l.node.ReadBarrier(t.Context())
					if out.Verdict != Done || err != nil || point.Index < out.Index || l.sm.count(data) != 1 {
						t.Errorf("%s: %+v, then %+v, %v", data, out, point, err)
					}
				}
			})
		}
		wg.Wait()
		if got := l.node.Stats().ReadRounds; got >= 80 {
			t.Errorf("%d rounds for 80 reads: none was shared", got)
		}
	})
}

func TestSnapshotOntoDivergedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, func(_ int, c *Config) {
			c.Snapshots = SnapshotConfig{Interval: time.Hour, Threshold: 1 << 20, Trailing: 1}
		})
		old := r.leader()
		r.do("shared")
		r.partition(old, true)
		var wg sync.WaitGroup
		for i := range 60 { // more than the others will write
			wg.Go(func() {
				if out := old.node.Propose(t.Context(), fmt.Append(nil, "lost ", i)); out.Verdict != Unknown {
					t.Errorf("%+v", out)
				}
			})
		}
		wg.Wait()
		for i := range 10 {
			r.do(fmt.Sprint("kept ", i))
		}
		for _, m := range r.members {
			if m == old {
				continue
			}
			if err := m.node.Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		r.partition(old, false)
		select {
		case <-old.node.Fatal():
		case <-clock.Real{}.After(time.Minute):
			t.Fatal("the diverged node did not notice")
		}
		if err := old.node.Close(); err != nil {
			t.Fatal(err)
		}
		r.open(old, nil)
		for _, row := range r.settle() {
			if strings.HasPrefix(row.Data, "lost") {
				t.Errorf("%q came back", row.Data)
			}
		}
	})
}
