package main

import (
	"context"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
)

// offer is a driver whose host offers only what its settings say.
type offer struct {
	hostagent.Driver
	conf config.Agent
}

// Capacity implements hostagent.Driver.
func (o offer) Capacity(ctx context.Context) (assign.Capacity, error) {
	c, err := o.Driver.Capacity(ctx)
	return limit(c, o.conf), err
}

func limit(c assign.Capacity, conf config.Agent) assign.Capacity {
	for _, x := range []struct{ set, have *int }{{&conf.VCPUs, &c.VCPUs}, {&conf.RAM, &c.RAM}, {&conf.Disk, &c.Disk}} {
		if *x.set > 0 {
			*x.have = *x.set
		}
	}
	c.VCPURatio, c.RAMRatio, c.DiskRatio = int(conf.VCPURatio), int(conf.RAMRatio), int(conf.DiskRatio)
	return c
}

// simulated is what a simulated host offers where nothing else is set.
func simulated(conf config.Agent) assign.Capacity {
	return limit(assign.Capacity{VCPUs: 32, RAM: 131072, Disk: 1000, Archs: []string{"x86_64"},
		Hypervisor: "QEMU", HypervisorVersion: 7002000}, conf)
}
