package barepeer

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
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

	maxPooledStreams = 3
	rpcTimeout       = 10 * time.Second
)

// Config names a node of a cluster of peers.
type Config struct {
	// Dir is the node's folder. A folder without a log begins a new cluster.
	Dir string
	// ID is the node's name among Servers.
	ID string
	// Servers are all voters; nil is a cluster of ID alone.
	Servers []raftnode.Server
	// Stream carries the traffic between nodes; nil for a node alone.
	Stream raftnode.StreamLayer
}

// Peer is one bare raft node with a state machine that counts.
type Peer struct {
	raft    *raft.Raft
	store   *raftboltdb.BoltStore
	machine *counter
}

// Open starts a node.
func Open(cfg Config) (*Peer, error) {
	if cfg.Servers == nil {
		cfg.Servers = []raftnode.Server{{ID: cfg.ID, Address: cfg.ID}}
	}
	store, err := raftboltdb.New(raftboltdb.Options{
		Path: filepath.Join(cfg.Dir, "log.db"), BoltOptions: raftnode.BoltOptions(),
	})
	if err != nil {
		return nil, err
	}
	machine := &counter{}
	r, err := newRaft(cfg, store, machine)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &Peer{r, store, machine}, nil
}

func newRaft(node Config, store *raftboltdb.BoltStore, machine raft.FSM) (*raft.Raft, error) {
	cfg := raft.DefaultConfig()
	cfg.LocalID = raft.ServerID(node.ID)
	cfg.MaxAppendEntries, cfg.BatchApplyCh = batch, true
	cfg.SnapshotInterval, cfg.SnapshotThreshold, cfg.TrailingLogs = snapshotEvery, snapshotAfter, snapshotAfter
	cfg.NoLegacyTelemetry = true
	cfg.Logger = hclog.NewNullLogger()
	cache, err := raft.NewLogCache(cachedEntries, store)
	if err != nil {
		return nil, err
	}
	snaps, err := raft.NewFileSnapshotStoreWithLogger(node.Dir, retain, cfg.Logger)
	if err != nil {
		return nil, err
	}
	var voters raft.Configuration
	for _, s := range node.Servers {
		voters.Servers = append(voters.Servers, raft.Server{ID: raft.ServerID(s.ID), Address: raft.ServerAddress(s.Address)})
	}
	trans := transport(node)
	err = raft.BootstrapCluster(cfg, cache, store, snaps, trans, voters)
	if err != nil && !errors.Is(err, raft.ErrCantBootstrap) { // it has a log
		return nil, err
	}
	return raft.NewRaft(cfg, machine, cache, store, snaps, trans)
}

func transport(node Config) raft.Transport {
	if node.Stream == nil {
		_, trans := raft.NewInmemTransport(raft.ServerAddress(node.Servers[0].Address))
		return trans
	}
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: stream{node.Stream}, MaxPool: maxPooledStreams, Timeout: rpcTimeout, Logger: hclog.NewNullLogger(),
	})
}

type stream struct{ raftnode.StreamLayer }

// Dial implements raft.StreamLayer.
func (s stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return s.StreamLayer.Dial(string(address), timeout)
}

// Propose writes data to the log and waits until it is applied.
func (p *Peer) Propose(data []byte) error { return p.raft.Apply(data, 0).Error() }

// Read confirms that this node leads, as the library offers it, and reads. It
// works on the leader only.
func (p *Peer) Read() (uint64, error) {
	if err := p.raft.VerifyLeader().Error(); err != nil {
		return 0, err
	}
	return p.machine.n.Load(), nil
}

// Leads tells whether this node leads, and whether it knows of any leader.
func (p *Peer) Leads() (leads, known bool) {
	_, id := p.raft.LeaderWithID()
	return p.raft.State() == raft.Leader, id != ""
}

// Applied is how far the node is.
func (p *Peer) Applied() uint64 { return p.raft.AppliedIndex() }

// Close stops the peer.
func (p *Peer) Close() error {
	return errors.Join(p.raft.Shutdown().Error(), p.store.Close())
}

// counter is the least state machine there is.
type counter struct{ n atomic.Uint64 }

// ApplyBatch implements raft.BatchingFSM.
func (c *counter) ApplyBatch(logs []*raft.Log) []any {
	out := make([]any, len(logs))
	for i, l := range logs {
		if l.Type == raft.LogCommand {
			out[i] = c.n.Add(1)
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
