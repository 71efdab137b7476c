package raftnode

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
)

// rack is a cluster in one process, with logs and wires in memory. Tests
// run it in a synctest bubble, so its seconds cost nothing.
type rack struct {
	t       *testing.T
	members []*member

	mu sync.Mutex // guards members' nodes for those who ask over the wires
}

type member struct {
	id    string
	cfg   Config
	sm    *ledger
	store *raft.InmemStore
	snaps raft.SnapshotStore
	trans *raft.InmemTransport
	node  *Node
	cut   atomic.Bool
}

// skewed is a clock that is wrong by a constant.
type skewed struct {
	clock.Real
	by time.Duration
}

func (s skewed) Now() time.Time { return s.Real.Now().Add(s.by) }

// newRack starts size nodes that are each other's voters.
func newRack(t *testing.T, size int, configure func(i int, cfg *Config)) *rack {
	t.Helper()
	r := &rack{t: t}
	var servers []Server
	for i := range size {
		id := fmt.Sprintf("n%d", i+1)
		servers = append(servers, Server{ID: id, Address: id})
		r.members = append(r.members, r.newMember(id, func(c *Config) {
			if configure != nil {
				configure(i, c)
			}
		}))
	}
	for _, m := range r.members {
		r.open(m, servers)
	}
	t.Cleanup(r.close)
	return r
}

// newMember makes a member with empty stores.
func (r *rack) newMember(id string, configure func(*Config)) *member {
	r.t.Helper()
	// The library's snapshot store in memory shows half-written snapshots.
	snaps, err := raft.NewFileSnapshotStoreWithLogger(r.t.TempDir(), 2, newRaftLogger(slog.New(slog.DiscardHandler), clock.Real{}))
	if err != nil {
		r.t.Fatal(err)
	}
	m := &member{id: id, store: raft.NewInmemStore(), snaps: snaps, cfg: Config{NodeID: id, ClusterID: "c"}}
	if configure != nil {
		configure(&m.cfg)
	}
	return m
}

// open starts a member on its stores; servers bootstraps it first.
func (r *rack) open(m *member, servers []Server) {
	r.t.Helper()
	_, m.trans = raft.NewInmemTransport(raft.ServerAddress(m.id))
	m.sm = &ledger{}
	cfg := m.cfg
	cfg.Machine = m.sm
	cfg.Peers = wires{r, m}
	p := &parts{log: m.store, stable: m.store, snaps: m.snaps, trans: m.trans, close: func() error { return nil }}
	if cfg.parts != nil {
		p.log, p.stable = cfg.parts.log, cfg.parts.stable
	}
	cfg.parts = p
	if servers != nil {
		filled := cfg
		filled.fill()
		if err := bootstrapParts(&filled, p, servers); err != nil {
			r.t.Fatal(err)
		}
	}
	r.wire()
	node, err := Open(cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.node = node
}

// wire connects all members that are not cut off.
func (r *rack) wire() {
	for _, a := range r.members {
		for _, b := range r.members {
			if a == b || a.trans == nil || b.trans == nil {
				continue
			}
			if a.cut.Load() || b.cut.Load() {
				a.trans.Disconnect(raft.ServerAddress(b.id))
			} else {
				a.trans.Connect(raft.ServerAddress(b.id), b.trans)
			}
		}
	}
}

// wires is how a member asks the others: over the same cuts as raft.
type wires struct {
	rack *rack
	from *member
}

func (w wires) to(ctx context.Context, address string) (*Node, error) {
	if n := w.node(address); n != nil {
		return n, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (w wires) node(address string) *Node {
	w.rack.mu.Lock()
	defer w.rack.mu.Unlock()
	for _, m := range w.rack.members {
		if m.id == address && m.node != nil && !m.cut.Load() && !w.from.cut.Load() {
			return m.node
		}
	}
	return nil
}

// Term implements Peers.
func (w wires) Term(ctx context.Context, address string) (uint64, error) {
	n, err := w.to(ctx, address)
	if err != nil {
		return 0, err
	}
	return n.Term(), nil
}

// ConfirmRead implements Peers.
func (w wires) ConfirmRead(ctx context.Context, address string) (ReadPoint, error) {
	n, err := w.to(ctx, address)
	if err != nil {
		return ReadPoint{}, err
	}
	return n.ConfirmRead(ctx)
}

// AppliedIndex implements Peers.
func (w wires) AppliedIndex(ctx context.Context, address string) (uint64, error) {
	n, err := w.to(ctx, address)
	if err != nil {
		return 0, err
	}
	return n.AppliedIndex(), nil
}

func (r *rack) partition(m *member, cut bool) {
	m.cut.Store(cut)
	r.wire()
}

func (r *rack) close() {
	for _, m := range r.members {
		if m.node == nil {
			continue
		}
		if err := m.node.Close(); err != nil {
			r.t.Logf("closing %s: %v", m.id, err)
		}
	}
	// The transport in memory leaves calls behind; they end by their timeouts.
	_ = clock.Sleep(context.Background(), clock.Real{}, time.Minute)
}

// leader waits for a leader that the connected majority agrees on.
func (r *rack) leader() *member {
	r.t.Helper()
	var found *member
	eventually(r.t, "a leader", func() bool {
		for _, m := range r.members {
			if !m.cut.Load() && m.node.Role().State == Leader {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// lead makes m the leader.
func (r *rack) lead(m *member) {
	r.t.Helper()
	eventually(r.t, m.id+" to lead", func() bool {
		l := r.leader()
		if l == m {
			return true
		}
		err := l.node.raft.LeadershipTransferToServer(raft.ServerID(m.id), raft.ServerAddress(m.id)).Error()
		return err == nil && r.leader() == m
	})
}

// follower gives a connected node other than the leader.
func (r *rack) follower() *member {
	r.t.Helper()
	l := r.leader()
	for _, m := range r.members {
		if m != l && !m.cut.Load() {
			return m
		}
	}
	r.t.Fatal("no follower")
	return nil
}

// settle waits until all nodes have applied the same.
func (r *rack) settle() []row {
	r.t.Helper()
	out := r.do("settled")
	for _, m := range r.members {
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
		if err := m.node.WaitApplied(ctx, out.Index); err != nil {
			r.t.Fatalf("%s: %v", m.id, err)
		}
		cancel()
	}
	first := r.members[0].sm.all()
	for _, m := range r.members[1:] {
		if rows := m.sm.all(); !reflect.DeepEqual(first, rows) {
			r.t.Fatalf("%s and %s differ:\n%v\n%v", r.members[0].id, m.id, first, rows)
		}
	}
	return first
}

// do gets data done through whoever leads.
func (r *rack) do(data string) Outcome {
	r.t.Helper()
	var out Outcome
	eventually(r.t, "a proposal to be done", func() bool {
		out = r.leader().node.Propose(r.t.Context(), []byte(data))
		return out.Verdict == Done
	})
	return out
}

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for range 6000 {
		if cond() {
			return
		}
		if clock.Sleep(t.Context(), clock.Real{}, 10*time.Millisecond) != nil {
			break
		}
	}
	t.Fatalf("waited in vain for %s", what)
}
