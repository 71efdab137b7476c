package sim

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Driver is a hypervisor in memory. It outlives agents, as a real one does, and
// is safe for concurrent use.
type Driver struct {
	opts Options

	mu      sync.Mutex
	rand    *rand.Rand
	domains map[string]*domain
	boots   uint64
	failing map[string]*failing
	events  chan string
	closed  bool
}

// domain is one defined guest.
type domain struct {
	spec          hostagent.Spec
	permit        uint64 // of the running boot while it runs, of the definition otherwise
	state         assign.State
	byGuest       bool
	boot          string
	deaf          bool
	stopAt        time.Time // when it will have obeyed Shutdown; zero: not asked
	console       []byte
	bootedAtNanos int64
}

// failing is a planned fault of one call.
type failing struct {
	err   error
	times int
}

var _ hostagent.Driver = (*Driver)(nil)

// maxEvents bounds the events that nobody has taken yet.
const maxEvents = 256

// New makes a host without guests.
func New(o Options) *Driver {
	o.Capacity = filled(o.Capacity)
	if o.Wait == nil {
		o.Wait = func(ctx context.Context, d time.Duration) error { return clock.Sleep(ctx, o.Clock, d) }
	}
	return &Driver{opts: o, rand: rand.New(rand.NewPCG(o.Seed, 0x6b766f72756d)), domains: map[string]*domain{},
		failing: map[string]*failing{}, events: make(chan string, maxEvents)}
}

// chance tells whether a fault of the rate happens now.
func (d *Driver) chance(rate int) bool { return rate > 0 && d.rand.IntN(rate) == 0 }

