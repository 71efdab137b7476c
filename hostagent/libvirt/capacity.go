//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"encoding/json"
	"slices"

	lv "libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// cpuInfo is Capacity's CPUInfo, with the names that OpenStack's clients know.
type cpuInfo struct {
	Arch     string   `json:"arch"`
	Model    string   `json:"model"`
	Vendor   string   `json:"vendor"`
	Topology topology `json:"topology"`
	Features []string `json:"features"`
}

type topology struct {
	Sockets int `json:"sockets"`
	Cores   int `json:"cores"`
	Threads int `json:"threads"`
}

// Capacity implements hostagent.Driver: processors, memory, the whole file
// system of the guests' disks, and what the hypervisor is. The rest is the
// agent's.
func (d *Driver) Capacity(ctx context.Context) (assign.Capacity, error) {
	const op = "libvirt.Capacity"
	var out assign.Capacity
	err := d.read(ctx, op, func(conn *lv.Connect) error {
		node, err := conn.GetNodeInfo()
		if err != nil {
			return err
		}
		version, err := conn.GetVersion()
		if err != nil {
			return err
		}
		kind, err := conn.GetType()
		if err != nil {
			return err
		}
		facts, err := hostFacts(conn)
		if err != nil {
			return err
		}
		info, err := json.Marshal(cpuInfoOf(facts, node))
		if err != nil {
			return err
		}
		disk, err := d.store.size()
		if err != nil {
			return err
		}
		out = assign.Capacity{
			VCPUs: int(node.Cpus), RAM: int(node.Memory >> 10), Disk: disk,
			Archs: []string{facts.Host.CPU.Arch}, Hypervisor: kind, HypervisorVersion: int(version),
			CPUInfo: string(info),
		}
		return nil
	})
	if err != nil {
		return assign.Capacity{}, err
	}
	return out, nil
}

// hostFacts asks for the host's capabilities; the processor's architecture is
// there in every answer that this gives.
func hostFacts(conn *lv.Connect) (libvirtxml.Caps, error) {
	const op = "libvirt.hostFacts"
	var caps libvirtxml.Caps
	text, err := conn.GetCapabilities()
	if err != nil {
		return caps, err
	}
	if err := caps.Unmarshal(text); err != nil {
		return caps, errs.E(op, errs.Internal, "the host's capabilities do not parse", err)
	}
	if caps.Host.CPU == nil || caps.Host.CPU.Arch == "" {
		return caps, errs.Errorf(op, errs.Internal, "the hypervisor does not name the host's architecture")
	}
	return caps, nil
}

func cpuInfoOf(caps libvirtxml.Caps, node *lv.NodeInfo) cpuInfo {
	c := caps.Host.CPU
	info := cpuInfo{
		Arch: c.Arch, Model: c.Model, Vendor: c.Vendor,
		Topology: topology{Sockets: int(node.Sockets), Cores: int(node.Cores), Threads: int(node.Threads)},
		Features: []string{},
	}
	for _, f := range c.FeatureFlags {
		info.Features = append(info.Features, f.Name)
	}
	slices.Sort(info.Features)
	return info
}
