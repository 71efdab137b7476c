package libvirt

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// maxText bounds, in characters, what is only written down in a domain.
	maxText = 255
	// maxCommandLine is Linux's own bound on x86.
	maxCommandLine = 2048
	maxNICs        = 64
	maxVCPUs       = 4096
	maxRAM         = 64 << 20 // MiB
)

var (
	uuidShape = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	// linkShape is narrower than the kernel's rule for interface names.
	linkShape = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$`)
)

// checkID refuses an id that could not be a server's. Folder names are made of
// it, so this is also what keeps them inside the instances folder.
func checkID(op, id string) error {
	if !uuidShape.MatchString(id) {
		return errs.Errorf(op, errs.Invalid, "%q is not a guest's UUID", id)
	}
	return nil
}

// checkSpec refuses a specification that no domain can be made of. What the
// domain's XML only quotes is not refused but cleaned; see cleanText.
func checkSpec(spec hostagent.Spec) error {
	const op = "libvirt.checkSpec"
	g := spec.Guest
	if err := checkID(op, g.ID); err != nil {
		return err
	}
	switch {
	case g.Num == 0:
		return errs.Errorf(op, errs.Invalid, "the guest has no number")
	case g.VCPUs < 1 || g.VCPUs > maxVCPUs:
		return errs.Errorf(op, errs.Invalid, "a guest cannot have %d virtual CPUs", g.VCPUs)
	case g.RAM < 1 || g.RAM > maxRAM:
		return errs.Errorf(op, errs.Invalid, "a guest cannot have %d MiB of memory", g.RAM)
	case g.Disk < 0 || int64(g.Disk) > maxDisk>>30:
		return errs.Errorf(op, errs.Invalid, "a guest cannot have a disk of %d GiB", g.Disk)
	case len(g.CommandLine) > maxCommandLine || strings.ContainsFunc(g.CommandLine, isControl) ||
		!utf8.ValidString(g.CommandLine):
		return errs.Errorf(op, errs.Invalid, "the kernel's command line is over %d bytes or has control characters", maxCommandLine)
	case (g.Kernel != nil) != (spec.KernelFile != "") || (g.Ramdisk != nil) != (spec.RamdiskFile != ""):
		return errs.Errorf(op, errs.Invalid, "the guest's kernel or ramdisk is not in the image cache")
	case g.Ramdisk != nil && g.Kernel == nil:
		return errs.Errorf(op, errs.Invalid, "the guest has a ramdisk and no kernel")
	}
	for _, f := range []string{spec.ImageFile, spec.KernelFile, spec.RamdiskFile} {
		if f != "" && (!filepath.IsAbs(f) || strings.ContainsFunc(f, isControl) || !utf8.ValidString(f)) {
			return errs.Errorf(op, errs.Invalid, "an image file must have a plain absolute path")
		}
	}
	if _, err := layoutOf(spec); err != nil {
		return err
	}
	return checkLinks(spec)
}

func checkLinks(spec hostagent.Spec) error {
	const op = "libvirt.checkSpec"
	if len(spec.Links) != len(spec.Guest.NICs) || len(spec.Links) > maxNICs {
		return errs.Errorf(op, errs.Invalid, "%d links do not fit %d network interfaces (at most %d)",
			len(spec.Links), len(spec.Guest.NICs), maxNICs)
	}
	for _, l := range spec.Links {
		mac, err := net.ParseMAC(l.MAC)
		switch {
		case err != nil || len(mac) != 6 || mac[0]&1 != 0:
			return errs.Errorf(op, errs.Invalid, "%q is not an interface's MAC address", l.MAC)
		case !linkShape.MatchString(l.Tap) || !linkShape.MatchString(l.Bridge):
			return errs.Errorf(op, errs.Invalid, "%q and %q are not a tap and a bridge", l.Tap, l.Bridge)
		case libvirtRenames(l.Tap):
			return errs.Errorf(op, errs.Invalid, "libvirt gives names like %q itself", l.Tap)
		case l.MTU != 0 && (l.MTU < 68 || l.MTU > 65535):
			return errs.Errorf(op, errs.Invalid, "an MTU of %d bytes is impossible", l.MTU)
		}
	}
	return nil
}

// libvirtRenames tells whether libvirt would take name for one that it made
// up itself, and replace it.
func libvirtRenames(name string) bool {
	for _, p := range []string{"vnet", "vif", "macvtap", "macvlan"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// cleanText makes s fit to be quoted in XML: what XML 1.0 cannot say becomes
// the replacement character, and the rest after maxText characters is cut.
// Escaping is left to the encoder.
func cleanText(s string) string {
	out := make([]rune, 0, min(len(s), maxText))
	for _, r := range s { // invalid UTF-8 comes out as U+FFFD
		if len(out) == maxText {
			break
		}
		if !inXML(r) {
			r = utf8.RuneError
		}
		out = append(out, r)
	}
	return string(out)
}

// inXML is the production Char of XML 1.0, without carriage return, which
// parsers are allowed to change.
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD ||
		r >= 0x10000 && r <= 0x10FFFF
}
