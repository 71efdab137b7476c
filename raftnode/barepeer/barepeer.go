package barepeer

import (
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/kvorum/kvorum/raftnode"
)

// Settings that raftnode has as its defaults.
const (
	batch         = 512
	cachedEntries = 1024
	snapshotEvery = 30 * time.Second
	snapshotAfter = 16384
	retain        = 2
)

// Peer is a cluster of one bare raft node with a state machine that counts.
type Peer struct {
	raft    *raft.Raft
	store   *raftboltdb.BoltStore
	machine *counter
}

// Open makes a new cluster of one in the empty folder dir and waits until it
// leads.
func Open(dir string) (*Peer, error) {
	store, err := raftboltdb.New(raftboltdb.Options{
		Path: filepath.Join(dir, "log.db"), BoltOptions: raftnode.BoltOptions(),
	})
	if err != nil {
		return nil, err
	}
	machine := &counter{}
	r, err := newRaft(dir, store, machine)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	for leads := range r.LeaderCh() {
		if leads {
			break
		}
	}
	return &Peer{r, store, machine}, nil
}

func newRaft(dir string, store *raftboltdb.BoltStore, machine raft.FSM) (*raft.Raft, error) {
	cfg := raft.DefaultConfig()
	cfg.LocalID = "peer"
	cfg.MaxAppendEntries, cfg.BatchApplyCh = batch, true
	cfg.SnapshotInterval, cfg.SnapshotThreshold, cfg.TrailingLogs = snapshotEvery, snapshotAfter, snapshotAfter
	cfg.NoLegacyTelemetry = true
	cfg.Logger = hclog.NewNullLogger()
	cache, err := raft.NewLogCache(cachedEntries, store)
	if err != nil {
		return nil, err
	}
	snaps, err := raft.NewFileSnapshotStoreWithLogger(dir, retain, cfg.Logger)
	if err != nil {
		return nil, err
	}
	addr, trans := raft.NewInmemTransport("peer")
	servers := raft.Configuration{Servers: []raft.Server{{ID: cfg.LocalID, Address: addr}}}
	if err := raft.BootstrapCluster(cfg, cache, store, snaps, trans, servers); err != nil {
		return nil, err
	}
	return raft.NewRaft(cfg, machine, cache, store, snaps, trans)
}

// Propose writes data to the log and waits until it is applied.
func (p *Peer) Propose(data []byte) error { return p.raft.Apply(data, 0).Error() }

// Close stops the peer.
func (p *Peer) Close() error {
	return errors.Join(p.raft.Shutdown().Error(), p.store.Close())
}

// counter is the least state machine there is.
type counter struct{ n uint64 }

// ApplyBatch implements raft.BatchingFSM.
func (c *counter) ApplyBatch(logs []*raft.Log) []any {
	out := make([]any, len(logs))
	for i, l := range logs {
		if l.Type == raft.LogCommand {
			c.n++
			out[i] = c.n
		}
	}
	return out
}

// Apply implements raft.FSM.
func (c *counter) Apply(l *raft.Log) any { return c.ApplyBatch([]*raft.Log{l})[0] }

// Snapshot implements raft.FSM.
func (c *counter) Snapshot() (raft.FSMSnapshot, error) { return empty{}, nil }

// Restore implements raft.FSM.
func (c *counter) Restore(r io.ReadCloser) error { return r.Close() }

type empty struct{}

// Persist implements raft.FSMSnapshot.
func (empty) Persist(sink raft.SnapshotSink) error { return sink.Close() }

// Release implements raft.FSMSnapshot.
func (empty) Release() {}
