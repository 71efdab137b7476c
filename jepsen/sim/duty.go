package sim

import (
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/leader"
)

// duties is a node's life as the leader of one term: what leader.Run does, cut
// into events.
type duties struct {
	n      *node
	term   uint64
	caller *leader.Caller
	in     leader.Inputs
	ready  bool // everything of earlier terms is applied
	busy   bool // the duties are under way
	again  bool // and something changed meanwhile
	asking bool // a question to the voters is under way
}

// active says that the node still believes that it leads in this term.
func (d *duties) active() bool { return d.n.leading == d }

// begin starts the duties.
func (d *duties) begin() {
	if !d.active() {
		return
	}
	d.ready, d.in.Checkpoint = true, d.n.machine.View().Index
	d.tick()
}

// tick wakes the duties and asks the voters, once a second.
func (d *duties) tick() {
	if !d.active() {
		return
	}
	d.wake()
	if !d.asking && len(d.n.w.hosts) > 0 {
		d.ask()
	}
	d.n.in(time.Second, d.tick)
}

// wake sets the duties to work soon; they look at everything each time.
func (d *duties) wake() {
	if d.busy || !d.ready {
		d.again = true
		return
	}
	d.busy, d.again = true, false
	d.n.in(d.n.w.net.span(time.Millisecond, 50*time.Millisecond), func() { d.duty(0) })
}

// duty does the i-th duty and then those behind it. What it decides comes to
// the log a moment later, when the state may be another, and the leader too.
func (d *duties) duty(i int) {
	if !d.active() {
		return
	}
	if i == len(leader.Duties) {
		d.busy = false
		if d.again {
			d.wake()
		}
		return
	}
	d.in.View, d.in.Ballot, d.in.Wall = d.n.machine.View(), d.caller.Ballot(), d.n.clock.Now().UnixNano()
	commands := leader.Duties[i].Do(d.in)
	if len(commands) == 0 {
		d.duty(i + 1)
		return
	}
	d.n.in(d.n.w.net.span(0, 200*time.Millisecond), func() {
		for _, x := range commands {
			// A refusal or an unknown outcome is no trouble: the duty looks again.
			_, _ = d.n.propose(command.Envelope{By: command.By{System: command.Leader, Term: d.term}, Command: x})
			if cp, ok := x.(*command.StateCheckpoint); ok {
				d.in.Checkpoint = cp.Index
			}
		}
		d.duty(i + 1)
	})
}

// round is one question to all voters, with the answers that came in time.
type round struct {
	q       leader.PollRequest
	answers map[string]leader.PollAnswer
}

// ask puts the next question to every voter, and counts what was answered when
// the time for it is over.
func (d *duties) ask() {
	d.asking = true
	w := d.n.w
	q, _ := d.caller.Ask(d.n.machine.View(), w.electorate(), d.n.clock.Mono())
	r := &round{q: q, answers: map[string]leader.PollAnswer{}}
	late := 20 * time.Millisecond
	for _, n := range w.nodes {
		if d.call(n, r) {
			late = time.Second
		}
	}
	d.n.in(late, func() { d.count(r) })
}

// count takes the answers of a round.
func (d *duties) count(r *round) {
	d.asking = false
	if !d.active() {
		return
	}
	d.n.w.selfImportant(d.n, r)
	d.caller.Count(r.q, r.answers)
	d.wake()
}

// call carries the question to one voter and its answer back, now or in a while
// (true), or not at all.
func (d *duties) call(to *node, r *round) (slow bool) {
	w, o, c := d.n.w, d.n.w.opts, d.n.w.net
	put := func(back bool) {
		a, err := to.register.Poll(r.q)
		if back && err == nil {
			r.answers[to.name] = a
		}
	}
	life := to.life
	later := func(lo, hi time.Duration, back bool) {
		w.in(c.span(lo, hi), func() { to.run(life, func() { put(back) }) })
	}
	switch {
	case to == d.n:
		put(true)
	case to.dark || to.isolated || d.n.isolated:
		return true
	case w.fault("poll lost", c.permille(o.Loss)):
		return true
	case to.paused || w.fault("poll late", c.permille(o.Late)):
		later(50*time.Millisecond, 20*time.Second, false)
		return true
	case w.fault("poll slow", c.permille(o.Slow)):
		later(0, 1500*time.Millisecond, true)
		return true
	default:
		if w.fault("poll twice", c.permille(o.Twice)) {
			later(50*time.Millisecond, 20*time.Second, false)
		}
		put(!w.fault("poll mute", c.permille(o.Mute)))
	}
	return false
}
