package sim

import (
	"maps"
	"slices"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
)

// FailNext makes the next calls of op ("list", "look", "define", "start",
// "shutdown", "kill", "remove", "console") fail with err, so many times, before
// they have done anything.
func (d *Driver) FailNext(op string, err error, times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing[op] = &failing{err: err, times: times}
}

// CrashHost is a loss of power: every guest is off, and nobody remembers why.
// Disks and definitions stay.
func (d *Driver) CrashHost() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(d.domains)) {
		dom := d.domains[id]
		if dom.boot != "" {
			dom.print(d.opts.Clock.Now(), "(power lost)")
			d.down(id, dom, assign.Shutoff, false)
		}
		dom.state, dom.byGuest = assign.Shutoff, false
	}
}

// StopSelf is a guest that switches itself off; it tells whether it ran.
func (d *Driver) StopSelf(id string) bool { return d.fall(id, assign.Shutoff, true) }

// CrashGuest is a guest that dies; it tells whether it ran.
func (d *Driver) CrashGuest(id string) bool { return d.fall(id, assign.Crashed, false) }

func (d *Driver) fall(id string, state assign.State, byGuest bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	dom := d.domains[id]
	if dom == nil || dom.boot == "" {
		return false
	}
	d.down(id, dom, state, byGuest)
	return true
}

// SetDeaf makes a guest ignore Shutdown in its present boot, or heed it again.
func (d *Driver) SetDeaf(id string, deaf bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dom := d.domains[id]; dom != nil {
		dom.deaf = deaf
	}
}

// Pause makes a running guest stand still, as an error of its disk does.
func (d *Driver) Pause(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dom := d.domains[id]; dom != nil && dom.state == assign.Running {
		dom.state = assign.Paused
		d.event(id)
	}
}

// SetCapacity changes what the host offers.
func (d *Driver) SetCapacity(c assign.Capacity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opts.Capacity = filled(c)
}

// Snapshot gives every guest as it is now, by id, without latency or fault: for
// checkers.
func (d *Driver) Snapshot() []hostagent.Have {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tick()
	var all []hostagent.Have
	for _, id := range slices.Sorted(maps.Keys(d.domains)) {
		all = append(all, d.have(id, d.domains[id]))
	}
	return all
}

// NextStop is how long until a guest that was asked to stop will have, so that
// a simulator knows how far to move its clock; false if none was.
func (d *Driver) NextStop() (nanos int64, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.opts.Clock.Now()
	for _, dom := range d.domains {
		if dom.state != assign.Running || dom.stopAt.IsZero() {
			continue
		}
		if left := max(0, int64(dom.stopAt.Sub(now))); !ok || left < nanos {
			nanos, ok = left, true
		}
	}
	return nanos, ok
}
