package raftnode

import (
	"errors"
	"path/filepath"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"

	"github.com/kvorum/kvorum/internal/errs"
)

// ScanLog reads the log in the data folder of a node that does not run, in
// order, and gives each proposal's entry to yield until that returns false. At
// is as the leader stamped it. The end of a log may hold entries that were
// never committed. Its beginning is gone once there are snapshots, and what
// lies before a gap that one from another node has left is not given. Internal
// if the log cannot be read.
func ScanLog(dir string, yield func(Entry) bool) (err error) {
	const op = "raftnode.scan"
	defer func() {
		if p := recover(); p != nil { // bbolt's answer to a file that is torn
			err = errs.Errorf(op, errs.Internal, "the log store is damaged: %v", p)
		}
	}()
	options := BoltOptions()
	options.ReadOnly = true
	store, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, raftDir, logFile), BoltOptions: options})
	if err != nil {
		return errs.E(op, errs.Internal, "the log store does not open", err)
	}
	defer store.Close()
	first, err := store.FirstIndex()
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	last, err := store.LastIndex()
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	if first, err = whole(store, max(first, 1), last); err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	for i := first; i <= last; i++ {
		var l raft.Log
		if err := store.GetLog(i, &l); err != nil {
			return errs.E(op, errs.Internal, "", err)
		}
		if l.Type != raft.LogCommand {
			continue
		}
		at, data, err := decodeEntry(l.Data)
		if err != nil {
			return err
		}
		if !yield(Entry{Index: l.Index, Term: l.Term, At: at, Data: data}) {
			return nil
		}
	}
	return nil
}

// whole gives the first index from which on there is no gap.
func whole(store *raftboltdb.BoltStore, first, last uint64) (uint64, error) {
	for i := last; i >= first; i-- {
		var l raft.Log
		switch err := store.GetLog(i, &l); {
		case errors.Is(err, raft.ErrLogNotFound):
			return i + 1, nil
		case err != nil:
			return 0, err
		}
	}
	return first, nil
}
