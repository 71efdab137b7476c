package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// tick is how often the duties look even when nothing changed.
const tick = time.Second

// Deps are what Run needs; all fields must be set.
type Deps struct {
	View func() state.View
	Feed *state.Feed
	// Propose puts a command in the log and waits until it is applied here.
	Propose func(ctx context.Context, by command.By, c command.Command) error
	Clock   clock.Clock
	// Term is the one that this node leads in: its commands are void in any
	// other.
	Term   uint64
	Leases *Leases
	// Lease is how long a host's lease lasts.
	Lease time.Duration
	// Counters count what is done; nil counts nothing.
	Counters *Counters
	Log      *slog.Logger
}

// Run does the duties until ctx ends. One command is in flight at a time.
func Run(ctx context.Context, d Deps) error {
	in := Inputs{Since: int64(d.Clock.Mono()), Life: int64(d.Lease), Checkpoint: d.View().Index}
	for ctx.Err() == nil {
		changed := d.Feed.Wait()
		timer := d.Clock.After(tick)
		for _, duty := range Duties {
			in.View, in.Leases = d.View(), d.Leases.All()
			in.Now, in.Wall = int64(d.Clock.Mono()), d.Clock.Now().UnixNano()
			began := d.Clock.Mono()
			cmds := duty.Do(in)
			d.Counters.ran(duty.Name, d.Clock.Mono()-began)
			for _, c := range cmds {
				d.propose(ctx, duty.Name, c)
				if cp, ok := c.(*command.StateCheckpoint); ok {
					in.Checkpoint = cp.Index
				}
			}
		}
		select {
		case <-changed:
		case <-timer:
		case <-ctx.Done():
		}
	}
	return nil
}

// propose asks for one command. A refusal is no trouble: the state moved on,
// and the duty will look again.
func (d Deps) propose(ctx context.Context, duty string, c command.Command) {
	err := d.Propose(ctx, command.By{System: command.Leader, Term: d.Term}, c)
	switch {
	case err == nil:
		d.Counters.done(duty, c, d.View())
		d.Log.Debug("duty done", "duty", duty, "kind", c.Kind())
	case errs.Is(err, errs.Conflict), ctx.Err() != nil:
		d.Counters.duty(duty, func(n *DutyCount) { n.Void++ })
		d.Log.Debug("duty refused", "duty", duty, "kind", c.Kind(), "error", err)
	default:
		d.Counters.duty(duty, func(n *DutyCount) { n.Failed++ })
		d.Log.Warn("duty failed", "duty", duty, "kind", c.Kind(), "error", err)
	}
}
