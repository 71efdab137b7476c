package hostagent

import (
	"context"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

// Driver is a hypervisor as the agent uses it. Every call is idempotent:
// "already so" is success, and a call that was cut off half-way may simply be
// made again. Calls for different guests may run at once; the agent makes at
// most one at a time for each guest.
//
// Errors: errs.Unavailable and errs.Busy mean "try again"; any other kind
// means that the same call would fail again, and its message is shown to the
// user as the guest's fault.
type Driver interface {
	// List gives every guest of ours on this host, running or not. Domains
	// that do not carry our mark are not listed.
	List(ctx context.Context) ([]Have, error)
	// Look gives one guest; a guest that is not there has State Missing.
	Look(ctx context.Context, id string) (Have, error)
	// Define makes the guest's disks (if they are not there) and its domain,
	// and leaves it off. A domain that is there is redefined for its next
	// start; a running guest is not disturbed, and existing disks are kept.
	Define(ctx context.Context, spec Spec) error
	// Start boots a defined guest that is off.
	Start(ctx context.Context, id string) error
	// Shutdown asks the guest to stop and returns at once.
	Shutdown(ctx context.Context, id string) error
	// Kill stops the guest as by pulling its plug.
	Kill(ctx context.Context, id string) error
	// Remove undefines a guest that is off and deletes its disks and console
	// log.
	Remove(ctx context.Context, id string) error
	// Console gives the last max bytes of the serial console's log.
	Console(ctx context.Context, id string, max int) ([]byte, error)
	// Capacity tells what the host offers; the agent adds its own identity.
	Capacity(ctx context.Context) (assign.Capacity, error)
	// Events delivers the ids of guests that changed: only a wake-up, the
	// agent looks again. The channel is bounded and may drop; it is closed
	// by Close.
	Events() <-chan string
	// Close releases the hypervisor's connection; guests run on.
	Close() error
}

// Have is what the driver sees of one guest.
type Have struct {
	ID    string
	Num   uint64
	State assign.State
	// Permit is the one that the domain was last defined under (kept in the
	// domain's metadata element); 0 when unknown.
	Permit uint64
	// StoppedByGuest says that a Shutoff guest switched itself off, as far as
	// the hypervisor still knows (not after its own or the host's restart). It
	// cannot tell who asked the guest to: when a host shuts down, the agent must
	// have stopped before somebody asks all guests (deploy/README.md).
	StoppedByGuest bool
	// Boot changes at each start of the guest; empty while it is off.
	Boot string
}

// Spec is all that a driver needs to define a guest.
type Spec struct {
	Guest assign.Guest
	// ImageFile, KernelFile and RamdiskFile are files in the agent's image
	// cache, verified; the latter two are empty for ordinary bootable disks.
	ImageFile, KernelFile, RamdiskFile string
	// Links has one entry for each of Guest.NICs, in order.
	Links []Link
	// StopTimeout is how long a graceful stop is given; informative.
	StopTimeout time.Duration
}

// Link is where a NIC is plugged in.
type Link struct {
	// Tap is the name that the host's end must have; Bridge what it joins.
	Tap, Bridge string
	MAC         string
	// MTU is in bytes.
	MTU int
}
