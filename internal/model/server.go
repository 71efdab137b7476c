package model

import (
	"maps"
	"slices"
)

// The states of a server (Compute API guide, "Server concepts").
const (
	Building = "building"
	Active   = "active"
	Stopped  = "stopped"
	Errored  = "error"
)

// The tasks that a server may be in; empty is none.
const (
	TaskScheduling    = "scheduling"
	TaskSpawning      = "spawning"
	TaskPoweringOn    = "powering-on"
	TaskPoweringOff   = "powering-off"
	TaskRebooting     = "rebooting"
	TaskRebootingHard = "rebooting_hard"
)

// The power states, numbered as clients know them.
const (
	PowerNone     = 0
	PowerRunning  = 1
	PowerPaused   = 3
	PowerShutdown = 4
	PowerCrashed  = 6
)

// Fault is why a server is in error, in words for its user.
type Fault struct {
	Code    int    `json:"code,omitzero"`
	Message string `json:"message,omitzero"`
	// Details is for administrators: the placement's trace, for instance.
	Details string `json:"details,omitzero"`
	At      int64  `json:"at,omitzero"`
}

// Size is the copy of its flavor that a server keeps. Units as in Flavor.
type Size struct {
	FlavorID   FlavorID          `json:"flavor_id,omitzero"`
	FlavorName string            `json:"flavor_name,omitzero"`
	VCPUs      int               `json:"vcpus,omitzero"`
	RAM        int               `json:"ram,omitzero"`
	Disk       int               `json:"disk,omitzero"`
	Ephemeral  int               `json:"ephemeral,omitzero"`
	Swap       int               `json:"swap,omitzero"`
	ExtraSpecs map[string]string `json:"extra_specs,omitempty"`
}

// Server is a virtual machine as its user knows it. The user's wishes (Power,
// PowerEpoch, RebootEpoch, names) are written by server.create, server.update,
// server.power, server.reboot and server.metadata; HostID, Zone and Why by
// servers.place;
// what was observed by host.report.
type Server struct {
	ID        ServerID  `json:"id,omitzero"`
	Num       uint64    `json:"num,omitzero"`
	ProjectID ProjectID `json:"project_id,omitzero"`
	UserID    UserID    `json:"user_id,omitzero"`
	Name      string    `json:"name,omitzero"`
	Hostname  string    `json:"hostname,omitzero"`
	// Description is nil when the user gave none.
	Description *string `json:"description,omitzero"`
	ImageID     ImageID `json:"image_id,omitzero"`
	Size        Size    `json:"size,omitzero"`
	KeyName     string  `json:"key_name,omitzero"`
	// KeyType and PublicKey are copied at create: deleting the key pair does
	// not lock the guest's metadata out.
	KeyType   string            `json:"key_type,omitzero"`
	PublicKey string            `json:"public_key,omitzero"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	Tags      []string          `json:"tags,omitempty"`
	// UserData is sealed.
	UserData []byte `json:"user_data,omitempty"`
	// Password is what the guest posted to its metadata, sealed; written by
	// server.password.
	Password      []byte `json:"password,omitempty"`
	ConfigDrive   bool   `json:"config_drive,omitzero"`
	AccessIPv4    string `json:"access_ipv4,omitzero"`
	AccessIPv6    string `json:"access_ipv6,omitzero"`
	DiskManual    bool   `json:"disk_manual,omitzero"`
	ReservationID string `json:"reservation_id,omitzero"`
	LaunchIndex   int    `json:"launch_index,omitzero"`
	// WantZone is what the user asked for; WantHost (an administrator's) names
	// the one host to be considered.
	WantZone string `json:"want_zone,omitzero"`
	WantHost string `json:"want_host,omitzero"`

	HostID HostID `json:"host_id,omitzero"`
	Zone   string `json:"zone,omitzero"`
	// Why is the trace of the placement: why it is on its host, or on none. For
	// administrators.
	Why string `json:"why,omitzero"`

	VMState    string `json:"vm_state,omitzero"`
	TaskState  string `json:"task_state,omitzero"`
	PowerState int    `json:"power_state,omitzero"`
	// Off is the wanted power state: false is on.
	Off         bool   `json:"off,omitzero"`
	PowerEpoch  uint64 `json:"power_epoch,omitzero"`
	RebootEpoch uint64 `json:"reboot_epoch,omitzero"`
	RebootHard  bool   `json:"reboot_hard,omitzero"`
	Fault       *Fault `json:"fault,omitzero"`
	Revision    uint64 `json:"revision,omitzero"`
	CreatedAt   int64  `json:"created_at,omitzero"`
	UpdatedAt   int64  `json:"updated_at,omitzero"`
	LaunchedAt  int64  `json:"launched_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (s *Server) Clone() *Server {
	t := *s
	t.Metadata, t.Tags = maps.Clone(s.Metadata), slices.Clone(s.Tags)
	return &t
}

// ServerAction is one thing that a user, or the cloud, did to a server; the
// request's id names it (Compute API, "os-instance-actions"). Written by the
// command that the action began with and by the one that ended it.
type ServerAction struct {
	ServerID  ServerID  `json:"server_id,omitzero"`
	RequestID string    `json:"request_id,omitzero"`
	Action    string    `json:"action,omitzero"`
	UserID    UserID    `json:"user_id,omitzero"`
	ProjectID ProjectID `json:"project_id,omitzero"`
	StartedAt int64     `json:"started_at,omitzero"`
	// FinishedAt is 0 while it goes on.
	FinishedAt int64 `json:"finished_at,omitzero"`
	Failed     bool  `json:"failed,omitzero"`
	// Index orders the actions of a server.
	Index uint64 `json:"index,omitzero"`
}

// Clone gives a copy that may be changed.
func (a *ServerAction) Clone() *ServerAction { b := *a; return &b }

// Permit is the right of one host to run a server. Number is the index that
// gave it. Written by servers.place; removed with the server's last trace.
type Permit struct {
	ServerID ServerID `json:"server_id,omitzero"`
	HostID   HostID   `json:"host_id,omitzero"`
	// MigratingTo is set while the right is on its way to another host.
	MigratingTo HostID `json:"migrating_to,omitzero"`
	Number      uint64 `json:"number,omitzero"`
}

// Tombstone is what is left of a deleted server: its last record, and whether
// its host has confirmed that nothing of it runs there any more. Until then
// the host's claim and the addresses stay taken. Written by server.delete and
// host.report; removed by expire.
type Tombstone struct {
	Server    Server `json:"server,omitzero"`
	DeletedAt int64  `json:"deleted_at,omitzero"`
	// Confirmed says that no host holds anything of it.
	Confirmed bool `json:"confirmed,omitzero"`
}

// Clone gives a copy that may be changed.
func (t *Tombstone) Clone() *Tombstone { u := *t; return &u }
