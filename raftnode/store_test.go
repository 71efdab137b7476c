package raftnode

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

func pause(t *testing.T, d time.Duration) {
	t.Helper()
	_ = clock.Sleep(t.Context(), clock.Real{}, d)
}

// faulty is a log store whose writes can be made to hang or fail.
type faulty struct {
	*raft.InmemStore
	hang  atomic.Pointer[chan struct{}]
	fails atomic.Bool
	tries atomic.Int64
}

func (f *faulty) StoreLogs(l []*raft.Log) error {
	f.tries.Add(1)
	if ch := f.hang.Load(); ch != nil {
		<-*ch
	}
	if f.fails.Load() {
		return errors.New("fsync: input/output error")
	}
	return f.InmemStore.StoreLogs(l)
}

func TestBrokenDiskEndsLeadership(t *testing.T) {
	for _, hang := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			stores := make([]*faulty, 3)
			r := newRack(t, 3, func(i int, c *Config) {
				stores[i] = &faulty{InmemStore: raft.NewInmemStore()}
				c.parts = &parts{log: stores[i], stable: stores[i]}
			})
			old := r.leader()
			r.do("fine")
			var disk *faulty
			for i, m := range r.members {
				if m == old {
					disk = stores[i]
				}
			}
			release := make(chan struct{})
			if hang {
				disk.hang.Store(&release)
			} else {
				disk.fails.Store(true)
			}
			out := old.node.Propose(t.Context(), []byte("hit"))
			if out.Verdict != Unknown {
				t.Errorf("hang=%v: %+v", hang, out)
			}
			if err := <-old.node.Fatal(); err == nil {
				t.Error("no reason given")
			}
			tries := disk.tries.Load()
			eventually(t, "the lead to move", func() bool {
				l := r.leader()
				return l != old && l.node.Propose(t.Context(), []byte("x")).Verdict == Done
			})
			if disk.tries.Load() != tries {
				t.Error("a broken disk was written again")
			}
			close(release)
		})
	}
}

func TestVoteIsOneWrite(t *testing.T) {
	disk := raft.NewInmemStore()
	s := &voteStore{StableStore: disk}
	if _, err := s.Get(keyVoteCandidate); err == nil || err.Error() != "not found" {
		t.Fatalf("before any vote: %v", err)
	}
	vote := func(s *voteStore, term uint64, candidate string) {
		if err := errors.Join(s.SetUint64(keyVoteTerm, term), s.Set(keyVoteCandidate, []byte(candidate))); err != nil {
			t.Fatal(err)
		}
	}
	check := func(s *voteStore, term uint64, candidate string) {
		t.Helper()
		gotTerm, err1 := s.GetUint64(keyVoteTerm)
		got, err2 := s.Get(keyVoteCandidate)
		if err1 != nil || err2 != nil || gotTerm != term || !bytes.Equal(got, []byte(candidate)) {
			t.Errorf("vote = %d %q (%v, %v), want %d %q", gotTerm, got, err1, err2, term, candidate)
		}
	}
	vote(s, 7, "n1")
	check(s, 7, "n1")
	// The node dies between raft's two writes: the old vote stands.
	if err := s.SetUint64(keyVoteTerm, 8); err != nil {
		t.Fatal(err)
	}
	check(&voteStore{StableStore: disk}, 7, "n1")
	vote(s, 8, "n2")
	check(&voteStore{StableStore: disk}, 8, "n2")
	// Other keys pass through.
	if err := s.SetUint64([]byte("CurrentTerm"), 9); err != nil {
		t.Fatal(err)
	}
	if got, err := disk.GetUint64([]byte("CurrentTerm")); got != 9 || err != nil {
		t.Errorf("term = %d, %v", got, err)
	}
}

func TestLowTimesAreMendedAlike(t *testing.T) {
	sm := &ledger{}
	m := &machine{sm: sm, fatal: newTripwire()}
	m.ApplyBatch([]*raft.Log{
		{Index: 1, Type: raft.LogCommand, Data: encodeEntry(100, []byte("a"))},
		{Index: 2, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(raft.Configuration{})},
		{Index: 3, Type: raft.LogCommand, Data: encodeEntry(50, []byte("b"))},
	})
	m.ApplyBatch([]*raft.Log{{Index: 4, Type: raft.LogCommand, Data: encodeEntry(100, []byte("c"))}})
	var times []int64
	for _, r := range sm.all() {
		times = append(times, r.At)
	}
	if len(times) != 3 || times[0] != 100 || times[1] != 101 || times[2] != 102 {
		t.Errorf("times = %v", times)
	}
	if m.applied.get() != 4 {
		t.Errorf("applied = %d", m.applied.get())
	}
}

func TestUnreadableEntryStops(t *testing.T) {
	for name, data := range map[string][]byte{"empty": nil, "version": append([]byte{9}, make([]byte, 20)...), "poison": encodeEntry(1, []byte(poison))} {
		m := &machine{sm: &ledger{}, fatal: newTripwire()}
		logs := []*raft.Log{{Index: 1, Type: raft.LogCommand, Data: data}}
		if _, ok := m.ApplyBatch(logs)[0].(halt); !ok {
			t.Errorf("%s: applied", name)
		}
		select {
		case <-m.fatal.reason:
		default:
			t.Errorf("%s: not reported", name)
		}
		if _, err := m.Snapshot(); err == nil {
			t.Errorf("%s: a snapshot of a stopped machine", name)
		}
		logs[0].Data = encodeEntry(1, []byte("fine"))
		if _, ok := m.ApplyBatch(logs)[0].(halt); !ok || m.applied.get() != 0 {
			t.Errorf("%s: went on", name)
		}
	}
}

func TestOutcomeOfEachError(t *testing.T) {
	for _, c := range []struct {
		err     error
		verdict Verdict
		kind    errs.Kind
	}{
		{raft.ErrNotLeader, Refused, errs.Unavailable},
		{raft.ErrLeadershipTransferInProgress, Refused, errs.Unavailable},
		{raft.ErrEnqueueTimeout, Refused, errs.Busy},
		{raft.ErrAbortedByRestore, Refused, errs.Unavailable},
		{raft.ErrLeadershipLost, Unknown, errs.Unknown},
		{raft.ErrRaftShutdown, Unknown, errs.Unknown},
		{errors.New("disk"), Unknown, errs.Unknown},
	} {
		if out := outcome(nil, c.err); out.Verdict != c.verdict || errs.KindOf(out.Err) != c.kind {
			t.Errorf("%v: %v %v", c.err, out.Verdict, out.Err)
		}
	}
}
