package hostagent

import (
	"context"
	"errors"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Poll asks the control plane once: registers the host if need be, and takes
// the desired state. It may wait as long as Control.Desired does. news says
// that something is to be done about it.
func (a *Agent) Poll(ctx context.Context) (news bool, err error) {
	if err := a.register(ctx); err != nil {
		a.lost()
		return false, err
	}
	soft, cancel := context.WithCancel(ctx)
	defer cancel()
	a.setInterrupt(cancel) // before the digest is chosen: a lease that begins now is seen, or interrupts
	digest, asked := a.digest(), a.clock.Mono()
	d, err := a.control.Desired(soft, digest)
	a.setInterrupt(nil)
	if err != nil && soft.Err() != nil && ctx.Err() == nil {
		return true, nil // the lease is held anew: there is another question
	}
	if err != nil {
		if errs.Is(err, errs.NotFound) {
			a.setRegistered(false)
		}
		a.lost()
		return false, err
	}
	if digest != "" && d.Digest == digest {
		return a.confirmed(), nil
	}
	return a.accept(d, asked)
}

// digest is what to ask with. The first question of an agent is for the whole:
// it is answered at once, and an older agent may have stored less of it than
// there was. So is the first since the host has its lease again: what was held
// back meanwhile was asked before.
func (a *Agent) digest() string {
	a.mu.Lock()
	heard := a.heard
	a.mu.Unlock()
	d, ok := a.ledger.Desired()
	if !heard || !ok || a.lease.Held(a.clock.Mono()) && !a.stands() {
		return ""
	}
	return d.Digest
}

func (a *Agent) setInterrupt(cancel context.CancelFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.interrupt = cancel
}

// askAnew ends a question that may be held back for long.
func (a *Agent) askAnew() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.interrupt != nil {
		a.interrupt()
	}
}

func (a *Agent) lost() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = true
	a.counters.add(func(n *Counts) { n.Away++ })
}

// confirmed takes "unchanged" for an answer.
func (a *Agent) confirmed() bool {
	a.mu.Lock()
	a.away = false
	a.mu.Unlock()
	news := a.ledger.Confirm()
	if news {
		a.wakeAll()
	}
	return news
}

// accept takes a desired state, which was asked for at the instant asked, into
// the ledger and wakes whom it concerns.
func (a *Agent) accept(d assign.Desired, asked time.Duration) (bool, error) {
	before, had := a.ledger.Desired()
	stood := a.stands()
	changed, err := a.ledger.Accept(d)
	if err != nil {
		a.counters.add(func(n *Counts) { n.Refused++ })
		a.log.Error("desired state refused", "incarnation", d.Incarnation, "index", d.Index, "err", err)
		return false, err
	}
	a.counters.add(func(n *Counts) { n.Accepted++ })
	a.asked.Store(int64(asked))
	a.mu.Lock()
	resync := a.away && a.heard && before.Digest != d.Digest
	a.away, a.heard = false, true
	a.mu.Unlock()
	if resync || had && before.Incarnation != d.Incarnation {
		// What it acknowledged before may be what it has lost.
		a.ledger.Resync()
		a.wakeAll()
	} else if !stood && a.stands() {
		a.wakeAll()
	}
	for _, id := range changed {
		a.guest(id).Interrupt()
		a.wake(id)
	}
	if before.Digest != d.Digest {
		poke(a.netWake)
	}
	return resync || before.Digest != d.Digest || len(changed) > 0, nil
}

// register tells the host's capacity, once, and again after it changed.
func (a *Agent) register(ctx context.Context) error {
	a.mu.Lock()
	done := a.registered
	a.mu.Unlock()
	if done {
		return nil
	}
	capacity, err := a.fullCapacity(ctx)
	if err != nil {
		return err
	}
	capacity.Instance, capacity.Seq = a.lease.instance, a.ledger.nextReport()
	if err := a.control.Register(ctx, capacity); err != nil {
		return err
	}
	a.log.Info("host registered", "vcpus", capacity.VCPUs, "ram", capacity.RAM, "disk", capacity.Disk, "hypervisor", capacity.Hypervisor)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.registered, a.capacity = true, capacity
	return nil
}

func (a *Agent) setRegistered(is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.registered = is
}

// watch polls for as long as the agent runs.
func (a *Agent) watch(ctx context.Context) {
	for failures := 0; ctx.Err() == nil; {
		asked := a.clock.Mono()
		news, err := a.Poll(ctx)
		pause := a.rules.BackoffMin
		switch {
		case err != nil:
			failures++
			pause = a.rules.Spread(a.identity.HostID, failures)
			if !errors.Is(err, context.Canceled) {
				a.log.Warn("control plane not reached", "failures", failures, "err", err)
			}
		case news || a.clock.Mono()-asked >= pause:
			failures = 0
			continue
		default:
			failures = 0
		}
		// An answer without news that came at once must not make a tight loop.
		if clock.Sleep(ctx, a.clock, pause) != nil {
			return
		}
	}
}
