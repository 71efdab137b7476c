package raftnode

import (
	"encoding/binary"

	"github.com/kvorum/kvorum/internal/errs"
)

// Entry is one committed proposal as the StateMachine sees it. It is the same
// on every node.
type Entry struct {
	// Index is the entry's place in the log. Indexes only grow; they have
	// gaps, because raft keeps entries of its own in the same log.
	Index uint64
	// Term is the term of the leader that wrote the entry.
	Term uint64
	// At is the time of the leader that proposed it, in Unix nanoseconds. It
	// grows strictly from entry to entry, whatever the leaders' clocks do.
	At int64
	// Data is what was given to Propose. It must not be changed or kept.
	Data []byte
}

// An entry in the log is this header, then the proposer's bytes. It is added
// by the leader, outside of anything that a client can write.
const (
	headerVersion = 1
	headerBytes   = 1 + 8 // version, at
)

// EntryOverhead is how many bytes an entry in the log is longer than what was
// proposed.
const EntryOverhead = headerBytes

func encodeEntry(at int64, data []byte) []byte {
	b := make([]byte, headerBytes+len(data))
	b[0] = headerVersion
	stampEntry(b, at)
	copy(b[headerBytes:], data)
	return b
}

// stampEntry sets the time of an encoded entry.
func stampEntry(b []byte, at int64) { binary.BigEndian.PutUint64(b[1:], uint64(at)) }

func decodeEntry(b []byte) (at int64, data []byte, err error) {
	if len(b) < headerBytes || b[0] != headerVersion {
		return 0, nil, errs.Errorf("raftnode.decode", errs.Internal,
			"a log entry of %d bytes has a header that this program does not know", len(b))
	}
	return int64(binary.BigEndian.Uint64(b[1:])), b[headerBytes:], nil
}
