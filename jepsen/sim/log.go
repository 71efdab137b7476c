package sim

import (
	"bytes"
	"time"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
)

// logbook is the log, above which everything here happens: a list of committed
// entries, and who leads. The nodes apply them in their own time; the front
// machine, which is nobody's, applies them at once: it is the truth that the
// checkers know.
type logbook struct {
	w       *world
	entries []fsm.Entry
	// hashes has the state's hash after each entry.
	hashes []state.Sum
	front  *fsm.Machine

	term uint64
	// leader is whom a majority follows; nil for nobody. A node that is not it may
	// still believe that it leads.
	leader *node
	lastAt int64
}

func newLogbook(w *world) *logbook { return &logbook{w: w, front: fsm.New(true), term: 1} }

var errUnknown = errs.Errorf("sim.propose", errs.Unknown, "It is not known whether that was done.")

func unavailable(op, why string) error { return errs.E(op, errs.Unavailable, why, nil) }

// propose is what the leader does with a command, its own or a forwarded one.
// Its outcomes are those of the real one: done, refused, or unknown.
func (l *logbook) propose(data []byte) (fsm.Result, error) {
	o, c := l.w.opts, l.w.net
	switch {
	case l.w.fault("vanish", c.permille(o.Vanish)):
		if l.w.broken == AckEarly {
			return fsm.Result{Index: uint64(len(l.entries) + 1), IDs: nil}, nil
		}
		return fsm.Result{}, errUnknown
	case l.w.fault("delay", c.permille(o.Delay)):
		l.w.in(c.span(10*time.Millisecond, 20*time.Second), func() {
			if l.leader != nil {
				l.commit(data)
			}
		})
		return fsm.Result{}, errUnknown
	case l.w.fault("mute", c.permille(o.Mute)):
		l.commit(data)
		return fsm.Result{}, errUnknown
	}
	r := l.commit(data)
	return r, r.Err
}

// commit appends an entry and applies it to the truth.
func (l *logbook) commit(data []byte) fsm.Result {
	now := l.w.clock.Now()
	if l.leader != nil {
		now = l.leader.clock.Now()
	}
	l.lastAt = max(now.UnixNano(), l.lastAt+1)
	e := fsm.Entry{Index: uint64(len(l.entries) + 1), Term: l.term, At: l.lastAt, Data: data}
	l.entries = append(l.entries, e)
	before := l.front.View()
	r := l.front.ApplyBatch([]fsm.Entry{e})[0]
	l.hashes = append(l.hashes, l.front.View().Hash())
	env, err := command.Decode(data)
	if err != nil {
		panic("sim: what was applied does not decode: " + err.Error())
	}
	l.w.committed(entry{Entry: e, env: env, result: r, before: before, after: l.front.View()})
	if n := l.leader; n != nil {
		n.in(l.w.net.span(0, 30*time.Millisecond), func() { n.catchUp(int(e.Index)) })
	}
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

// lose deposes the leader: one that is told knows it at once, another one goes on
// until it hears of the next. After a while there is an election.
func (l *logbook) lose(told bool) {
	if n := l.leader; n != nil {
		l.leader = nil
		l.w.film.line(n.name, "!", "leader lost", "term=%d told=%t", l.term, told)
		if told {
			n.stepDown()
		}
	}
	l.w.in(l.w.flt.span(100*time.Millisecond, 3*time.Second), l.elect)
}

// elect lets a majority of the nodes vote for one of them. Those that vote have
// the new term in their vote store then; the others hear of it from the leader.
func (l *logbook) elect() {
	if l.leader != nil {
		return
	}
	var able []*node
	for _, n := range l.w.nodes {
		if n.well() {
			able = append(able, n)
		}
	}
	if 2*len(able) <= len(l.w.nodes) {
		l.w.in(time.Second, l.elect)
		return
	}
	l.w.flt.Shuffle(len(able), func(i, j int) { able[i], able[j] = able[j], able[i] })
	l.term++
	l.w.counts.Leaders++
	l.leader = able[0]
	l.w.film.line(able[0].name, "*", "leader", "term=%d", l.term)
	for i, n := range able {
		if 2*i <= len(l.w.nodes) {
			n.learn(l.term)
		} else {
			n.hear(1500 * time.Millisecond)
		}
	}
	able[0].lead()
}

// snapshot is a machine's state as a snapshot.
func (l *logbook) snapshot(m *fsm.Machine) []byte {
	var b bytes.Buffer
	if _, err := m.Snapshot().WriteTo(&b); err != nil {
		panic("sim: a snapshot to memory failed: " + err.Error())
	}
	if l.w.broken == LoseTable {
		return withoutPermits(b.Bytes())
	}
	return b.Bytes()
}
