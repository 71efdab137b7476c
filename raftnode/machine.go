package raftnode

import (
	"context"
	"encoding/binary"
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
)

// StateMachine is what a Node replicates. Its methods are never called
// concurrently, but what Snapshot gave is written while ApplyBatch goes on.
type StateMachine interface {
	// ApplyBatch applies the entries in order and gives one result for each.
	// An error means that an entry can't be understood or that the state is
	// not what it must be: the node applies nothing more and reports it
	// through Fatal. A refusal by the rules of an entry is a result.
	ApplyBatch(entries []Entry) ([]any, error)
	// Snapshot saves the present state, in constant time.
	Snapshot() (io.WriterTo, error)
	// Restore replaces the whole state by a snapshot, or changes nothing and
	// gives an error.
	Restore(r io.Reader) error
}

// machine is the adapter between raft and the StateMachine. Apart from
// lastAt and the applied index, which others read, only raft's apply
// goroutine touches it.
type machine struct {
	sm      StateMachine
	fatal   *tripwire
	applied applied
	elect   electorate
	lastAt  atomic.Int64          // At of the last applied entry
	halted  atomic.Pointer[error] // set at the first entry that could not be applied
}

// halt is the result of an entry that was committed and not applied.
type halt struct{ err error }

// ApplyBatch implements raft.BatchingFSM.
func (m *machine) ApplyBatch(logs []*raft.Log) []any {
	out := make([]any, len(logs))
	err := m.stopped()
	if err == nil {
		if err = m.apply(logs, out); err != nil {
			m.halted.Store(&err)
			m.fatal.trip(err)
		}
	}
	if err != nil {
		for i := range out {
			out[i] = halt{err}
		}
	}
	return out
}

// stopped gives the error that stopped the state machine, if one did.
func (m *machine) stopped() error {
	if err := m.halted.Load(); err != nil {
		return *err
	}
	return nil
}

func (m *machine) apply(logs []*raft.Log, out []any) error {
	entries := make([]Entry, 0, len(logs))
	last := m.lastAt.Load()
	for _, l := range logs {
		if l.Type == raft.LogConfiguration {
			m.elect.set(l.Index, raft.DecodeConfiguration(l.Data))
		}
		if l.Type != raft.LogCommand {
			continue
		}
		at, data, err := decodeEntry(l.Data)
		if err != nil {
			return err
		}
		// The leader stamps above all that it has applied. A leader whose
		// clock is behind and that has not caught up may still stamp too low;
		// every node mends that in the same way.
		last = max(at, last+1)
		entries = append(entries, Entry{Index: l.Index, Term: l.Term, At: last, Data: data})
	}
	if len(entries) == 0 {
		return nil
	}
	if err := failpoint.Hit(context.Background(), failpoint.ApplyBefore); err != nil {
		return errs.E("raftnode.apply", errs.Internal, "", err)
	}
	results, err := m.sm.ApplyBatch(entries)
	if err != nil {
		return errs.E("raftnode.apply", errs.Internal, "", err)
	}
	if len(results) != len(entries) {
		return errs.Errorf("raftnode.apply", errs.Internal, "%d results for %d entries", len(results), len(entries))
	}
	next := 0
	for i, l := range logs {
		if l.Type == raft.LogCommand {
			out[i] = results[next]
			next++
		}
	}
	m.lastAt.Store(last)
	m.applied.set(entries[len(entries)-1].Index)
	if err := failpoint.Hit(context.Background(), failpoint.ApplyAfter); err != nil {
		return errs.E("raftnode.apply", errs.Internal, "", err)
	}
	return nil
}

// Apply implements raft.FSM; raft prefers ApplyBatch.
func (m *machine) Apply(l *raft.Log) any { return m.ApplyBatch([]*raft.Log{l})[0] }

// A snapshot is this frame, then the state machine's own bytes. The frame
// carries what the adapter itself must remember, so that a node restored from
// a snapshot stamps and counts as one that replayed the log.
const (
	frameMagic = "KVRN"
	frameBytes = len(frameMagic) + 1 + 8 + 8 // magic, version, applied, lastAt
)

// Snapshot implements raft.FSM.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	if err := m.stopped(); err != nil {
		// raft would label it with an index that was never applied.
		return nil, errs.E("raftnode.snapshot", errs.Internal, "", err)
	}
	source, err := m.sm.Snapshot()
	if err != nil {
		return nil, errs.E("raftnode.snapshot", errs.Internal, "", err)
	}
	frame := append(make([]byte, 0, frameBytes), frameMagic...)
	frame = append(frame, 1)
	frame = binary.BigEndian.AppendUint64(frame, m.applied.get())
	frame = binary.BigEndian.AppendUint64(frame, uint64(m.lastAt.Load()))
	return &snapshot{frame: frame, source: source}, nil
}

// Restore implements raft.FSM.
func (m *machine) Restore(rc io.ReadCloser) error {
	defer rc.Close()
	if err := m.stopped(); err != nil {
		return errs.E("raftnode.restore", errs.Internal, "", err)
	}
	frame := make([]byte, frameBytes)
	if _, err := io.ReadFull(rc, frame); err != nil {
		return errs.E("raftnode.restore", errs.Internal, "the snapshot is cut off", err)
	}
	if string(frame[:len(frameMagic)]) != frameMagic || frame[len(frameMagic)] != 1 {
		return errs.E("raftnode.restore", errs.Internal, "this is not a snapshot of this program", nil)
	}
	if err := m.sm.Restore(rc); err != nil {
		return errs.E("raftnode.restore", errs.Internal, "", err)
	}
	if err := failpoint.Hit(context.Background(), failpoint.RestoreMiddle); err != nil {
		return errs.E("raftnode.restore", errs.Internal, "", err)
	}
	numbers := frame[len(frameMagic)+1:]
	m.lastAt.Store(int64(binary.BigEndian.Uint64(numbers[8:])))
	m.applied.set(binary.BigEndian.Uint64(numbers))
	return nil
}

type snapshot struct {
	frame  []byte
	source io.WriterTo
}

// Persist implements raft.FSMSnapshot.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	_, err := sink.Write(s.frame)
	if err == nil {
		err = failpoint.Hit(context.Background(), failpoint.SnapshotMiddle)
	}
	if err == nil {
		_, err = s.source.WriteTo(sink)
	}
	if err == nil {
		err = failpoint.Hit(context.Background(), failpoint.SnapshotRename)
	}
	if err != nil {
		_ = sink.Cancel() // the first error is the one to tell
		return errs.E("raftnode.persist", errs.Internal, "", err)
	}
	return sink.Close()
}

// Release implements raft.FSMSnapshot. A saved root needs no releasing.
func (s *snapshot) Release() {}
