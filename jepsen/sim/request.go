package sim

import (
	"time"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
)

// request is one wish of a user, as a front door puts it into the log. Whoever
// asked tries again, with the same id, until there is an answer.
type request struct {
	w   *world
	n   int
	env command.Envelope
	// attempts are all tries; done counts those entries of this request that
	// changed something: more than one is too many.
	attempts, done int
	answered       bool
	// index is that of the entry which did it, as the answer says; err is the
	// refusal.
	index uint64
	ids   []string
	err   error
	then  func()
}

// patience is how long a client waits for an answer before it tries again. All
// tries of a request together must stay below the time for which its result is
// remembered.
const patience = 8 * time.Second

// send makes one attempt.
func (r *request) send() {
	if r.answered {
		return
	}
	r.attempts++
	if r.attempts > 1 {
		r.w.counts.Retries++
		if r.w.broken == NewID {
			r.env.ID = "req-" + r.w.ids.uuid()
			r.w.requests[r.env.ID] = r
		}
	}
	attempt, env := r.attempts, r.env
	c, o := r.w.net, r.w.opts
	if !r.w.fault("loss", c.permille(o.Loss)) {
		way := c.span(time.Millisecond, 40*time.Millisecond)
		if r.w.fault("late", c.permille(o.Late)) {
			way = c.span(time.Second, 30*time.Second)
		}
		r.w.in(way, func() { r.deliver(env) })
		if r.w.fault("twice", c.permille(o.Twice)) {
			r.w.in(c.span(time.Millisecond, 20*time.Second), func() { r.deliver(env) })
		}
	}
	r.w.in(patience, func() {
		if !r.answered && r.attempts == attempt {
			r.send()
		}
	})
}

// deliver is an attempt's arrival at a control node, whichever it is.
func (r *request) deliver(env command.Envelope) {
	n := r.w.nodes[r.w.net.IntN(len(r.w.nodes))]
	n.run(n.life, func() { r.arrive(n, env) })
}

func (r *request) arrive(n *node, env command.Envelope) {
	res, err := n.propose(env)
	if r.w.fault("mute", r.w.net.permille(r.w.opts.Mute)) {
		return
	}
	r.w.in(r.w.net.span(time.Millisecond, 40*time.Millisecond), func() { r.answer(res, err) })
}

// answer is an attempt's answer at the client. Only one that is final counts.
func (r *request) answer(res fsm.Result, err error) {
	if r.answered {
		return
	}
	if err != nil && errs.KindOf(err).Retryable() {
		attempt := r.attempts
		r.w.in(r.w.net.span(100*time.Millisecond, 2*time.Second), func() {
			if r.attempts == attempt {
				r.send()
			}
		})
		return
	}
	r.answered, r.index, r.ids, r.err = true, res.Index, res.IDs, err
	r.w.answered(r)
	if r.then != nil {
		r.then()
	}
}
