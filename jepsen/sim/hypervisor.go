package sim

import (
	"context"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	hostsim "github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// hypervisor is the simulated driver with this run's faults: a call fails
// before its effect or after it, or its caller dies there.
type hypervisor struct {
	*hostsim.Driver
	h *host
	// specs are what guests were last defined from: what they really use.
	specs map[string]assign.Guest
}

func newHypervisor(h *host) *hypervisor {
	h.capacity = capacity(h.w)
	return &hypervisor{h: h, specs: map[string]assign.Guest{}, Driver: hostsim.New(hostsim.Options{
		Clock: h.w.clock, Seed: 1, Capacity: h.capacity,
		Latency: hostsim.Latency{GuestStop: h.w.flt.span(0, 8*time.Second)},
		Wait:    func(context.Context, time.Duration) error { return nil },
	})}
}

// capacity is little, so that hosts fill up.
func capacity(w *world) assign.Capacity {
	return assign.Capacity{VCPUs: 2 + w.work.IntN(7), RAM: 4096 << w.work.IntN(3), Disk: 40 << w.work.IntN(4)}
}

// call is the frame of each call.
func (d *hypervisor) call(op string, do func() error) error {
	d.h.mayDie(op)
	before, after := d.h.w.flt.permille(d.h.w.opts.Call), d.h.w.flt.permille(d.h.w.opts.Call)
	sick := errs.Errorf("sim."+op, errs.Unavailable, "The hypervisor is not well.")
	if d.h.w.fault("call", before) {
		return sick
	}
	err := do()
	d.h.observe()
	d.h.mayDie(op)
	if err == nil && d.h.w.fault("call", after) {
		return sick
	}
	return err
}

// List implements hostagent.Driver.
func (d *hypervisor) List(ctx context.Context) (all []hostagent.Have, err error) {
	err = d.call("list", func() (err error) { all, err = d.Driver.List(ctx); return err })
	return all, err
}

// Look implements hostagent.Driver.
func (d *hypervisor) Look(ctx context.Context, id string) (have hostagent.Have, err error) {
	err = d.call("look", func() (err error) { have, err = d.Driver.Look(ctx, id); return err })
	return have, err
}

// Define implements hostagent.Driver.
func (d *hypervisor) Define(ctx context.Context, spec hostagent.Spec) error {
	return d.call("define", func() error {
		err := d.Driver.Define(ctx, spec)
		if err == nil {
			d.specs[spec.Guest.ID] = spec.Guest
		}
		return err
	})
}

// Start implements hostagent.Driver.
func (d *hypervisor) Start(ctx context.Context, id string) error {
	return d.call("start", func() error {
		if d.h.w.fault("broken", d.h.w.flt.permille(d.h.w.opts.Broken)) {
			return errs.Errorf("sim.start", errs.Invalid, "The guest's firmware is not known here.")
		}
		d.h.w.leases.starts(d.h, id)
		return d.Driver.Start(ctx, id)
	})
}

// Shutdown implements hostagent.Driver.
func (d *hypervisor) Shutdown(ctx context.Context, id string) error {
	return d.call("shutdown", func() error { return d.Driver.Shutdown(ctx, id) })
}

// Kill implements hostagent.Driver.
func (d *hypervisor) Kill(ctx context.Context, id string) error {
	return d.call("kill", func() error { return d.Driver.Kill(ctx, id) })
}

// Remove implements hostagent.Driver.
func (d *hypervisor) Remove(ctx context.Context, id string) error {
	return d.call("remove", func() error { return d.Driver.Remove(ctx, id) })
}

// disk is a ledger's disk that fails, or whose user dies at a write.
type disk struct {
	*hostagent.MemDisk
	h *host
}

// Save implements hostagent.Disk.
func (d *disk) Save(name string, data []byte) error {
	d.h.mayDie("save")
	if d.h.w.fault("disk", d.h.w.flt.permille(d.h.w.opts.Disk)) {
		return errs.Errorf("sim.disk", errs.Internal, "The disk failed.")
	}
	err := d.MemDisk.Save(name, data)
	d.h.mayDie("save")
	return err
}

// Remove implements hostagent.Disk.
func (d *disk) Remove(name string) error {
	d.h.mayDie("forget")
	if d.h.w.fault("disk", d.h.w.flt.permille(d.h.w.opts.Disk)) {
		return errs.Errorf("sim.disk", errs.Internal, "The disk failed.")
	}
	return d.MemDisk.Remove(name)
}

// Load implements hostagent.Disk.
func (d *disk) Load(name string) ([]byte, error) {
	if d.h.w.broken == ForgetGeneration && name == "desired" {
		return nil, nil
	}
	return d.MemDisk.Load(name)
}
