package model

import (
	"fmt"
	"net/netip"
	"slices"
)

// Host is a machine that runs guests. Identity and capacity are written by
// host.register; State by host.state (the leader's); Disabled by
// host.service; the Used sums by servers.place and host.report.
type Host struct {
	ID   HostID `json:"id,omitzero"`
	Num  uint64 `json:"num,omitzero"`
	Name string `json:"name,omitzero"`
	// Address is where the agent listens, host:port.
	Address string `json:"address,omitzero"`
	// Tunnel is where its end of the tunnels between hosts is, an IP address;
	// empty: its guests have no part in networks on other hosts.
	Tunnel string `json:"tunnel,omitzero"`
	Zone   string `json:"zone,omitzero"`
	// VCPUs in whole CPUs, RAM in MiB, Disk in GiB: what is there.
	VCPUs int `json:"vcpus,omitzero"`
	RAM   int `json:"ram,omitzero"`
	Disk  int `json:"disk,omitzero"`
	// Ratios in hundredths: 400 lets four times as much be promised.
	VCPURatio int `json:"vcpu_ratio,omitzero"`
	RAMRatio  int `json:"ram_ratio,omitzero"`
	DiskRatio int `json:"disk_ratio,omitzero"`
	// What is promised to servers here, and to deleted ones not yet confirmed
	// gone.
	UsedVCPUs int `json:"used_vcpus,omitzero"`
	UsedRAM   int `json:"used_ram,omitzero"`
	UsedDisk  int `json:"used_disk,omitzero"`
	Guests    int `json:"guests,omitzero"`

	Archs             []string `json:"archs,omitempty"`
	Hypervisor        string   `json:"hypervisor,omitzero"`
	HypervisorVersion int      `json:"hypervisor_version,omitzero"`
	CPUInfo           string   `json:"cpu_info,omitzero"`
	BootID            string   `json:"boot_id,omitzero"`
	// Reported is the number of the newest report heard. Written by
	// host.report.
	Reported uint64 `json:"reported,omitzero"`
	// Registered is the number of the newest registration heard. Written by
	// host.register.
	Registered   uint64 `json:"registered,omitzero"`
	AgentVersion string `json:"agent_version,omitzero"`

	// Down is the leader's verdict; Disabled the administrator's.
	Down           bool   `json:"down,omitzero"`
	ForcedDown     bool   `json:"forced_down,omitzero"`
	Disabled       bool   `json:"disabled,omitzero"`
	DisabledReason string `json:"disabled_reason,omitzero"`
	// Fencing is what can be promised when the host vanishes; "manual" moves
	// nothing by itself.
	Fencing   string `json:"fencing,omitzero"`
	CreatedAt int64  `json:"created_at,omitzero"`
	UpdatedAt int64  `json:"updated_at,omitzero"`
	// ChangedAt is when Down last changed.
	ChangedAt int64 `json:"changed_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (h *Host) Clone() *Host { g := *h; g.Archs = slices.Clone(h.Archs); return &g }

// CheckTunnel tells what is wrong with the address of a host's end of tunnels:
// it is empty, or an IP address that other hosts can reach.
func CheckTunnel(s string) error {
	if s == "" {
		return nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.Is4In6() {
		return fmt.Errorf("the tunnel address %q is no IP address", s)
	}
	if a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() {
		return fmt.Errorf("the tunnel address %s can not be reached from other hosts", s)
	}
	return nil
}

// The ratios, in hundredths, of a host that names none, and the bounds of any.
const (
	DefaultVCPURatio = 400
	DefaultRAMRatio  = 100
	DefaultDiskRatio = 100
	MinRatio         = 10
	MaxRatio         = 10000
)

// RatioOK tells whether a ratio, in hundredths, is within the bounds.
func RatioOK(ratio int) bool { return ratio >= MinRatio && ratio <= MaxRatio }

// Room is how much may still be promised on the host, ratios included. A
// negative number means that it was over-promised when its capacity shrank.
func (h *Host) Room() (vcpus, ram, disk int) {
	return h.VCPUs*h.VCPURatio/100 - h.UsedVCPUs, h.RAM*h.RAMRatio/100 - h.UsedRAM, h.Disk*h.DiskRatio/100 - h.UsedDisk
}

// Fits is the only arithmetic of capacity: whether s may still be promised on
// the host. A server larger than the host itself never fits, whatever the
// ratios.
func (h *Host) Fits(s Size) bool {
	vcpus, ram, disk := h.Room()
	return s.VCPUs <= vcpus && s.RAM <= ram && s.DiskTotal() <= disk && s.VCPUs <= h.VCPUs && s.RAM <= h.RAM
}

// DiskTotal is all local disk that the size takes, in GiB; swap is rounded up.
func (s Size) DiskTotal() int { return s.Disk + s.Ephemeral + (s.Swap+1023)/1024 }
