package sim

import (
	"context"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
)

// Options are what a simulated host is made of.
type Options struct {
	// Clock tells the time; it must be given.
	Clock clock.Clock
	// Seed decides every fault.
	Seed uint64
	// Capacity is what the host offers. Zero fields get the values of
	// DefaultCapacity.
	Capacity assign.Capacity
	Latency  Latency
	Faults   Faults
	// Wait passes a latency; nil waits on Clock. A simulator with one thread
	// gives one that returns at once, or that moves its own clock.
	Wait func(ctx context.Context, d time.Duration) error
	// Trace, if given, is told of each call with its result, in order. It must
	// not call the driver.
	Trace func(op, id string, err error)
}

// Latency is how long calls take, and how long a guest takes to shut down once
// it is asked. Zero takes no time.
type Latency struct {
	Define, Start, Kill, Remove time.Duration
	// GuestStop is the guest's own time to obey Shutdown.
	GuestStop time.Duration
}

// Faults are what goes wrong by chance. A rate of n means once in n times on
// the average, 0 never.
type Faults struct {
	// Call makes a call fail with errs.Unavailable, before it has done
	// anything; CallAfter when all is done already.
	Call, CallAfter int
	// LoseEvent drops an event.
	LoseEvent int
	// Deaf makes a started guest ignore Shutdown.
	Deaf int
}

// DefaultCapacity is a host with room for a few dozen small guests.
func DefaultCapacity() assign.Capacity {
	return assign.Capacity{VCPUs: 64, RAM: 256 << 10, Disk: 4 << 10, Archs: []string{"x86_64"},
		Hypervisor: "sim", HypervisorVersion: 1_000_000, CPUInfo: `{"arch":"x86_64","model":"simulated","vendor":"kvorum","topology":{"sockets":1,"cores":64,"threads":1},"features":[]}`}
}

func filled(c assign.Capacity) assign.Capacity {
	d := DefaultCapacity()
	for _, p := range []struct{ have, def *int }{{&c.VCPUs, &d.VCPUs}, {&c.RAM, &d.RAM},
		{&c.Disk, &d.Disk}, {&c.HypervisorVersion, &d.HypervisorVersion}} {
		if *p.have == 0 {
			*p.have = *p.def
		}
	}
	if c.Archs == nil {
		c.Archs = d.Archs
	}
	if c.Hypervisor == "" {
		c.Hypervisor = d.Hypervisor
	}
	if c.CPUInfo == "" {
		c.CPUInfo = d.CPUInfo
	}
	return c
}
