package command

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// HostRegister says what a host is and offers. The agent asks for it when it
// starts, and when its capacity changes.
//
// Rules: the actor is that host; its name is nobody else's; its tunnel address
// is empty, or an IP address that others can reach. A new host is
// enabled and up. A known one keeps its servers, its numbers and the
// administrator's verdict on it; it stays down until the leader says otherwise.
// A registration that is no newer than the newest one heard changes nothing: it
// was on its way for too long, or came twice.
// A ratio that is not named is the default of a new host, and stays as it is
// for a known one.
type HostRegister struct {
	ID                model.HostID `json:"id"`
	Name              string       `json:"name"`
	Address           string       `json:"address"`
	Zone              string       `json:"zone"`
	Tunnel            string       `json:"tunnel,omitempty"`
	VCPUs             int          `json:"vcpus"`
	RAM               int          `json:"ram"`
	Disk              int          `json:"disk"`
	Archs             []string     `json:"archs"`
	Hypervisor        string       `json:"hypervisor"`
	HypervisorVersion int          `json:"hypervisor_version"`
	CPUInfo           string       `json:"cpu_info,omitempty"`
	BootID            string       `json:"boot_id,omitempty"`
	AgentVersion      string       `json:"agent_version,omitempty"`
	// Seq orders what the host says of itself; 0 is that of a host that does
	// not number it.
	Seq uint64 `json:"seq,omitempty"`
	// Ratios are in hundredths; 0 names none.
	VCPURatio int `json:"vcpu_ratio,omitempty"`
	RAMRatio  int `json:"ram_ratio,omitempty"`
	DiskRatio int `json:"disk_ratio,omitempty"`
}

// Kind implements Command.
func (*HostRegister) Kind() string { return "host.register/1" }

// Apply implements Command.
func (c *HostRegister) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "host.register"
	if err := onlySystem(op, m.By, HostBy+string(c.ID)); err != nil {
		return nil, err
	}
	if !model.IsUUID(string(c.ID)) {
		return nil, refuse(op, errs.Invalid, "a host's id must be a UUID")
	}
	if err := model.CheckName("host name", c.Name); err != nil {
		return nil, errs.E(op, errs.Invalid, err.Error(), nil)
	}
	if c.VCPUs < 0 || c.RAM < 0 || c.Disk < 0 || c.VCPUs > 1<<20 || c.RAM > 1<<40 || c.Disk > 1<<40 {
		return nil, refuse(op, errs.Invalid, "a host's capacity must be a sane number")
	}
	if err := model.CheckTunnel(c.Tunnel); err != nil {
		return nil, errs.E(op, errs.Invalid, err.Error(), nil)
	}
	for _, ratio := range []int{c.VCPURatio, c.RAMRatio, c.DiskRatio} {
		if ratio != 0 && !model.RatioOK(ratio) {
			return nil, refuse(op, errs.Invalid, "a host's ratios must be from %d to %d hundredths", model.MinRatio, model.MaxRatio)
		}
	}
	if other := tx.HostNamed(c.Name); other != nil && other.ID != c.ID {
		return nil, refuse(op, errs.Conflict, "the name %s belongs to host %s already", c.Name, other.ID)
	}
	old := tx.Host(c.ID)
	if old != nil && c.Seq != 0 && c.Seq <= old.Registered {
		return []string{string(old.ID)}, nil
	}
	h := &model.Host{ID: c.ID, VCPURatio: model.DefaultVCPURatio, RAMRatio: model.DefaultRAMRatio, DiskRatio: model.DefaultDiskRatio,
		Fencing: "manual", CreatedAt: m.At, ChangedAt: m.At}
	if old != nil {
		h = old.Clone()
	} else {
		h.Num = tx.Next(lastHost)
	}
	h.Name, h.Address, h.Zone, h.Tunnel = c.Name, c.Address, c.Zone, c.Tunnel
	if strings.TrimSpace(h.Zone) == "" {
		h.Zone = "nova"
	}
	h.VCPUs, h.RAM, h.Disk, h.Archs = c.VCPUs, c.RAM, c.Disk, c.Archs
	h.VCPURatio = cmp.Or(c.VCPURatio, h.VCPURatio)
	h.RAMRatio, h.DiskRatio = cmp.Or(c.RAMRatio, h.RAMRatio), cmp.Or(c.DiskRatio, h.DiskRatio)
	h.Hypervisor, h.HypervisorVersion, h.CPUInfo = c.Hypervisor, c.HypervisorVersion, c.CPUInfo
	h.BootID, h.AgentVersion, h.UpdatedAt = c.BootID, c.AgentVersion, m.At
	h.Registered = max(h.Registered, c.Seq)
	tx.PutHost(h)
	return []string{string(h.ID)}, nil
}

func exampleHostRegister() *HostRegister {
	return &HostRegister{ID: "00000000-0000-4000-8000-0000000000f1", Name: "h1", Address: "127.0.0.1:8772", Zone: "nova", Tunnel: "192.0.2.1",
		VCPUs: 8, RAM: 16384, Disk: 100, Archs: []string{"x86_64"}, Hypervisor: "QEMU", HypervisorVersion: 7002000}
}

func workHostRegister(g Gen) (Command, By, bool) {
	c := exampleHostRegister()
	if h, ok := pick(g, g.View().Hosts()); ok && g.Intn(3) > 0 {
		c.ID, c.Name, c.BootID = h.ID, h.Name, g.Hex()
	} else {
		c.ID = model.HostID(g.UUID())
		c.Name = "h-" + string(c.ID[:8])
	}
	c.VCPUs = 2 + g.Intn(8)
	c.Tunnel = "192.0.2." + strconv.Itoa(int(c.ID[0])%100+int(c.ID[1])%100)
	return c, By{System: HostBy + string(c.ID)}, true
}
