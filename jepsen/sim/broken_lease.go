package sim

import (
	"log/slog"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/leader"
)

// voter is a control node's side of the hosts' leases.
type voter interface {
	Renew(assign.LeaseRequest) (assign.LeaseAnswer, error)
	Poll(leader.PollRequest) (leader.PollAnswer, error)
	Rival(host, instance string) bool
}

// newVoter is the register of a node that starts.
func (w *world) newVoter(n *node) voter {
	c := leader.RegisterConfig{NodeID: n.name, Lease: w.opts.Lease, View: n.machine.View, Term: func() uint64 { return n.term },
		Electorate: w.electorate, Clock: n.clock, Log: slog.New(slog.DiscardHandler)}
	switch w.broken {
	case ForgetUptime:
		return ageless(c)
	case BreakPromise:
		return faithless{leader.NewRegister(c), leader.NewRegister(c)}
	}
	return leader.NewRegister(c)
}

// ageless is a register that does not know that it has just started: it lived
// through a while before, in which nobody came.
func ageless(c leader.RegisterConfig) voter {
	now, term := c.Clock, c.Term
	past := &since{Clock: now, back: 3 * c.Lease}
	c.Clock, c.Term = past, func() uint64 {
		if past.back > 0 {
			return 0
		}
		return term()
	}
	r := leader.NewRegister(c)
	for i := range 4 {
		if _, err := r.Poll(leader.PollRequest{Seq: uint64(i) + 1}); err != nil {
			panic("sim: " + err.Error())
		}
		past.back -= 3 * c.Lease / 4
	}
	past.back = 0
	return r
}

// since is a clock that is back in the past.
type since struct {
	clock.Clock
	back time.Duration
}

// Mono implements clock.Clock.
func (s *since) Mono() time.Duration { return s.Clock.Mono() - s.back }

// faithless promises to hold a host and grants it all the same.
type faithless struct{ says, does *leader.Register }

// Renew implements voter.
func (f faithless) Renew(q assign.LeaseRequest) (assign.LeaseAnswer, error) {
	if a, err := f.says.Renew(q); err != nil {
		return a, err
	}
	return f.does.Renew(q)
}

// Poll implements voter.
func (f faithless) Poll(q leader.PollRequest) (leader.PollAnswer, error) {
	a, err := f.says.Poll(q)
	if err == nil {
		_, err = f.does.Poll(leader.PollRequest{Term: q.Term, Seq: q.Seq})
	}
	return a, err
}

// Rival implements voter.
func (f faithless) Rival(host, instance string) bool { return f.does.Rival(host, instance) }

// selfImportant lets a leader take its own register for a majority.
func (w *world) selfImportant(n *node, r *round) {
	own, ok := r.answers[n.name]
	if w.broken != OwnVerdict || !ok {
		return
	}
	for _, other := range w.nodes {
		r.answers[other.name] = own
	}
}

// credulous is what a host makes of a call for its lease that failed.
func (w *world) credulous(ask hostagent.Ask, a assign.LeaseAnswer, err error) (assign.LeaseAnswer, error) {
	if w.broken != SelfGrant || err == nil || ask.NodeID == "" {
		return a, err
	}
	return assign.LeaseAnswer{ClusterID: ask.Request.ClusterID, Incarnation: 1, NodeID: ask.NodeID, Granted: true, Life: int64(w.opts.Lease)}, nil
}
