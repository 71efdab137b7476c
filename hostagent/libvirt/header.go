package libvirt

import (
	"encoding/binary"
	"io"
	"os"

	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// maxDisk bounds what an image may claim to be, in bytes.
	maxDisk = 64 << 40
	sector  = 512
)

// The parts of a qcow2 header that decide whether an image may be used (QEMU's
// docs/interop/qcow2.txt).
const (
	qcow2Magic = "QFI\xfb"
	qcow2Size  = 104 // bytes of a version 3 header without optional fields
	// The incompatible features that say nothing about other files: dirty bit,
	// compression type, extended L2 entries. Not among them: corrupt (bit 1)
	// and external data file (bit 2).
	qcow2Known = 1<<0 | 1<<3 | 1<<4
)

// virtualSize gives the size in bytes of the disk in an image file whose
// format is known. A qcow2 file that leads to other files, or that QEMU would
// need more than its bytes for, is refused: what an image says is a stranger's
// word, also when it was looked at before.
func virtualSize(path, format string) (int64, error) {
	const op = "libvirt.virtualSize"
	f, err := os.Open(path)
	if err != nil {
		return 0, errs.E(op, errs.Unavailable, "the guest's image is not in the image cache", err)
	}
	defer func() { _ = f.Close() }() // only read
	st, err := f.Stat()
	if err != nil {
		return 0, errs.E(op, errs.Unavailable, "the guest's image cannot be read", err)
	}
	if !st.Mode().IsRegular() {
		return 0, errs.Errorf(op, errs.Invalid, "the guest's image is not a regular file")
	}
	size := st.Size()
	if format == formatQCOW2 {
		if size, err = qcow2VirtualSize(f); err != nil {
			return 0, err
		}
	}
	if size <= 0 || size > maxDisk {
		return 0, errs.Errorf(op, errs.Invalid, "the guest's image has an impossible size of %d bytes", size)
	}
	return (size + sector - 1) / sector * sector, nil
}

func qcow2VirtualSize(r io.Reader) (int64, error) {
	const op = "libvirt.virtualSize"
	h := make([]byte, qcow2Size)
	if _, err := io.ReadFull(r, h[:72]); err != nil || string(h[:4]) != qcow2Magic {
		return 0, errs.E(op, errs.Invalid, "the guest's image is not the qcow2 file that it was said to be", err)
	}
	version := binary.BigEndian.Uint32(h[4:])
	var features uint64
	switch version {
	case 2:
	case 3:
		if _, err := io.ReadFull(r, h[72:]); err != nil {
			return 0, errs.E(op, errs.Invalid, "the guest's image has a cut-off header", err)
		}
		features = binary.BigEndian.Uint64(h[72:])
	default:
		return 0, errs.Errorf(op, errs.Invalid, "the guest's image is qcow2 of the unknown version %d", version)
	}
	clusterBits := binary.BigEndian.Uint32(h[20:])
	size := binary.BigEndian.Uint64(h[24:])
	switch {
	case binary.BigEndian.Uint64(h[8:]) != 0:
		return 0, errs.Errorf(op, errs.Invalid, "the guest's image lies over another file, which is not allowed")
	case features&^uint64(qcow2Known) != 0:
		return 0, errs.Errorf(op, errs.Invalid, "the guest's image is damaged or keeps its data in another file")
	case binary.BigEndian.Uint32(h[32:]) != 0:
		return 0, errs.Errorf(op, errs.Invalid, "the guest's image is encrypted, which is not supported")
	case clusterBits < 9 || clusterBits > 21 || size > maxDisk:
		return 0, errs.Errorf(op, errs.Invalid, "the guest's image has an impossible header")
	}
	return int64(size), nil
}
