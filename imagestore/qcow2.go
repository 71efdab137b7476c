package imagestore

import (
	"encoding/binary"
)

// refusal is a reason, in words for the image's owner, why a qcow2 image is not taken.
type refusal string

func (r refusal) Error() string { return string(r) }

// Sizes and limits of the format, in bytes if nothing else is said. The table limits are QEMU's own. Source: QEMU's
// docs/interop/qcow2.
const (
	qcow2HeaderV2      = 72
	qcow2HeaderV3      = 104
	qcow2HeaderNewest  = 112 // with the compression type; a longer header comes from a format that is not known here
	qcow2MaxL1         = 32 << 20
	qcow2MaxRefTable   = 8 << 20
	qcow2SpareL1       = 1024 // entries beyond the disk's need; a saved machine state or a shrunk disk has some
	qcow2MaxSnapshots  = 1024
	qcow2MaxExtensions = 64
)

// Feature bits of version 3.
const (
	featureDirty       = 1 << 0 // reference counts are behind; harmless for a read-only base
	featureCorrupt     = 1 << 1
	featureExternal    = 1 << 2 // the data is in another file
	featureCompression = 1 << 3 // the header says how clusters are compressed
	featureExtendedL2  = 1 << 4
	featuresTaken      = featureDirty | featureCompression | featureExtendedL2
	autoclearExternal  = 1 << 1 // the other file is raw
)

// qcow2Header is the header's fields by their names in the format's description.
type qcow2Header struct {
	version             uint32
	backingOffset       uint64
	backingSize         uint32
	clusterBits         uint32
	size                uint64
	cryptMethod         uint32
	l1Size              uint32 // entries
	l1Offset            uint64
	refTableOffset      uint64
	refTableClusters    uint32
	snapshots           uint32
	snapshotsOffset     uint64
	incompatible        uint64
	autoclear           uint64
	refcountOrder       uint32
	headerLength        uint32
	compressionType     uint8
	cluster, l2Coverage uint64 // bytes in a cluster; bytes of disk behind one L1 entry
}

// inspectQCOW2 gives the virtual size of a safe image. Anything that it doesn't understand is a refusal.
func inspectQCOW2(src source) (int64, error) {
	h, err := readQCOW2Header(src)
	if err != nil {
		return 0, err
	}
	if err := h.checkReferences(); err != nil {
		return 0, err
	}
	if err := h.checkTables(src); err != nil {
		return 0, err
	}
	if err := h.checkExtensions(src); err != nil {
		return 0, err
	}
	if err := h.checkSnapshots(src); err != nil {
		return 0, err
	}
	return int64(h.size), nil
}

func readQCOW2Header(src source) (qcow2Header, error) {
	var h qcow2Header
	b, ok, err := src.read(0, qcow2HeaderV2)
	if err != nil || !ok {
		return h, orRefuse(err, "its header is cut short")
	}
	u32, u64 := binary.BigEndian.Uint32, binary.BigEndian.Uint64
	h = qcow2Header{
		version: u32(b[4:]), backingOffset: u64(b[8:]), backingSize: u32(b[16:]), clusterBits: u32(b[20:]),
		size: u64(b[24:]), cryptMethod: u32(b[32:]), l1Size: u32(b[36:]), l1Offset: u64(b[40:]),
		refTableOffset: u64(b[48:]), refTableClusters: u32(b[56:]), snapshots: u32(b[60:]), snapshotsOffset: u64(b[64:]),
		refcountOrder: 4, headerLength: qcow2HeaderV2,
	}
	if h.version != 2 && h.version != 3 {
		return h, refusal("its version is neither 2 nor 3")
	}
	if h.clusterBits < 9 || h.clusterBits > 21 {
		return h, refusal("its cluster size is out of range")
	}
	h.cluster = 1 << h.clusterBits
	if h.version == 3 {
		if err := h.readVersion3(src); err != nil {
			return h, err
		}
	}
	entry := uint64(8)
	if h.incompatible&featureExtendedL2 != 0 {
		entry = 16
	}
	h.l2Coverage = h.cluster * (h.cluster / entry)
	return h, nil
}

