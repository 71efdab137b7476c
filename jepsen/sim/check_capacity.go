package sim

import (
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/model"
)

// capacityChecker is "no host is overfull": what is defined on a host fits into
// what it really has, by the ratios that hosts begin with.
type capacityChecker struct {
	nothing
	w *world
}

func (c *capacityChecker) observed(h *host, was, now hostagent.Have) {
	if !up(now) || now.Boot == was.Boot {
		return
	}
	vcpus, ram, disk := 0, 0, 0
	for _, have := range h.driver.Snapshot() {
		g := h.driver.specs[have.ID]
		vcpus, ram, disk = vcpus+g.VCPUs, ram+g.RAM, disk+g.Disk
	}
	has := h.capacity
	if vcpus*100 > has.VCPUs*model.DefaultVCPURatio || ram*100 > has.RAM*model.DefaultRAMRatio || disk*100 > has.Disk*model.DefaultDiskRatio {
		c.w.violated("no host is overfull", "%s has %d vCPUs, %d MiB, %d GiB and holds %d, %d, %d", h.name, has.VCPUs, has.RAM, has.Disk, vcpus, ram, disk)
	}
}
