package imagestore

import "encoding/binary"

// Sizes of a record of the snapshot table, in bytes.
const (
	snapshotHeader   = 40
	snapshotMaxExtra = 1024
)

// checkSnapshots walks the table of internal snapshots. Snapshots are taken (their clusters are part of the file), but
// a record or an L1 table of theirs that lies outside the file is refused.
func (h *qcow2Header) checkSnapshots(src source) error {
	const outside = refusal("its snapshot table is out of bounds")
	if h.snapshots == 0 {
		return nil
	}
	if h.snapshots > qcow2MaxSnapshots {
		return refusal("it has too many snapshots")
	}
	if !h.inside(src, h.snapshotsOffset, uint64(h.snapshots)*snapshotHeader) {
		return outside
	}
	at := int64(h.snapshotsOffset) // in the file, so it can't overflow
	for range h.snapshots {
		b, ok, err := src.read(at, snapshotHeader)
		if err != nil || !ok {
			return orRefuse(err, outside)
		}
		l1Bytes := uint64(binary.BigEndian.Uint32(b[8:])) * 8
		if l1Bytes > qcow2MaxL1 || l1Bytes > 0 && !h.inside(src, binary.BigEndian.Uint64(b), l1Bytes) {
			return refusal("a snapshot's L1 table is out of bounds")
		}
		extra := int64(binary.BigEndian.Uint32(b[36:]))
		if extra > snapshotMaxExtra {
			return refusal("a snapshot has a record of unknown form")
		}
		names := int64(binary.BigEndian.Uint16(b[12:])) + int64(binary.BigEndian.Uint16(b[14:]))
		length := snapshotHeader + extra + names
		if length > src.size-at {
			return outside
		}
		at += (length + 7) / 8 * 8
	}
	return nil
}
