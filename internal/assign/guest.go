package assign

import "fmt"

// Power is the power state that is wanted of a guest.
type Power string

// The wanted power states. Gone means: stop it, remove the domain and its
// disks, then say so.
const (
	On   Power = "on"
	Off  Power = "off"
	Gone Power = "gone"
)

// RootDevice is the root disk as its guest names it: every driver attaches it
// there, the kernel's command line and the guest's metadata say so, and clients
// are told.
const RootDevice = "/dev/vda"

// Guest is one virtual machine as its host is told of it.
type Guest struct {
	// ID is the server's UUID; Num its integer id, from which the domain's
	// name comes.
	ID  string `json:"id"`
	Num uint64 `json:"num"`
	// Permit is the number of the permit by which this host may run it: the
	// index that placed it here.
	Permit uint64 `json:"permit"`
	Power  Power  `json:"power"`
	// PowerEpoch counts the user's wishes to start. A guest that switched
	// itself off is started again only by a higher one.
	PowerEpoch uint64 `json:"power_epoch,omitempty"`
	// RebootEpoch counts the user's wishes to reboot; RebootHard says of which
	// kind the last one is. Wanted 7, done 6: reboot once.
	RebootEpoch uint64 `json:"reboot_epoch,omitempty"`
	RebootHard  bool   `json:"reboot_hard,omitempty"`

	Name      string `json:"name"`
	Hostname  string `json:"hostname"`
	ProjectID string `json:"project_id"`
	UserID    string `json:"user_id"`
	// VCPUs in whole virtual CPUs, RAM in MiB, Disk (root disk, 0 = as large
	// as the image) in GiB.
	VCPUs  int    `json:"vcpus"`
	RAM    int    `json:"ram"`
	Disk   int    `json:"disk"`
	Flavor string `json:"flavor"`
	// Image is the root disk's image. Kernel and Ramdisk are set when the
	// guest is to be started from them directly.
	Image   Image  `json:"image"`
	Kernel  *Image `json:"kernel,omitempty"`
	Ramdisk *Image `json:"ramdisk,omitempty"`
	// CommandLine is the kernel's, when Kernel is set and the image names one.
	CommandLine string `json:"command_line,omitempty"`
	NICs        []NIC  `json:"nics,omitempty"`

	// What the metadata service answers from.
	Zone          string            `json:"zone,omitempty"`
	LaunchIndex   int               `json:"launch_index,omitempty"`
	ReservationID string            `json:"reservation_id,omitempty"`
	Metadata      map[string]string `json:"metadata,omitempty"`
	Key           *Key              `json:"key,omitempty"`
	UserData      []byte            `json:"user_data,omitempty"`
	// Password is what the guest posted.
	Password []byte `json:"password,omitempty"`
	// CreatedAt is in Unix nanoseconds.
	CreatedAt int64 `json:"created_at,omitempty"`
}

// DomainName is the guest's name to the hypervisor, instance-%08x.
func (g Guest) DomainName() string { return fmt.Sprintf("instance-%08x", g.Num) }

// Key is the SSH public key that the guest's metadata offers.
type Key struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	PublicKey string `json:"public_key"`
}

// Image is what the host needs to fetch and trust an image's bytes.
type Image struct {
	ID string `json:"id"`
	// Num is the integer id that EC2 clients see.
	Num uint64 `json:"num"`
	// SHA256 names the bytes, in hex; the host verifies it after download.
	SHA256 string `json:"sha256"`
	// Format is raw, qcow2, iso, ami, aki or ari: as checked at upload, never
	// guessed again.
	Format string `json:"format"`
	// Size is in bytes, as stored; VirtualSize is the disk's, in bytes.
	Size        int64 `json:"size"`
	VirtualSize int64 `json:"virtual_size,omitempty"`
}

// NIC is one network interface of a guest.
type NIC struct {
	PortID    string   `json:"port_id"`
	NetworkID string   `json:"network_id"`
	MAC       string   `json:"mac"`
	Addresses []string `json:"addresses,omitempty"`
	// Down ports pass no frame; the guest keeps its interface.
	Down bool `json:"down,omitempty"`
}
