package hostagent

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

// LeaseTransport is how a host asks a control node for its lease.
type LeaseTransport interface {
	// Renew asks the control node at the address, and no other one. A lease that
	// is not granted is an answer, and no error.
	Renew(ctx context.Context, address string, r assign.LeaseRequest) (assign.LeaseAnswer, error)
}

// neverAsked is before every reading of a clock.
const neverAsked = int64(-1 << 62)

// instance names this life of the agent: the machine's boot, and a number that
// no other life by the same ledger has. A copy of the disk in another machine
// differs by the boot.
func instance(boot string, l *Ledger) string {
	if len(boot) > 64 {
		boot = boot[:64]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return boot + "/" + strconv.FormatUint(l.reports, 10)
}

// stands tells whether the control plane stands by the desired state: it said so
// under the lease that the host holds now, and has held ever since. Only then may
// a guest be started.
func (h *host) stands() bool {
	return h.ledger.Confirmed() && h.lease.Covers(time.Duration(h.asked.Load()), h.clock.Mono())
}

// want is what is wanted of the guest.
func (h *host) want(id string) Want {
	w := h.ledger.Want(id)
	w.Confirmed = w.Confirmed && h.stands()
	return w
}

// Renew makes the calls that are due, one after another, in the caller's thread;
// it is for those that do not Run.
func (a *Agent) Renew(ctx context.Context) {
	for _, ask := range a.lease.Due(a.clock.Mono()) {
		a.renew(ctx, ask)
	}
}

// renew makes one call.
func (a *Agent) renew(ctx context.Context, ask Ask) {
	ctx, cancel := context.WithTimeout(ctx, ask.Timeout)
	defer cancel()
	before := a.lease.Held(a.clock.Mono())
	answer, err := a.leases.Renew(ctx, ask.Address, ask.Request)
	if err != nil {
		a.lease.Failed(ask)
		a.log.Debug("lease not renewed", "node", ask.Address, "err", err)
		return
	}
	now := a.clock.Mono()
	a.lease.Answered(ask, answer, now)
	if !answer.Granted {
		a.log.Debug("lease not granted", "node", answer.NodeID, "reason", answer.Reason)
	}
	if a.lease.Held(now) && !before {
		a.log.Info("lease held", "node", answer.NodeID)
		if a.stands() {
			a.wakeAll() // asked in the same instant
		} else {
			a.askAnew()
		}
	}
}

// renewing renews the lease for as long as the agent runs. Each voter has its own
// call, so that one which does not answer holds no other up.
func (a *Agent) renewing(ctx context.Context) {
	var calls sync.WaitGroup
	defer calls.Wait()
	held := false
	for ctx.Err() == nil {
		now := a.clock.Mono()
		if is := a.lease.Held(now); held && !is {
			a.log.Warn("lease lost: no guest is started until it is held again")
			held = false
		} else {
			held = is
		}
		for _, ask := range a.lease.Due(now) {
			calls.Go(func() {
				a.renew(ctx, ask)
				poke(a.leaseWake)
			})
		}
		a.pause(ctx, a.leaseWake, max(a.lease.Next(now)-now, time.Millisecond))
	}
}
