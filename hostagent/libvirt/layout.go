package libvirt

import (
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/errs"
)

// The formats as QEMU names them.
const (
	formatRaw   = "raw"
	formatQCOW2 = "qcow2"
)

// layout is which disks a guest has; it follows from the specification alone.
type layout struct {
	// HasRoot says that there is a disk of the guest's own, vda.
	HasRoot bool
	// Base is the cached image under it and BaseFormat that file's format;
	// empty for a blank disk.
	Base, BaseFormat string
	// CDROM is the cached image that is put in as a read-only disc.
	CDROM string
}

// layoutOf decides a guest's disks by its image's format, as it was checked at
// upload. An ami is a raw file system without a partition table.
func layoutOf(spec hostagent.Spec) (layout, error) {
	const op = "libvirt.layoutOf"
	if spec.ImageFile == "" {
		return layout{}, errs.Errorf(op, errs.Invalid, "the guest's image is not in the image cache")
	}
	switch f := spec.Guest.Image.Format; f {
	case "qcow2":
		return layout{HasRoot: true, Base: spec.ImageFile, BaseFormat: formatQCOW2}, nil
	case "raw", "ami":
		return layout{HasRoot: true, Base: spec.ImageFile, BaseFormat: formatRaw}, nil
	case "iso":
		return layout{HasRoot: spec.Guest.Disk > 0, CDROM: spec.ImageFile}, nil
	case "aki", "ari":
		return layout{}, errs.Errorf(op, errs.Invalid, "a kernel or ramdisk image (%s) cannot be a guest's root disk", f)
	default:
		return layout{}, errs.Errorf(op, errs.Unsupported, "this host cannot boot images of format %q", f)
	}
}
