package hostagent

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Guest is the machine that brings one guest to what is wanted, a turn at a
// time. Turns of one guest are never taken at once; turns of different guests
// may be.
type Guest struct {
	id string
	on *host

	mu        sync.Mutex
	interrupt context.CancelFunc

	seen        atomic.Pointer[assign.State]
	quarantined atomic.Bool
	idle        atomic.Bool
}

// host is what all guests of an agent share.
type host struct {
	rules    Rules
	hands    Hands
	ledger   *Ledger
	lease    *Lease
	reporter *Reporter
	clock    clock.Clock
	gates    gates
	counters *Counters
	log      *slog.Logger
	// lookAgain bounds how long a lost event may stay unseen.
	lookAgain time.Duration
	// asked is when the question was sent whose answer the desired state was
	// confirmed by last, by the host's clock.
	asked atomic.Int64
}

// ID is the guest's.
func (g *Guest) ID() string { return g.id }

// Quarantined tells whether the guest is on this host without being wanted
// here: it is left alone.
func (g *Guest) Quarantined() bool { return g.quarantined.Load() }

// Turn looks at the guest and does at most one step. With progress, take
// another turn at once; without, no later than wakeAfter from now, or when
// something happens.
func (g *Guest) Turn(ctx context.Context) (progress bool, wakeAfter time.Duration) {
	want, step, ok, err := g.decide(ctx)
	if err != nil {
		return false, g.trouble(ctx, "look", err)
	}
	if !ok {
		return false, g.wait(step.Wake)
	}
	gate := g.on.gates.of(step.Kind)
	if gate == nil {
		return g.perform(ctx, ctx, want, step)
	}
	return g.behindGate(ctx, gate)
}

// behindGate waits its turn for a heavy step and decides anew then: the wish
// may have changed meanwhile. A changed wish also ends the wait, and a fetch.
func (g *Guest) behindGate(ctx context.Context, gate chan struct{}) (bool, time.Duration) {
	soft, cancel := context.WithCancel(ctx)
	defer cancel()
	g.setInterrupt(cancel)
	defer g.setInterrupt(nil)
	leave, err := enter(soft, gate)
	if err != nil {
		return ctx.Err() == nil, 0
	}
	defer leave()
	want, step, ok, err := g.decide(ctx)
	if err != nil {
		return false, g.trouble(ctx, "look", err)
	}
	if !ok || g.on.gates.of(step.Kind) != gate {
		return true, 0
	}
	return g.perform(ctx, soft, want, step)
}

func (g *Guest) setInterrupt(cancel context.CancelFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.interrupt = cancel
}

// Interrupt ends a wait or a fetch that a changed wish may have made needless.
func (g *Guest) Interrupt() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.interrupt != nil {
		g.interrupt()
	}
}

// decide looks and asks Next.
func (g *Guest) decide(ctx context.Context) (Want, Step, bool, error) {
	want := g.on.want(g.id)
	obs, err := g.on.hands.Observe(ctx, g.id, want)
	if err != nil {
		return want, Step{}, false, err
	}
	rec := g.on.ledger.Record(g.id)
	step, ok := g.on.rules.Next(want, obs, rec, g.on.clock.Now())
	g.seen.Store(&obs.State)
	g.quarantine(!want.Known && obs.State != assign.Missing, obs)
	g.idle.Store(!want.Known && obs.State == assign.Missing && !ok)
	return want, step, ok, nil
}

func (g *Guest) quarantine(is bool, obs Observation) {
	if was := g.quarantined.Swap(is); is && !was {
		g.on.log.Warn("unknown guest: left alone", "guest", g.id, "state", obs.State, "permit", obs.Permit)
	}
}

// perform stores the intent, does the step and stores the result. soft ends
// sooner than ctx, and only a fetch heeds it.
func (g *Guest) perform(ctx, soft context.Context, want Want, step Step) (bool, time.Duration) {
	h := g.on
	if step.Kind == Forget {
		if err := h.ledger.Forget(g.id); err != nil {
			return false, g.trouble(ctx, "store", err)
		}
		return true, 0
	}
	if err := h.ledger.Put(step.Before); err != nil {
		return false, g.trouble(ctx, "store", err)
	}
	err := g.act(ctx, soft, want, step)
	if err != nil && soft.Err() != nil {
		return ctx.Err() == nil, 0 // interrupted: neither done nor failed
	}
	g.note(step, err)
	if err := h.ledger.Put(h.rules.Outcome(step, err, h.clock.Now())); err != nil {
		return false, g.trouble(ctx, "store", err)
	}
	return true, 0
}

// earlyLooks is how often in a row a guest may find its network not ready
// before that is worth a warning: with the usual waits, some three seconds.
const earlyLooks = 2

// note counts and logs the end of a step. A guest and its network are told of
// in one assignment and made ready at once, each in its own loop: a guest that
// is first is no failure.
func (g *Guest) note(step Step, err error) {
	h := g.on
	if err != nil && step.Kind == PlugNetwork && step.Before.Failures < earlyLooks {
		h.log.Debug("waits for the network", "guest", g.id, "err", err)
		return
	}
	h.counters.step(step.Kind, err)
	if err != nil {
		h.log.Warn("step failed", "guest", g.id, "step", step.Kind, "err", err)
	} else if step.Kind != Report {
		h.log.Info("step done", "guest", g.id, "step", step.Kind)
	}
}

func (g *Guest) act(ctx, soft context.Context, want Want, step Step) error {
	switch step.Kind {
	case Report:
		g.on.reporter.Offer(step.Observed)
		return nil
	case Prepare:
		return g.on.hands.Do(soft, want, step.Kind)
	case Start:
		// The ledger's disk may have taken its time since that was decided.
		if !g.on.stands() {
			return errs.Errorf("hostagent.start", errs.Unavailable, "The host lost its lease.")
		}
	}
	return g.on.hands.Do(ctx, want, step.Kind)
}

// trouble is a look or a store that failed: nothing was decided, so try again
// in a while.
func (g *Guest) trouble(ctx context.Context, what string, err error) time.Duration {
	if ctx.Err() == nil {
		g.on.counters.trouble()
		g.on.log.Error("guest's turn failed", "guest", g.id, "at", what, "kind", errs.KindOf(err), "err", err)
	}
	return g.on.rules.Backoff(3)
}

// wait is how long to rest when Next named the instant at, or none.
func (g *Guest) wait(at time.Time) time.Duration {
	if at.IsZero() {
		return g.on.lookAgain
	}
	return max(0, min(at.Sub(g.on.clock.Now()), g.on.lookAgain))
}
