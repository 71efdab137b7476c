package assign

// State is what a host sees of a guest.
type State string

// The observed states. Missing means that there is no such domain here yet;
// Removed that a Gone guest and its disks are no more.
const (
	Missing State = "missing"
	Running State = "running"
	Shutoff State = "shutoff"
	Paused  State = "paused"
	Crashed State = "crashed"
	Removed State = "removed"
)

// Observed is one guest as its host sees it. A host reports it only when it
// differs from what it reported last.
type Observed struct {
	ID     string `json:"id"`
	Permit uint64 `json:"permit"`
	State  State  `json:"state"`
	// PowerEpoch and RebootEpoch are the last wishes carried out, or tried.
	PowerEpoch  uint64 `json:"power_epoch,omitempty"`
	RebootEpoch uint64 `json:"reboot_epoch,omitempty"`
	// Off says that a guest that is down is meant to be. So the wish to be off
	// is answered also where nothing had to be done for it.
	Off bool `json:"off,omitempty"`
	// StoppedItself says that a Shutoff guest was running under PowerEpoch and
	// switched itself off.
	StoppedItself bool `json:"stopped_itself,omitempty"`
	// Fault is a sentence for the user when the host gives up on what is
	// wanted; empty otherwise.
	Fault string `json:"fault,omitempty"`
}

// Report is what a host tells the control plane when something changed.
type Report struct {
	HostID string `json:"host_id"`
	// Instance is the life of the agent that speaks, as it asks for its lease.
	Instance string `json:"instance,omitempty"`
	// Seq orders the host's reports, over restarts too: one that was under way
	// for long must not undo a newer one.
	Seq uint64 `json:"seq,omitempty"`
	// Guests are ordered by ID.
	Guests []Observed `json:"guests"`
}

// Password is what a guest posted to its metadata: its password, under its
// user's public key. It is kept once.
type Password struct {
	HostID string `json:"host_id"`
	Guest  string `json:"guest"`
	Permit uint64 `json:"permit"`
	Text   string `json:"text"`
}

// Capacity is what a host offers; reported when the agent starts and when it
// changes.
type Capacity struct {
	HostID string `json:"host_id"`
	// Name is the host's name, a label: the identity is HostID.
	Name string `json:"name"`
	// Address is where the control plane reaches the agent, host:port.
	Address string `json:"address"`
	// Tunnel is the host's end of the tunnels between hosts, an IP address;
	// empty: it has none.
	Tunnel string `json:"tunnel,omitempty"`
	Zone   string `json:"zone,omitempty"`
	VCPUs  int    `json:"vcpus"`
	RAM    int    `json:"ram"`  // MiB
	Disk   int    `json:"disk"` // GiB
	// The ratios, in hundredths, say how much of each may be promised; 0 leaves
	// it to the control plane.
	VCPURatio int `json:"vcpu_ratio,omitempty"`
	RAMRatio  int `json:"ram_ratio,omitempty"`
	DiskRatio int `json:"disk_ratio,omitempty"`
	// Archs are the architectures that guests may have, such as x86_64.
	Archs      []string `json:"archs,omitempty"`
	Hypervisor string   `json:"hypervisor"`
	// HypervisorVersion is major*1000000 + minor*1000 + release.
	HypervisorVersion int    `json:"hypervisor_version"`
	CPUInfo           string `json:"cpu_info,omitempty"`
	BootID            string `json:"boot_id,omitempty"`
	// Version is the agent's.
	Version string `json:"version,omitempty"`
	// Instance is the life of the agent that speaks, and Seq orders what the host
	// says of itself, over restarts too: both as in a Report.
	Instance string `json:"instance,omitempty"`
	Seq      uint64 `json:"seq,omitempty"`
}
