package imagestore

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// MaxVirtualSize is the largest disk that an image may describe, in bytes (64 TiB). Larger ones are bombs or mistakes.
const MaxVirtualSize int64 = 64 << 40

// The disk formats that an image may declare.
const (
	DiskRaw   = "raw"
	DiskQCOW2 = "qcow2"
	DiskISO   = "iso"
	DiskAMI   = "ami" // a disk or a file system, for use with a kernel
	DiskAKI   = "aki" // a kernel
	DiskARI   = "ari" // a ramdisk
)

// supported in the order in which an error names them.
var supported = []string{DiskRaw, DiskQCOW2, DiskISO, DiskAMI, DiskAKI, DiskARI}

// Info is what Check found out.
type Info struct {
	// Format is the declared format, now proven: give it to QEMU by name, as "raw" for all but qcow2.
	Format string
	// VirtualSize is the size of the disk that a guest sees, in bytes.
	VirtualSize int64
}

// Check judges whether size bytes are an image of the declared format that is safe to give to QEMU under that format's
// name. Run it when an image is uploaded and again where it's used, on the very file that is used. It reads a bounded
// part of the bytes.
//
// A format that isn't served gives Unsupported; bytes that are something else, or that could make QEMU open another
// file, or that describe an absurd disk, give Invalid; a failed read gives Internal.
func Check(declared string, r io.ReaderAt, size int64) (Info, error) {
	const op = "imagestore.Check"
	if !slices.Contains(supported, declared) {
		return Info{}, errs.E(op, errs.Unsupported, fmt.Sprintf("Disk format %q is not supported. Supported are %s.",
			printable(declared), strings.Join(supported, ", ")), nil)
	}
	src := source{r: r, size: size}
	found, err := detect(src)
	if err != nil {
		return Info{}, errs.E(op, errs.Internal, "The image data can't be read.", err)
	}
	if declared == DiskQCOW2 {
		return checkQCOW2(op, src, found)
	}
	for _, f := range found {
		if !innocent[f] {
			return Info{}, mismatch(op, declared, string(f))
		}
	}
	if declared == DiskISO && !slices.Contains(found, ISO) {
		return Info{}, mismatch(op, declared, "no ISO 9660 file system")
	}
	if size < 0 || size > MaxVirtualSize {
		return Info{}, errs.E(op, errs.Invalid, "The image is larger than any disk may be.", nil)
	}
	return Info{Format: declared, VirtualSize: size}, nil
}

func checkQCOW2(op string, src source, found []Format) (Info, error) {
	if len(found) == 0 {
		return Info{}, mismatch(op, DiskQCOW2, "no qcow2 header")
	}
	for _, f := range found {
		if f != QCOW2 {
			return Info{}, mismatch(op, DiskQCOW2, string(f))
		}
	}
	virtual, err := inspectQCOW2(src)
	if refusal, ok := err.(refusal); ok {
		return Info{}, errs.E(op, errs.Invalid, "The qcow2 image is refused: "+string(refusal)+".", nil)
	}
	if err != nil {
		return Info{}, errs.E(op, errs.Internal, "The image data can't be read.", err)
	}
	return Info{Format: DiskQCOW2, VirtualSize: virtual}, nil
}

func mismatch(op, declared, found string) error {
	return errs.E(op, errs.Invalid, fmt.Sprintf("The image is declared as %s, but its data looks like %s.", declared, found), nil)
}

// printable bounds a word that comes from a client before it's repeated to that client and to the log.
func printable(word string) string {
	return strings.ToValidUTF8(word[:min(len(word), 32)], "?")
}
