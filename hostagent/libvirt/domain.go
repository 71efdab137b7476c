package libvirt

import (
	"encoding/xml"
	"path"
	"path/filepath"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// Platform is what a domain's XML depends on besides the specification: facts
// of the host.
type Platform struct {
	Type DomainType
	// Arch is the guests' architecture as libvirt names it, such as x86_64.
	Arch string
	// HostUUID and Version are shown to the guest; may be empty.
	HostUUID, Version string
	// Dir is the guest's own folder.
	Dir string
	// Cache is QEMU's cache mode for the root disk: none where the file systems
	// take O_DIRECT, else writethrough; both survive a host that loses power.
	Cache string
	// NoSecurityLabel switches confinement off.
	NoSecurityLabel bool
}

const archX86 = "x86_64"

// defaultCommandLine suits images made for clouds: kernel messages go to both
// consoles, the log being the last one and so /dev/console.
const defaultCommandLine = "root=" + assign.RootDevice + " console=tty0 console=ttyS0"

// DomainXML gives the domain that spec describes on the platform p. It is a
// pure function; errs.Invalid and errs.Unsupported say that no such domain can
// be made.
func DomainXML(spec hostagent.Spec, p Platform) (string, error) {
	const op = "libvirt.DomainXML"
	if err := checkSpec(spec); err != nil {
		return "", err
	}
	lay, err := layoutOf(spec)
	if err != nil {
		return "", err
	}
	element, err := encodeMark(spec)
	if err != nil {
		return "", err
	}
	g := spec.Guest
	dom := libvirtxml.Domain{
		Type:       string(p.Type),
		Name:       g.DomainName(),
		UUID:       g.ID,
		Metadata:   &libvirtxml.DomainMetadata{XML: element},
		Memory:     &libvirtxml.DomainMemory{Value: uint(g.RAM), Unit: "MiB"},
		VCPU:       &libvirtxml.DomainVCPU{Placement: "static", Value: uint(g.VCPUs)},
		SysInfo:    sysInfo(spec, p),
		OS:         osOf(spec, p, lay),
		Features:   features(p),
		CPU:        cpu(p),
		Clock:      clockOf(p),
		OnPoweroff: "destroy",
		OnReboot:   "restart",
		OnCrash:    "destroy",
		Devices:    devices(spec, p, lay),
	}
	if p.NoSecurityLabel {
		dom.SecLabel = []libvirtxml.DomainSecLabel{{Type: "none"}}
	}
	b, err := xml.MarshalIndent(dom, "", "  ")
	if err != nil {
		return "", errs.E(op, errs.Internal, "", err)
	}
	return string(b) + "\n", nil
}

// sysInfo is the board that the guest sees. The product name is what
// cloud-init's ds-identify looks for to try the metadata service.
func sysInfo(spec hostagent.Spec, p Platform) []libvirtxml.DomainSysInfo {
	entries := []libvirtxml.DomainSysInfoEntry{
		{Name: "manufacturer", Value: "Kvorum"},
		{Name: "product", Value: "OpenStack Nova"},
	}
	if p.Version != "" {
		entries = append(entries, libvirtxml.DomainSysInfoEntry{Name: "version", Value: cleanText(p.Version)})
	}
	if p.HostUUID != "" {
		entries = append(entries, libvirtxml.DomainSysInfoEntry{Name: "serial", Value: p.HostUUID})
	}
	entries = append(entries,
		libvirtxml.DomainSysInfoEntry{Name: "uuid", Value: spec.Guest.ID},
		libvirtxml.DomainSysInfoEntry{Name: "family", Value: "Virtual Machine"})
	return []libvirtxml.DomainSysInfo{{SMBIOS: &libvirtxml.DomainSysInfoSMBIOS{
		System: &libvirtxml.DomainSysInfoSystem{Entry: entries},
	}}}
}

func osOf(spec hostagent.Spec, p Platform, lay layout) *libvirtxml.DomainOS {
	os := &libvirtxml.DomainOS{
		Type:   &libvirtxml.DomainOSType{Arch: p.Arch, Machine: machine(p.Arch), Type: "hvm"},
		SMBios: &libvirtxml.DomainSMBios{Mode: "sysinfo"},
	}
	if spec.KernelFile != "" {
		os.Kernel, os.Initrd = spec.KernelFile, spec.RamdiskFile
		os.Cmdline = commandLine(spec.Guest.CommandLine, p)
		return os
	}
	// The disk comes before the disc: a blank disk is passed over, and after
	// an installation the guest does not run the installer again.
	if lay.HasRoot {
		os.BootDevices = append(os.BootDevices, libvirtxml.DomainBootDevice{Dev: "hd"})
	}
	if lay.CDROM != "" {
		os.BootDevices = append(os.BootDevices, libvirtxml.DomainBootDevice{Dev: "cdrom"})
	}
	return os
}

// machine names the board: on x86 the classic one, as images made for other
// clouds expect; elsewhere libvirt's default.
func machine(arch string) string {
	if arch == archX86 {
		return "pc"
	}
	return ""
}

func commandLine(own string, p Platform) string {
	switch {
	case own != "":
		return own
	case p.Type == QEMU:
		// An emulated timer may fail the kernel's self-test on a busy host.
		return defaultCommandLine + " no_timer_check"
	default:
		return defaultCommandLine
	}
}

func features(p Platform) *libvirtxml.DomainFeatureList {
	f := &libvirtxml.DomainFeatureList{ACPI: &libvirtxml.DomainFeature{}}
	if p.Arch == archX86 {
		f.APIC = &libvirtxml.DomainFeatureAPIC{}
	}
	return f
}

func cpu(p Platform) *libvirtxml.DomainCPU {
	if p.Type != KVM {
		return nil // the emulator's default model is the only one it can do fully
	}
	return &libvirtxml.DomainCPU{Mode: "host-model", Check: "partial"}
}

func clockOf(p Platform) *libvirtxml.DomainClock {
	c := &libvirtxml.DomainClock{Offset: "utc"}
	if p.Type == KVM && p.Arch == archX86 {
		c.Timer = []libvirtxml.DomainTimer{
			{Name: "rtc", TickPolicy: "catchup"},
			{Name: "pit", TickPolicy: "delay"},
			{Name: "hpet", Present: "no"},
		}
	}
	return c
}

func devices(spec hostagent.Spec, p Platform, lay layout) *libvirtxml.DomainDeviceList {
	port := uint(0)
	d := &libvirtxml.DomainDeviceList{
		// No USB: nothing uses it, and an emulated controller polls.
		Controllers: []libvirtxml.DomainController{{Type: "usb", Model: "none"}},
		Serials: []libvirtxml.DomainSerial{{
			Source: &libvirtxml.DomainChardevSource{File: &libvirtxml.DomainChardevSourceFile{
				Path: filepath.Join(p.Dir, consoleFile), Append: "on",
			}},
			Target: &libvirtxml.DomainSerialTarget{Port: &port},
		}},
		// No display, and none that libvirt adds by itself.
		Videos: []libvirtxml.DomainVideo{{Model: libvirtxml.DomainVideoModel{Type: "none"}}},
		MemBalloon: &libvirtxml.DomainMemBalloon{
			Model: "virtio", Stats: &libvirtxml.DomainMemBalloonStats{Period: 10},
		},
		RNGs: []libvirtxml.DomainRNG{{
			Model:   "virtio",
			Backend: &libvirtxml.DomainRNGBackend{Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/urandom"}},
		}},
	}
	if lay.HasRoot {
		d.Disks = append(d.Disks, rootDisk(spec, p, lay))
	}
	if lay.CDROM != "" {
		d.Disks = append(d.Disks, disc(lay.CDROM))
	}
	for _, l := range spec.Links {
		d.Interfaces = append(d.Interfaces, nic(l, p))
	}
	return d
}

// rootDisk spells the whole chain out, formats included, so that neither
// libvirt nor QEMU reads a file's header to learn what lies under it.
func rootDisk(spec hostagent.Spec, p Platform, lay layout) libvirtxml.DomainDisk {
	d := libvirtxml.DomainDisk{
		Device:       "disk",
		Driver:       &libvirtxml.DomainDiskDriver{Name: "qemu", Type: formatQCOW2, Cache: p.Cache, Discard: "unmap"},
		Source:       fileSource(filepath.Join(p.Dir, diskFile)),
		BackingStore: &libvirtxml.DomainDiskBackingStore{}, // empty: the chain ends here
		Target:       &libvirtxml.DomainDiskTarget{Dev: path.Base(assign.RootDevice), Bus: "virtio"},
		Serial:       diskSerial(spec.Guest.ID),
	}
	if lay.Base != "" {
		d.BackingStore = &libvirtxml.DomainDiskBackingStore{
			Format:       &libvirtxml.DomainDiskFormat{Type: lay.BaseFormat},
			Source:       fileSource(lay.Base),
			BackingStore: &libvirtxml.DomainDiskBackingStore{},
		}
	}
	return d
}

// disc is a CD-ROM on a bus that every x86 and arm board has.
func disc(file string) libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device:   "cdrom",
		Driver:   &libvirtxml.DomainDiskDriver{Name: "qemu", Type: formatRaw},
		Source:   fileSource(file),
		Target:   &libvirtxml.DomainDiskTarget{Dev: "sda", Bus: "sata"},
		ReadOnly: &libvirtxml.DomainDiskReadOnly{},
	}
}

func fileSource(path string) *libvirtxml.DomainDiskSource {
	return &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: path}}
}

// diskSerial fits virtio's twenty bytes.
func diskSerial(id string) string { return strings.ReplaceAll(id, "-", "")[:20] }

func nic(l hostagent.Link, p Platform) libvirtxml.DomainInterface {
	i := libvirtxml.DomainInterface{
		MAC:    &libvirtxml.DomainInterfaceMAC{Address: strings.ToLower(l.MAC)},
		Source: &libvirtxml.DomainInterfaceSource{Bridge: &libvirtxml.DomainInterfaceSourceBridge{Bridge: l.Bridge}},
		Target: &libvirtxml.DomainInterfaceTarget{Dev: l.Tap},
		Model:  &libvirtxml.DomainInterfaceModel{Type: "virtio"},
	}
	if p.Type == QEMU {
		// The kernel's own virtio backend needs KVM to reach the guest.
		i.Driver = &libvirtxml.DomainInterfaceDriver{Name: "qemu"}
	}
	if l.MTU != 0 {
		i.MTU = &libvirtxml.DomainInterfaceMTU{Size: uint(l.MTU)}
	}
	return i
}
