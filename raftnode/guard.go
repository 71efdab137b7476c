package raftnode

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
)

// guard stands before the store that holds the log and the votes. A write
// that fails or is late breaks it for good: every later write fails at once,
// so that raft steps down, and the node reports itself broken. A failed fsync
// is never tried again, because the kernel may have dropped the pages and
// would say yes the second time.
type guard struct {
	raft.LogStore
	raft.StableStore
	clock    clock.Clock
	deadline time.Duration
	fatal    *tripwire

	mu     sync.Mutex
	broken error
	writes WriteStats
}

// WriteStats tells how the disk under the log behaves.
type WriteStats struct {
	// Count is how many writes (each with its fsync) were done.
	Count uint64
	// Last, Longest and Total are the times that they took.
	Last, Longest, Total time.Duration
}

func (g *guard) write(op string, f func() error) error {
	g.mu.Lock()
	broken := g.broken
	g.mu.Unlock()
	if broken != nil {
		return broken
	}
	start := g.clock.Mono()
	done := make(chan error, 1)
	// A write that hangs in the kernel can't be cancelled. Its goroutine is
	// left behind then; there is one at most, and the process is to end.
	go func() { done <- f() }()
	var err error
	select {
	case err = <-done:
	case <-g.clock.After(g.deadline):
		err = errs.Errorf("raftnode."+op, errs.Internal, "a write to the log store took longer than %v", g.deadline)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.broken = errs.E("raftnode."+op, errs.Internal, "the log store is broken", err)
		g.fatal.trip(g.broken)
		return g.broken
	}
	took := g.clock.Mono() - start
	g.writes.Count++
	g.writes.Last, g.writes.Total = took, g.writes.Total+took
	g.writes.Longest = max(g.writes.Longest, took)
	return nil
}

func (g *guard) stats() WriteStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.writes
}

// StoreLog implements raft.LogStore.
func (g *guard) StoreLog(l *raft.Log) error { return g.StoreLogs([]*raft.Log{l}) }

// StoreLogs implements raft.LogStore.
func (g *guard) StoreLogs(l []*raft.Log) error {
	return g.write("storeLogs", func() error { return g.append(l) })
}

func (g *guard) append(l []*raft.Log) error {
	if err := failpoint.Hit(context.Background(), failpoint.LogAppendBefore); err != nil {
		return err
	}
	if err := g.LogStore.StoreLogs(l); err != nil {
		return err
	}
	return failpoint.Hit(context.Background(), failpoint.LogAppendAfter)
}

// DeleteRange implements raft.LogStore.
func (g *guard) DeleteRange(from, to uint64) error {
	// An empty log tells 0 as its first index, and raft passes that on; the
	// store in memory then counts below zero.
	from = max(from, 1)
	return g.write("deleteRange", func() error { return g.LogStore.DeleteRange(from, to) })
}

// Set implements raft.StableStore.
func (g *guard) Set(k, v []byte) error {
	return g.write("set", func() error { return g.StableStore.Set(k, v) })
}

// SetUint64 implements raft.StableStore.
func (g *guard) SetUint64(k []byte, v uint64) error {
	return g.write("setUint64", func() error { return g.StableStore.SetUint64(k, v) })
}
