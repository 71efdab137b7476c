package hostagent

import (
	"context"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// worker takes one guest's turns in a goroutine of its own. What wakes it
// carries no data.
type worker struct {
	guest *Guest
	wake  chan struct{}
}

// wake makes the guest take a turn soon.
func (a *Agent) wake(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.workers[id]; w != nil {
		poke(w.wake)
	}
}

func (a *Agent) wakeAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.workers {
		poke(w.wake)
	}
}

// work is the worker's loop.
func (a *Agent) work(ctx context.Context, w *worker) {
	for ctx.Err() == nil {
		progress, after := w.guest.Turn(ctx)
		if progress {
			continue
		}
		if w.guest.idle.Load() && a.retire(w) {
			return
		}
		select {
		case <-w.wake:
		case <-a.clock.After(after):
		case <-ctx.Done():
		}
	}
}

// retire ends the worker of a guest that is neither wanted nor here. A desired
// state is in the ledger before its guests are looked up here, so one that
// comes now is either seen or makes a new worker.
func (a *Agent) retire(w *worker) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ledger.Want(w.guest.id).Known {
		return false
	}
	delete(a.workers, w.guest.id)
	delete(a.guests, w.guest.id)
	return true
}

// Run works until ctx ends, and returns when all that it started has ended.
// Guests run on. What runs already is adopted; the desired state of the ledger
// is what is worked from until the control plane answers.
func (a *Agent) Run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	if err := a.adopt(ctx); err != nil {
		return err
	}
	a.mu.Lock()
	a.spawn = func(w *worker) { all.Go(func() { a.work(ctx, w) }) }
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.spawn = nil
	}()
	for _, g := range a.Guests() {
		a.guest(g.id)
	}
	var loops sync.WaitGroup
	for _, loop := range []func(context.Context){a.watch, a.plugging, a.listen, a.scanning, a.renewing} {
		loops.Go(func() { loop(ctx) })
	}
	loops.Go(func() { a.reporter.run(ctx, a.clock, a.rules) })
	loops.Wait()
	return ctx.Err()
}

// adopt finds what runs; a hypervisor that is not up yet is waited for.
func (a *Agent) adopt(ctx context.Context) error {
	for failures := 1; ; failures++ {
		err := a.Scan(ctx)
		if err == nil {
			return nil
		}
		a.log.Warn("hypervisor not reached", "err", err)
		if err := clock.Sleep(ctx, a.clock, a.rules.Backoff(failures)); err != nil {
			return err
		}
	}
}

// plugging applies the network when it changed and from time to time, and
// wakes the guests that may have waited for it.
func (a *Agent) plugging(ctx context.Context) {
	failures := 0
	for changed := true; ctx.Err() == nil; {
		again := applyEvery
		if err := a.ApplyNetwork(ctx); err != nil {
			failures++
			again = min(again, a.rules.Backoff(failures))
			a.log.Error("network not applied", "err", err)
		} else if changed || failures > 0 {
			failures = 0
			a.wakeAll()
		}
		changed = a.pause(ctx, a.netWake, again)
	}
}

// pause waits for a poke (true), the time to pass, or ctx.
func (a *Agent) pause(ctx context.Context, wake <-chan struct{}, d time.Duration) bool {
	select {
	case <-wake:
		return true
	case <-a.clock.After(d):
	case <-ctx.Done():
	}
	return false
}

// listen turns the driver's events into wakes.
func (a *Agent) listen(ctx context.Context) {
	events := a.driver.Events()
	for {
		select {
		case id, ok := <-events:
			if !ok {
				return // the driver was closed; timers go on
			}
			if validID(id) {
				a.guest(id)
				a.wake(id)
			}
		case <-ctx.Done():
			return
		}
	}
}

// scanning looks for guests that nobody told of.
func (a *Agent) scanning(ctx context.Context) {
	for ctx.Err() == nil {
		a.pause(ctx, nil, scanEvery)
		if err := a.Scan(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("scan failed", "err", err)
		}
	}
}