func (h *qcow2Header) readVersion3(src source) error {
	b, ok, err := src.read(qcow2HeaderV2, qcow2HeaderV3-qcow2HeaderV2)
	if err != nil || !ok {
		return orRefuse(err, "its header is cut short")
	}
	h.incompatible = binary.BigEndian.Uint64(b)
	h.autoclear = binary.BigEndian.Uint64(b[16:])
	h.refcountOrder = binary.BigEndian.Uint32(b[24:])
	h.headerLength = binary.BigEndian.Uint32(b[28:])
	if h.headerLength != qcow2HeaderV3 && h.headerLength != qcow2HeaderNewest {
		return refusal("its header has a length that is not known")
	}
	if h.headerLength == qcow2HeaderNewest {
		b, ok, err := src.read(qcow2HeaderV3, 1)
		if err != nil || !ok {
			return orRefuse(err, "its header is cut short")
		}
		h.compressionType = b[0]
	}
	return nil
}

// checkReferences refuses everything that would make QEMU open another file, ask for a key, or guess.
func (h *qcow2Header) checkReferences() error {
	compressed := h.incompatible&featureCompression != 0
	switch {
	case h.backingOffset != 0 || h.backingSize != 0:
		return refusal("it has a backing file")
	case h.incompatible&featureExternal != 0 || h.autoclear&autoclearExternal != 0:
		return refusal("it keeps its data in an external file")
	case h.cryptMethod != 0:
		return refusal("it is encrypted")
	case h.incompatible&featureCorrupt != 0:
		return refusal("it is marked as corrupt")
	case h.incompatible&^featuresTaken != 0:
		return refusal("it needs features that are not known")
	case h.compressionType > 1 || compressed != (h.compressionType == 1):
		return refusal("its compression type is not known")
	case h.incompatible&featureExtendedL2 != 0 && h.clusterBits < 14:
		return refusal("its cluster size is out of range")
	}
	return nil
}

// checkTables refuses absurd sizes, and tables that lie outside the file or aren't there.
func (h *qcow2Header) checkTables(src source) error {
	if h.size == 0 || h.size > uint64(MaxVirtualSize) {
		return refusal("its disk size is absurd")
	}
	need := (h.size + h.l2Coverage - 1) / h.l2Coverage
	l1Bytes := uint64(h.l1Size) * 8
	switch {
	case uint64(h.l1Size) < need:
		return refusal("its L1 table is too small for its disk size")
	case l1Bytes > qcow2MaxL1 || uint64(h.l1Size) > 2*need+qcow2SpareL1:
		return refusal("its L1 table is absurdly large")
	case !h.inside(src, h.l1Offset, l1Bytes):
		return refusal("its L1 table is out of bounds")
	case h.refcountOrder > 6:
		return refusal("its reference counts have an unknown width")
	}
	refBytes := uint64(h.refTableClusters) * h.cluster
	if refBytes == 0 || refBytes > qcow2MaxRefTable || !h.inside(src, h.refTableOffset, refBytes) {
		return refusal("its reference count table is out of bounds")
	}
	return nil
}

// inside tells whether a table starts on a cluster after the header and ends in the file, whose last cluster may be cut
// short.
func (h *qcow2Header) inside(src source, offset, length uint64) bool {
	end := (uint64(src.size) + h.cluster - 1) / h.cluster * h.cluster
	return offset >= h.cluster && offset%h.cluster == 0 && offset <= end && length <= end-offset
}

// Header extensions that are refused. The others (names of features, bitmaps) open no file, and QEMU ignores those that
// it doesn't know.
var refusedExtensions = map[uint32]refusal{
	0xe2792aca: "it names a backing file's format",
	0x44415441: "it keeps its data in an external file",
	0x0537be77: "it is encrypted",
}

// checkExtensions walks the records between the header and the end of the first cluster.
func (h *qcow2Header) checkExtensions(src source) error {
	at := uint64(h.headerLength)
	for range qcow2MaxExtensions {
		if at+8 > h.cluster {
			return nil
		}
		b, ok, err := src.read(int64(at), 8)
		if err != nil || !ok {
			return orRefuse(err, "its header extensions are cut short")
		}
		kind, length := binary.BigEndian.Uint32(b), uint64(binary.BigEndian.Uint32(b[4:]))
		if kind == 0 {
			return nil
		}
		if reason, bad := refusedExtensions[kind]; bad {
			return reason
		}
		at += 8 + (length+7)/8*8
		if at > h.cluster {
			return refusal("its header extensions are out of bounds")
		}
	}
	return refusal("it has too many header extensions")
}

// orRefuse is a failed read, or else the reason.
func orRefuse(err error, reason refusal) error {
	if err != nil {
		return err
	}
	return reason
}
