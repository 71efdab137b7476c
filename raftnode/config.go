package raftnode

import (
	"log/slog"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Config says everything that a Node needs. Zero values of the optional part
// take the defaults named beside them.
type Config struct {
	// Dir is the node's data folder; the log, the votes and the snapshots live
	// in its sub-folder "raft". Required.
	Dir string
	// NodeID is this node's name, the same for all its life. Required.
	NodeID string
	// ClusterID is the cluster's UUID. Open refuses a folder that belongs to
	// another cluster. Required by Bootstrap and Prepare; empty at Open means
	// "whatever the folder says".
	ClusterID string
	// Address is where the other nodes reach this one. Default: NodeID, which
	// is enough for a node alone.
	Address string
	// Machine is the state machine. Required by Open.
	Machine StateMachine
	// Stream carries the traffic between nodes. nil means a node alone.
	Stream StreamLayer
	// Peers asks the other nodes. nil means that there is no way to them.
	Peers Peers
	// Clock stamps entries and times writes. Default: clock.Real.
	Clock clock.Clock
	// Log receives raft's and the node's own lines. Default: discard.
	Log *slog.Logger

	// ElectionTimeout is how long a follower waits for a leader before it
	// stands for election. At least 5 ms. Default 1 s.
	ElectionTimeout time.Duration
	// LeaderLease is how long a leader goes on without an answer from a
	// majority; at most ElectionTimeout. Default half of it.
	LeaderLease time.Duration
	// MaxBatch is the most entries that go into one write of the log and one
	// ApplyBatch, 1 to 1024. Default 512.
	MaxBatch int
	// MaxInFlight is the most proposals that wait for their outcome at once;
	// further ones are refused as busy. Raft has MaxBatch of them at a time.
	// Default 4096.
	MaxInFlight int
	// MaxEntryBytes bounds one proposal. Default 1 MiB.
	MaxEntryBytes int
	// EnqueueTimeout bounds the wait for raft to take a proposal. Default 1 s.
	EnqueueTimeout time.Duration
	// WriteDeadline bounds one write to the log or vote store; a node that
	// misses it is broken and says so through Fatal. Default 5 s.
	WriteDeadline time.Duration
	// CloseTimeout bounds each step of Close. Default 10 s.
	CloseTimeout time.Duration
	// Snapshots says when the log is compacted.
	Snapshots SnapshotConfig

	// parts replaces disk and network, in tests.
	parts *parts
}

// SnapshotConfig says when the log is compacted into a snapshot.
type SnapshotConfig struct {
	// Interval is how often the need is looked at (up to twice that, staggered
	// so that not all nodes do it at once). Default 30 s.
	Interval time.Duration
	// Threshold is how many entries since the last snapshot make a new one
	// worth it. Default 16384.
	Threshold uint64
	// Trailing is how many entries stay in the log behind a snapshot, so that
	// a follower that was away for a while needs no snapshot. Default 16384.
	Trailing uint64
	// Retain is how many snapshots are kept. Default 2.
	Retain int
}

// Server names one voter of a new cluster.
type Server struct {
	// ID is the node's Config.NodeID.
	ID string
	// Address is the node's Config.Address.
	Address string
}

func or[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func (c *Config) fill() {
	or(&c.Address, c.NodeID)
	if c.Peers == nil {
		c.Peers = noPeers{}
	}
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	or(&c.Log, slog.New(slog.DiscardHandler))
	or(&c.ElectionTimeout, time.Second)
	or(&c.LeaderLease, c.ElectionTimeout/2)
	or(&c.MaxBatch, 512)
	or(&c.MaxInFlight, 4096)
	or(&c.MaxEntryBytes, 1<<20)
	or(&c.EnqueueTimeout, time.Second)
	or(&c.WriteDeadline, 5*time.Second)
	or(&c.CloseTimeout, 10*time.Second)
	or(&c.Snapshots.Interval, 30*time.Second)
	or(&c.Snapshots.Threshold, 16384)
	or(&c.Snapshots.Trailing, 16384)
	or(&c.Snapshots.Retain, 2)
}

// raft translates into the library's own words and lets it check the ranges.
func (c *Config) raft() (*raft.Config, error) {
	r := raft.DefaultConfig()
	r.LocalID = raft.ServerID(c.NodeID)
	r.HeartbeatTimeout = c.ElectionTimeout
	r.ElectionTimeout = c.ElectionTimeout
	r.LeaderLeaseTimeout = c.LeaderLease
	r.CommitTimeout = min(50*time.Millisecond, c.ElectionTimeout/5)
	r.MaxAppendEntries = c.MaxBatch
	r.BatchApplyCh = true
	r.SnapshotInterval = c.Snapshots.Interval
	r.SnapshotThreshold = c.Snapshots.Threshold
	r.TrailingLogs = c.Snapshots.Trailing
	r.NoLegacyTelemetry = true
	r.Logger = newRaftLogger(c.Log, c.Clock)
	if err := raft.ValidateConfig(r); err != nil {
		return nil, errs.E("raftnode.config", errs.Invalid, err.Error(), err)
	}
	return r, nil
}
