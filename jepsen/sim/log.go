package sim

import (
	"bytes"
	"time"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
)

// logbook is the log: a list of entries that the front node applies as soon as
// they are committed. It may lose a proposal, or do it long after it said that
// it does not know.
type logbook struct {
	w       *world
	entries []fsm.Entry
	// hashes has the state's hash after each entry.
	hashes []state.Sum
	front  *fsm.Machine

	term uint64
	// skew is how far the present leader's clock is off.
	skew time.Duration
	// vacant says that there is no leader now.
	vacant bool
}

func newLogbook(w *world) *logbook { return &logbook{w: w, front: fsm.New(true), term: 1} }

// propose is what every node does with a command. Its outcomes are those of
// the real one: done, refused, or unknown.
func (l *logbook) propose(env command.Envelope) (fsm.Result, error) {
	const op = "sim.propose"
	data, err := command.Encode(env)
	if err != nil {
		return fsm.Result{}, err
	}
	if l.vacant {
		return fsm.Result{}, errs.Errorf(op, errs.Unavailable, "There is no leader.")
	}
	unknown := errs.Errorf(op, errs.Unknown, "It is not known whether that was done.")
	o, c := l.w.opts, l.w.net
	switch {
	case l.w.fault("vanish", c.permille(o.Vanish)):
		if l.w.broken == AckEarly {
			return fsm.Result{Index: uint64(len(l.entries) + 1), IDs: nil}, nil
		}
		return fsm.Result{}, unknown
	case l.w.fault("delay", c.permille(o.Delay)):
		l.w.in(c.span(10*time.Millisecond, 20*time.Second), func() { l.commit(data) })
		return fsm.Result{}, unknown
	case l.w.fault("mute", c.permille(o.Mute)):
		l.commit(data)
		return fsm.Result{}, unknown
	}
	r := l.commit(data)
	return r, r.Err
}

// commit appends an entry and applies it.
func (l *logbook) commit(data []byte) fsm.Result {
	e := fsm.Entry{Index: uint64(len(l.entries) + 1), Term: l.term, At: l.w.clock.Now().Add(l.skew).UnixNano(), Data: data}
	l.entries = append(l.entries, e)
	before := l.front.View()
	r := l.front.ApplyBatch([]fsm.Entry{e})[0]
	l.hashes = append(l.hashes, l.front.View().Hash())
	env, err := command.Decode(data)
	if err != nil {
		panic("sim: what was applied does not decode: " + err.Error())
	}
	l.w.committed(entry{Entry: e, env: env, result: r, before: before, after: l.front.View()})
	return r
}

// entry is a committed entry with what it did.
type entry struct {
	fsm.Entry
	env           command.Envelope
	result        fsm.Result
	before, after state.View
}

// fresh says that this entry did something, and was no repetition.
func (e entry) fresh() bool { return e.result.Err == nil && e.result.Index == e.Index }

// newTerm deposes the leader. After a while without one, the next begins.
func (l *logbook) newTerm() {
	l.vacant = true
	l.w.film.line("c1", "!", "leader lost", "term=%d", l.term)
	l.w.in(l.w.flt.span(100*time.Millisecond, 3*time.Second), func() {
		if !l.vacant {
			return
		}
		l.begin(l.w.flt.span(-2*time.Second, 2*time.Second))
	})
}

// begin starts a term with a leader whose clock is off by skew.
func (l *logbook) begin(skew time.Duration) {
	l.vacant = false
	l.term++
	l.skew = skew
	l.w.control.lead()
	l.w.film.line("c1", "*", "leader", "term=%d clock=%+dms", l.term, skew.Milliseconds())
}

// snapshot is the front node's state as a snapshot.
func (l *logbook) snapshot() []byte {
	var b bytes.Buffer
	if _, err := l.front.Snapshot().WriteTo(&b); err != nil {
		panic("sim: a snapshot to memory failed: " + err.Error())
	}
	if l.w.broken == LoseTable {
		return withoutTable(b.Bytes(), "permits")
	}
	return b.Bytes()
}

// restartFront stops the front node and starts it again from its snapshot.
func (l *logbook) restartFront() {
	m := fsm.New(true)
	if err := m.Restore(bytes.NewReader(l.snapshot())); err != nil {
		l.w.violated("replicas agree", "the front node's snapshot cannot be restored: %v", err)
		return
	}
	l.front = m
	l.w.counts.Restores++
	l.w.control.open()
	l.w.film.line("c1", "!", "restart", "index=%d", m.View().Index)
	l.w.agree("c1", m)
}
