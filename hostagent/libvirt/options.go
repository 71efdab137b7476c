package libvirt

import (
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// DomainType is how a guest's processors are made.
type DomainType string

// The domain types: with the kernel's help, or emulated and far slower.
const (
	KVM  DomainType = "kvm"
	QEMU DomainType = "qemu"
)

// Options are what Open needs to know.
type Options struct {
	// URI is libvirt's; empty means qemu:///system.
	URI string
	// InstancesDir holds a folder for each guest: an absolute path, made if it
	// is missing.
	InstancesDir string
	// HostUUID is shown to guests as their board's serial number; may be empty.
	HostUUID string
	// Version is shown to guests as their board's version; may be empty.
	Version string
	// Type is the domain type; empty means KVM if /dev/kvm works, else QEMU.
	Type DomainType
	// NoSecurityLabel switches libvirt's confinement of guests off; for test
	// hosts whose kernel has none.
	NoSecurityLabel bool
	// ConsoleMax is the size in bytes over which a console log is cut;
	// 0 means 16 MiB, which is more than virtlogd's own default.
	ConsoleMax int64
	// CallTimeout is the longest that one call may take when its context sets
	// no earlier end; 0 means two minutes.
	CallTimeout time.Duration
	// Log and Clock default to none and to the machine's.
	Log   *slog.Logger
	Clock clock.Clock
}

const (
	defaultURI         = "qemu:///system"
	defaultConsoleMax  = 16 << 20
	defaultCallTimeout = 2 * time.Minute
)

// withDefaults fills what was left out and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	const op = "libvirt.Options"
	if o.URI == "" {
		o.URI = defaultURI
	}
	if !filepath.IsAbs(o.InstancesDir) || strings.ContainsFunc(o.InstancesDir, isControl) {
		return o, errs.Errorf(op, errs.Invalid, "the instances folder must be an absolute path, not %q", o.InstancesDir)
	}
	o.InstancesDir = filepath.Clean(o.InstancesDir)
	switch o.Type {
	case "", KVM, QEMU:
	default:
		return o, errs.Errorf(op, errs.Invalid, "the domain type must be kvm or qemu, not %q", o.Type)
	}
	if o.HostUUID != "" && !uuidShape.MatchString(o.HostUUID) {
		return o, errs.Errorf(op, errs.Invalid, "the host's UUID %q is not one", o.HostUUID)
	}
	if o.ConsoleMax < 0 || o.CallTimeout < 0 {
		return o, errs.Errorf(op, errs.Invalid, "a limit is negative")
	}
	if o.ConsoleMax == 0 {
		o.ConsoleMax = defaultConsoleMax
	}
	if o.CallTimeout == 0 {
		o.CallTimeout = defaultCallTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	return o, nil
}
