package disk

import (
	"slices"
	"time"
)

// Event is one thing that happened to the disk, in the order of Seq. Reads are
// left out, but for those that failed.
type Event struct {
	Seq uint64 `json:"seq"`
	// At is when it began, since the machine's boot: see clock.SinceBoot. Took is
	// how long, with all that faults made of it.
	At   time.Duration `json:"at"`
	Took time.Duration `json:"took,omitempty"`
	// Op is write, truncate, allocate, sync, datasync, read, create, mkdir, mknod,
	// symlink, link, rename, unlink or rmdir; of the disk itself mount, cut, loss,
	// flip, save, put, spill.
	Op string `json:"op"`
	// File is the file's number: the same under all its names, for as long as it
	// is there. Path is below the mount; To the second name of a rename or link.
	File uint64 `json:"file,omitempty"`
	Path string `json:"path,omitempty"`
	To   string `json:"to,omitempty"`
	// Off and Len are bytes. A truncation has its new length as Off.
	Off int64 `json:"off,omitempty"`
	Len int64 `json:"len,omitempty"`
	// Result is empty, or the error's name such as EIO.
	Result string `json:"result,omitempty"`
	// Marks are what Options.Mark found.
	Marks []string `json:"marks,omitempty"`
}

// Trace is a part of the disk's trace.
type Trace struct {
	Events []Event `json:"events"`
	// Next is the Seq to ask from next.
	Next uint64 `json:"next"`
	// Missed is how many events between were forgotten already.
	Missed uint64 `json:"missed"`
}

// Synced tells when the mark was safe: when so many syncs of a file had
// succeeded that began after the mark was written to it. Nobody may have
// answered before. A database that writes its root in a second step needs two.
func Synced(events []Event, mark string, syncs int) (at time.Duration, ok bool) {
	written := map[uint64]time.Duration{}
	done := map[uint64]int{}
	for _, e := range events {
		if e.Result != "" {
			continue
		}
		since, is := written[e.File]
		switch {
		case e.Op == "write" && !is && slices.Contains(e.Marks, mark):
			written[e.File] = e.At + e.Took
		case (e.Op == "sync" || e.Op == "datasync") && is && e.At >= since:
			if done[e.File]++; done[e.File] == syncs {
				return e.At + e.Took, true
			}
		case e.Op == "loss":
			clear(written)
		}
	}
	return 0, false
}