// call is the frame of each call: latency, faults, then f on the guest's domain
// (nil if there is none).
func (d *Driver) call(ctx context.Context, op, id string, takes time.Duration, f func(*domain) error) error {
	if takes > 0 {
		if err := d.opts.Wait(ctx, takes); err != nil {
			return errs.E("sim."+op, errs.Unavailable, "", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tick()
	err := d.fault(op)
	if err == nil {
		err = f(d.domains[id])
	}
	if err == nil && d.chance(d.opts.Faults.CallAfter) {
		err = errs.Errorf("sim."+op, errs.Unavailable, "The simulated hypervisor did not answer.")
	}
	if d.opts.Trace != nil {
		d.opts.Trace(op, id, err)
	}
	return err
}

func (d *Driver) fault(op string) error {
	if p := d.failing[op]; p != nil && p.times > 0 {
		p.times--
		return p.err
	}
	if d.chance(d.opts.Faults.Call) {
		return errs.Errorf("sim."+op, errs.Unavailable, "The simulated hypervisor is not well.")
	}
	return nil
}

// tick lets guests that were asked to stop do so when their time has come.
func (d *Driver) tick() {
	now := d.opts.Clock.Now()
	for _, id := range slices.Sorted(maps.Keys(d.domains)) {
		dom := d.domains[id]
		if dom.state == assign.Running && !dom.stopAt.IsZero() && !now.Before(dom.stopAt) {
			d.down(id, dom, assign.Shutoff, true)
		}
	}
}

// down takes a domain off.
func (d *Driver) down(id string, dom *domain, state assign.State, byGuest bool) {
	dom.state, dom.byGuest, dom.boot, dom.stopAt = state, byGuest, "", time.Time{}
	if byGuest {
		dom.print(d.opts.Clock.Now(), "reboot: Power down")
	}
	dom.permit = dom.spec.Guest.Permit
	d.event(id)
}

// event tells of a change, if nobody loses it.
func (d *Driver) event(id string) {
	if d.closed || d.chance(d.opts.Faults.LoseEvent) {
		return
	}
	select {
	case d.events <- id:
	default:
	}
}

func (d *Driver) have(id string, dom *domain) hostagent.Have {
	if dom == nil {
		return hostagent.Have{ID: id, State: assign.Missing}
	}
	return hostagent.Have{ID: id, Num: dom.spec.Guest.Num, State: dom.state, Permit: dom.permit,
		StoppedByGuest: dom.state == assign.Shutoff && dom.byGuest, Boot: dom.boot}
}

// List implements hostagent.Driver.
func (d *Driver) List(ctx context.Context) (all []hostagent.Have, err error) {
	err = d.call(ctx, "list", "", 0, func(*domain) error {
		for _, id := range slices.Sorted(maps.Keys(d.domains)) {
			all = append(all, d.have(id, d.domains[id]))
		}
		return nil
	})
	return all, err
}

// Look implements hostagent.Driver.
func (d *Driver) Look(ctx context.Context, id string) (h hostagent.Have, err error) {
	err = d.call(ctx, "look", id, 0, func(dom *domain) error {
		h = d.have(id, dom)
		return nil
	})
	return h, err
}

// Define implements hostagent.Driver.
func (d *Driver) Define(ctx context.Context, spec hostagent.Spec) error {
	id := spec.Guest.ID
	return d.call(ctx, "define", id, d.opts.Latency.Define, func(dom *domain) error {
		if len(spec.Links) != len(spec.Guest.NICs) {
			return errs.Errorf("sim.define", errs.Invalid, "The guest has %d interfaces and %d links.",
				len(spec.Guest.NICs), len(spec.Links))
		}
		if dom == nil {
			dom = &domain{state: assign.Shutoff}
			d.domains[id] = dom
		}
		dom.spec = spec
		if dom.state == assign.Shutoff || dom.state == assign.Crashed {
			dom.permit = spec.Guest.Permit
		}
		d.event(id)
		return nil
	})
}

// Start implements hostagent.Driver. NotFound: it is not defined.
func (d *Driver) Start(ctx context.Context, id string) error {
	return d.call(ctx, "start", id, d.opts.Latency.Start, func(dom *domain) error {
		switch {
		case dom == nil:
			return errs.Errorf("sim.start", errs.NotFound, "There is no such domain.")
		case dom.boot != "":
			return nil
		}
		d.boots++
		dom.state, dom.byGuest, dom.boot = assign.Running, false, fmt.Sprintf("boot-%d", d.boots)
		dom.deaf = d.chance(d.opts.Faults.Deaf)
		dom.bootLog(d.opts.Clock.Now())
		d.event(id)
		return nil
	})
}

// Shutdown implements hostagent.Driver.
func (d *Driver) Shutdown(ctx context.Context, id string) error {
	return d.call(ctx, "shutdown", id, 0, func(dom *domain) error {
		if dom == nil || dom.state != assign.Running || dom.deaf || !dom.stopAt.IsZero() {
			return nil
		}
		dom.stopAt = d.opts.Clock.Now().Add(d.opts.Latency.GuestStop)
		d.tick()
		return nil
	})
}

// Kill implements hostagent.Driver.
func (d *Driver) Kill(ctx context.Context, id string) error {
	return d.call(ctx, "kill", id, d.opts.Latency.Kill, func(dom *domain) error {
		if dom != nil && dom.state != assign.Shutoff {
			d.down(id, dom, assign.Shutoff, false)
		}
		return nil
	})
}

// Remove implements hostagent.Driver. Conflict: it runs.
func (d *Driver) Remove(ctx context.Context, id string) error {
	return d.call(ctx, "remove", id, d.opts.Latency.Remove, func(dom *domain) error {
		if dom == nil {
			return nil
		}
		if dom.boot != "" {
			return errs.Errorf("sim.remove", errs.Conflict, "The guest is running.")
		}
		delete(d.domains, id)
		d.event(id)
		return nil
	})
}

// Console implements hostagent.Driver.
func (d *Driver) Console(ctx context.Context, id string, max int) (b []byte, err error) {
	err = d.call(ctx, "console", id, 0, func(dom *domain) error {
		if dom == nil {
			return errs.Errorf("sim.console", errs.NotFound, "There is no such guest here.")
		}
		b = slices.Clone(dom.console[len(dom.console)-min(max, len(dom.console)):])
		return nil
	})
	return b, err
}

// Capacity implements hostagent.Driver.
func (d *Driver) Capacity(context.Context) (assign.Capacity, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.opts.Capacity
	c.Archs = slices.Clone(c.Archs)
	return c, nil
}

// Events implements hostagent.Driver.
func (d *Driver) Events() <-chan string { return d.events }

// Close implements hostagent.Driver.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		close(d.events)
	}
	return nil
}
