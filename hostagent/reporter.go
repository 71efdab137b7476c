package hostagent

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
)

// maxReport bounds the guests in one report.
const maxReport = 256

// Reporter tells the control plane what changed. It holds the newest
// observation of each guest until it is acknowledged; there is at most one for
// each guest.
type Reporter struct {
	hostID   string
	instance string // this life of the agent
	control  Control
	ledger   *Ledger
	counters *Counters
	log      *slog.Logger

	mu      sync.Mutex
	pending map[string]assign.Observed
	wake    chan struct{}
}

func newReporter(hostID, instance string, control Control, ledger *Ledger, counters *Counters, log *slog.Logger) *Reporter {
	return &Reporter{hostID: hostID, instance: instance, control: control, ledger: ledger, counters: counters, log: log,
		pending: map[string]assign.Observed{}, wake: make(chan struct{}, 1)}
}

// Offer takes an observation to be told; an older one of the same guest that
// was not told yet is dropped.
func (r *Reporter) Offer(o assign.Observed) {
	r.mu.Lock()
	r.pending[o.ID] = o
	r.mu.Unlock()
	poke(r.wake)
}

// poke wakes whoever waits on ch, once for any number of pokes.
func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// Pending is the number of guests that have something to be told.
func (r *Reporter) Pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending)
}

// batch takes at most limit pending observations, ordered, without removing
// them.
func (r *Reporter) batch(limit int) []assign.Observed {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]assign.Observed, 0, len(r.pending))
	for _, o := range r.pending {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b assign.Observed) int { return cmp.Compare(a.ID, b.ID) })
	return all[:min(limit, len(all))]
}

// settled removes what was told, unless there is newer.
func (r *Reporter) settled(all []assign.Observed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range all {
		if r.pending[o.ID] == o {
			delete(r.pending, o.ID)
		}
	}
}

// Flush tells what is pending, until nothing is or the control plane fails. A
// report that it refuses for good is taken apart, and the guest it refuses is
// dropped: it must not keep the others from being heard.
func (r *Reporter) Flush(ctx context.Context) error {
	limit := maxReport
	for {
		batch := r.batch(limit)
		if len(batch) == 0 {
			return nil
		}
		err := r.control.Report(ctx, assign.Report{HostID: r.hostID, Instance: r.instance, Seq: r.ledger.nextReport(), Guests: batch})
		if err == nil {
			err = failpoint.Hit(ctx, failpoint.ReportAfter)
		}
		switch {
		case err == nil:
			r.settled(batch)
			r.counters.add(func(n *Counts) { n.Reported += uint64(len(batch)) })
		case !refused(err):
			return err
		case len(batch) > 1:
			limit = 1
		default:
			r.settled(batch)
			r.counters.add(func(n *Counts) { n.Dropped++ })
			r.log.Error("report refused", "guest", batch[0].ID, "state", batch[0].State, "err", err)
		}
	}
}

// refused tells whether the content is what the control plane does not take.
func refused(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.TooLarge, errs.Gone:
		return true
	}
	return false
}

// run flushes whenever there is something, and tries again after a failure.
func (r *Reporter) run(ctx context.Context, clk clock.Clock, rules Rules) {
	for failures := 0; ; {
		select {
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		if err := r.Flush(ctx); err == nil {
			failures = 0
			continue
		} else if ctx.Err() == nil {
			r.log.Warn("report not delivered", "pending", r.Pending(), "err", err)
		}
		failures++
		if clock.Sleep(ctx, clk, rules.Spread(r.hostID, failures)) != nil {
			return
		}
		poke(r.wake)
	}
}
