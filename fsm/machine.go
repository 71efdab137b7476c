package fsm

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// FeedSize is how many changes the feed remembers.
const FeedSize = 1 << 14

// MaxResults is how many answers are remembered at most; beyond it the one
// that would be forgotten first goes.
const MaxResults = 1 << 16

// DefaultKeep is how long an answer is remembered whose request does not say,
// in nanoseconds: 10 minutes, far beyond any internal retry.
const DefaultKeep = int64(600e9)

// Entry is one committed log entry.
type Entry struct {
	Index, Term uint64
	// At is the leader's clock, Unix nanoseconds.
	At   int64
	Data []byte
}

// Result is what an entry did: the ids of what it made, or the refusal.
type Result struct {
	Index uint64
	IDs   []string
	Err   error
}

// Machine applies entries. ApplyBatch and Restore are called by one goroutine;
// everything else by any number.
type Machine struct {
	store *state.Store
	// check makes the machine verify every invariant after each entry.
	check bool
}

// New makes an empty machine. With check it panics as soon as an invariant
// does not hold: for tests and the simulator.
func New(check bool) *Machine {
	return &Machine{store: state.NewStore(FeedSize), check: check}
}

// View is the latest state.
func (m *Machine) View() state.View { return m.store.View() }

// Snapshot is everything, for a new node to begin from.
func (m *Machine) Snapshot() state.Snapshot { return m.store.Snapshot() }

// Feed tells what changed.
func (m *Machine) Feed() *state.Feed { return m.store.Feed() }

// HashAt is the state's hash after an index, if it is still remembered.
func (m *Machine) HashAt(index uint64) (state.Sum, bool) { return m.store.HashAt(index) }

// ApplyBatch applies entries in order and shows the outcome of all of them at
// once. It panics on an entry that it cannot read: the node must stop.
func (m *Machine) ApplyBatch(entries []Entry) []Result {
	results := make([]Result, len(entries))
	for i, e := range entries {
		results[i] = m.apply(e)
	}
	m.store.Publish()
	return results
}

func (m *Machine) apply(e Entry) Result {
	env, err := command.Decode(e.Data)
	if err != nil {
		panic(fmt.Sprintf("fsm: entry %d cannot be read by this version (%v); a newer version wrote it, or the log is damaged: not going on", e.Index, err))
	}
	tx := m.store.Begin(state.Stamp{Index: e.Index, Term: e.Term, At: e.At})
	if r := tx.Result(env.ID); env.ID != "" && r != nil {
		tx.Rollback()
		return again(r, env, e.Data)
	}
	meta := command.Meta{Stamp: tx.Stamp, By: env.By, RequestID: env.ID}
	ids, err := admit(tx, env, meta)
	if err != nil {
		tx.Undo()
	}
	remember(tx, env, e.Data, ids, err)
	forget(tx)
	tx.Commit()
	m.verify(env.Command, err)
	return Result{Index: e.Index, IDs: ids, Err: err}
}

// admit checks the actor and lets the command do its work.
func admit(tx *state.Tx, env command.Envelope, meta command.Meta) ([]string, error) {
	if err := checkActor(tx.View, env, meta); err != nil {
		return nil, err
	}
	return env.Command.Apply(tx, meta)
}

// checkActor refuses commands of a deposed leader, and of users and projects
// that changed since the request was authorized. Who acts without a project
// acts on itself: on its tokens or its password.
func checkActor(v state.View, env command.Envelope, meta command.Meta) error {
	const op = "fsm.actor"
	by := env.By
	if by.System == command.Leader && by.Term != meta.Term {
		return errs.Errorf(op, errs.Conflict, "the duty of term %d came to be applied in term %d", by.Term, meta.Term)
	}
	if by.System != "" {
		return nil
	}
	u, p := v.User(by.UserID), v.Project(by.ProjectID)
	inProject := p != nil && !p.Disabled && p.Epoch <= by.ProjectEpoch
	if u == nil || u.Disabled || u.Epoch > by.UserEpoch || by.ProjectID != "" && !inProject {
		return errs.Errorf(op, errs.Unauthorized, "the user or project changed while the request was under way: authenticate again")
	}
	return nil
}

// again gives a repeated request its first answer.
func again(r *model.Result, env command.Envelope, data []byte) Result {
	if hi, lo := digest(data); r.Kind != env.Command.Kind() || r.DigestHi != hi || r.DigestLo != lo {
		return Result{Index: r.Index, Err: errs.Errorf("fsm.again", errs.Conflict,
			"the request id %s was used before for something else", env.ID)}
	}
	if r.ErrMsg != "" {
		return Result{Index: r.Index, Err: errs.E("fsm.again", errs.Kind(r.ErrKind), r.ErrMsg, nil)}
	}
	return Result{Index: r.Index, IDs: r.IDs}
}

// digest tells two bodies apart; 128 bits are plenty between requests that
// carry the same id.
func digest(data []byte) (hi, lo uint64) {
	sum := sha256.Sum256(data)
	return binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])
}

func remember(tx *state.Tx, env command.Envelope, data []byte, ids []string, err error) {
	if env.ID == "" {
		return
	}
	keep := DefaultKeep
	if env.Keep > 0 {
		keep = env.Keep * 1e9
	}
	hi, lo := digest(data)
	r := &model.Result{ID: env.ID, Kind: env.Command.Kind(), DigestHi: hi, DigestLo: lo, Index: tx.Index, At: tx.At, Until: tx.At + keep, IDs: ids}
	if err != nil {
		r.IDs, r.ErrKind, r.ErrMsg = nil, uint8(errs.KindOf(err)), errs.Message(err)
	}
	tx.PutResult(r)
}

// forget drops a few answers whose time is over, so that the work is spread
// evenly over the entries.
func forget(tx *state.Tx) {
	var old []string
	excess := tx.ResultCount() - MaxResults
	for r := range tx.ResultsByUntil() {
		if len(old) == 2 || r.Until >= tx.At && len(old) >= excess {
			break
		}
		old = append(old, r.ID)
	}
	for _, id := range old {
		tx.DeleteResult(id)
	}
}

// verify looks at the state after an entry where the machine was told to, and
// compares checkpoints always.
func (m *Machine) verify(c command.Command, refused error) {
	if cp, ok := c.(*command.StateCheckpoint); ok && refused == nil {
		if own, known := m.store.HashAt(cp.Index); known && cp.Schema == state.SnapshotVersion && own.String() != cp.Hash {
			panic(fmt.Sprintf("fsm: state at index %d has hash %s here and %s on the leader: this node has diverged and stops", cp.Index, own, cp.Hash))
		}
	}
	if m.check {
		m.store.Publish()
		if bad := state.Check(m.View()); len(bad) > 0 {
			panic(fmt.Sprintf("fsm: after %s: %v", c.Kind(), bad))
		}
	}
}

// Restore replaces the state by a snapshot, whole or not at all.
func (m *Machine) Restore(r io.Reader) error { return m.store.Restore(r) }
