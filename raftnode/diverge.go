package raftnode

import (
	"errors"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

// divergeStore mends what raft does not: a node that once led alone may hold
// entries, never committed, at and beyond the place where a snapshot from the
// new leader ends. Raft installs the snapshot and keeps the entries, so the
// node then refuses what follows, gets the snapshot again, and so on for
// ever. When a received snapshot contradicts the log, the snapshot stands for
// all of it: the log is emptied, and the node stops to start anew, because
// raft remembers the end of the old log in memory.
type divergeStore struct {
	raft.SnapshotStore
	log   raft.LogStore
	elect *electorate
	fatal *tripwire
}

// Create implements raft.SnapshotStore.
func (s *divergeStore) Create(version raft.SnapshotVersion, index, term uint64, c raft.Configuration,
	configIndex uint64, trans raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, c, configIndex, trans)
	if err != nil {
		return nil, err
	}
	return &divergeSink{SnapshotSink: sink, store: s, index: index, term: term,
		elect: func() { s.elect.set(configIndex, c) }}, nil
}

type divergeSink struct {
	raft.SnapshotSink
	store       *divergeStore
	index, term uint64
	elect       func()
}

// Close makes the snapshot durable, then looks at the log.
func (s *divergeSink) Close() error {
	if err := s.SnapshotSink.Close(); err != nil {
		return err
	}
	s.elect()
	return s.store.settle(s.index, s.term)
}

func (s *divergeStore) settle(index, term uint64) error {
	const op = "raftnode.divergence"
	var entry raft.Log
	err := s.log.GetLog(index, &entry)
	if errors.Is(err, raft.ErrLogNotFound) || err == nil && entry.Term == term {
		return nil
	}
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	first, err := s.log.FirstIndex()
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	last, err := s.log.LastIndex()
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	if err := s.log.DeleteRange(first, last); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	s.fatal.trip(errs.Errorf(op, errs.Unavailable,
		"entries %d to %d of term %d were never committed; a snapshot of term %d replaced them, and this node has to be started again",
		index, last, entry.Term, term))
	return nil
}
