package sim

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/api/agentapi"
	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/leader"
)

const agentToken = "simulated"

// control is the control nodes seen from outside: the agents' door, and the
// leader's duties.
type control struct {
	w      *world
	door   http.Handler
	leases *leader.Leases
	in     leader.Inputs
	busy   bool // the duties are under way
	again  bool // and something changed meanwhile
}

// open makes the doors anew: a node's feed is another one after its restart.
func (c *control) open() {
	c.door = (&agentapi.Door{
		Cluster: c, Peek: c.peek, Feed: c.w.log.front.Feed(),
		Renew:  func(host string) { c.leases.Renew(host, c.w.clock.Mono()) },
		Images: noImages{}, Opener: noSecrets{}, Token: agentToken,
		Clock: impatient{c.w.clock}, Log: slog.New(slog.DiscardHandler), NewID: c.w.ids.uuid,
	}).Handler()
}

// lead begins a term: a new leader has heard nobody yet.
func (c *control) lead() {
	c.leases = leader.NewLeases()
	c.in = leader.Inputs{Since: int64(c.w.clock.Mono()), Life: int64(c.w.opts.Lease), Checkpoint: c.w.log.front.View().Index}
	c.wake()
}

// tick wakes the duties at least once a second.
func (c *control) tick() {
	c.wake()
	c.w.in(time.Second, c.tick)
}

// wake sets the duties to work soon; they look at everything each time.
func (c *control) wake() {
	if c.busy {
		c.again = true
		return
	}
	c.busy, c.again = true, false
	c.w.in(c.w.net.span(time.Millisecond, 50*time.Millisecond), func() { c.duty(0, c.w.log.term) })
}

// duty does the i-th duty and then those behind it. What it decides comes to
// the log a moment later, when the state may be another.
func (c *control) duty(i int, term uint64) {
	if i == len(leader.Duties) {
		c.busy = false
		if c.again {
			c.wake()
		}
		return
	}
	c.in.View, c.in.Leases = c.w.log.front.View(), c.leases.All()
	c.in.Now, c.in.Wall = int64(c.w.clock.Mono()), c.w.clock.Now().Add(c.w.log.skew).UnixNano()
	commands := leader.Duties[i].Do(c.in)
	if len(commands) == 0 {
		c.duty(i+1, term)
		return
	}
	c.w.in(c.w.net.span(0, 200*time.Millisecond), func() {
		for _, x := range commands {
			// A refusal or an unknown outcome is no trouble: the duty looks again.
			_, _ = c.w.log.propose(command.Envelope{By: command.By{System: command.Leader, Term: term}, Command: x})
			if cp, ok := x.(*command.StateCheckpoint); ok {
				c.in.Checkpoint = cp.Index
			}
		}
		c.duty(i+1, term)
	})
}

// Read implements rest.Cluster.
func (c *control) Read(context.Context) (state.View, error) {
	if c.w.log.vacant {
		return state.View{}, errs.Errorf("sim.read", errs.Unavailable, "There is no leader.")
	}
	return c.w.log.front.View(), nil
}

// Propose implements rest.Cluster.
func (c *control) Propose(_ context.Context, e command.Envelope) (rest.Done, error) {
	r, err := c.w.log.propose(e)
	if err != nil {
		return rest.Done{}, err
	}
	return rest.Done{Index: r.Index, IDs: r.IDs, View: c.w.log.front.View()}, nil
}

// peek is the state as some control node knows it, which may be old.
func (c *control) peek() state.View {
	n := c.w.net.IntN(len(c.w.replicas) + 1)
	if n == 0 || c.w.replicas[n-1].next == 0 {
		return c.w.log.front.View()
	}
	return c.w.replicas[n-1].machine.View()
}

// impatient is a clock for a door that never holds an answer back: the
// simulated agents ask often enough.
type impatient struct{ clock.Clock }

// After implements clock.Clock.
func (i impatient) After(time.Duration) <-chan time.Time { return i.Clock.After(0) }

// noImages has no bytes: simulated hosts have their images as they need them.
type noImages struct{}

// Open implements agentapi.Images.
func (noImages) Open(string) (io.ReadCloser, int64, error) {
	return nil, 0, errs.Errorf("sim.images", errs.NotFound, "There are no bytes here.")
}

// noSecrets leaves what is sealed as it is.
type noSecrets struct{}

// Open implements agentapi.Opener.
func (noSecrets) Open(_ string, sealed []byte) ([]byte, error) { return sealed, nil }
