package raftnode

import (
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

	"github.com/kvorum/kvorum/internal/errs"
)

// parts is what a node stands on. Tests bring their own.
type parts struct {
	log    raft.LogStore
	stable raft.StableStore
	snaps  raft.SnapshotStore
	trans  raft.Transport
	close  func() error
}

const (
	logFile = "log.db"
	// lockTimeout bounds the wait for another process that holds the store.
	lockTimeout = time.Second
	// cachedEntries stay in memory for followers that are a little behind.
	cachedEntries = 1024
)

// BoltOptions are how the log store is opened. Without them the list of free
// pages is written with each commit, which costs a factor of ten after a
// burst. It is rebuilt when the store is opened. Each commit is fsynced.
func BoltOptions() *bbolt.Options {
	return &bbolt.Options{
		Timeout:        lockTimeout,
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
	}
}

// openParts opens the stores in the folder dir.
func openParts(cfg *Config, dir string) (*parts, error) {
	path := filepath.Join(dir, logFile)
	store, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: BoltOptions()})
	if err != nil {
		return nil, errs.E("raftnode.openStore", errs.Internal, "the log store "+path+" does not open", err)
	}
	snaps, err := raft.NewFileSnapshotStoreWithLogger(dir, cfg.Snapshots.Retain, newRaftLogger(cfg.Log, cfg.Clock))
	if err != nil {
		_ = store.Close()
		return nil, errs.E("raftnode.openStore", errs.Internal, "the snapshot folder does not open", err)
	}
	return &parts{
		log:    store,
		stable: store,
		snaps:  snaps,
		trans:  newTransport(cfg.Stream, cfg.Address, cfg.Log, cfg.Clock),
		close:  store.Close,
	}, nil
}

// guarded puts the guard, the one-write vote and the cache before the stores.
func (p *parts) guarded(cfg *Config, fatal *tripwire) (*guard, raft.LogStore, raft.StableStore, error) {
	g := &guard{
		LogStore: p.log, StableStore: p.stable,
		clock: cfg.Clock, deadline: cfg.WriteDeadline, fatal: fatal,
	}
	cache, err := raft.NewLogCache(cachedEntries, g)
	if err != nil {
		return nil, nil, nil, errs.E("raftnode.openStore", errs.Internal, "", err)
	}
	return g, cache, &voteStore{StableStore: g}, nil
}
