package disk

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// Op is a class of operations.
type Op string

// The classes. What only looks (names, attributes) is in none of them: faults
// do not reach it.
const (
	// Read is the reading of a file. What the kernel still has in its cache it
	// does not read again; a fault of this class empties the cache as it begins,
	// but for files that a fault holds just then.
	Read Op = "read"
	// Write is whatever changes a file's bytes or length.
	Write Op = "write"
	// Sync is fsync and fdatasync, of files and of folders.
	Sync Op = "sync"
	// Name is whatever makes, moves or removes a name.
	Name Op = "name"
)

// Ops are all classes.
var Ops = []Op{Read, Write, Sync, Name}

// Kind is what a fault does.
type Kind string

const (
	// Error answers EIO in place of doing it.
	Error Kind = "error"
	// Hang answers only when the fault is lifted, or the caller is killed.
	Hang Kind = "hang"
	// Slow waits before doing it.
	Slow Kind = "slow"
	// Full leaves Room bytes for new blocks and then answers ENOSPC.
	Full Kind = "full"
	// Cut cuts the power in place of doing it, as Disk.Cut does: so a test reaches
	// every single point of what a program does. It is spent then.
	Cut Kind = "cut"
)

// Fault is something wrong with the disk, from when it is added until it is
// lifted.
type Fault struct {
	Kind Kind `json:"kind"`
	// Ops are the classes that it reaches; none means all. Full reaches what it
	// must and knows no classes.
	Ops []Op `json:"ops,omitempty"`
	// Path is a pattern as in path.Match for the files that it reaches: for the
	// whole path below the mount if there is a slash in it, else for its last
	// part. Empty means all.
	Path string `json:"path,omitempty"`
	// Skip lets so many operations pass first.
	Skip int `json:"skip,omitempty"`
	// Times is how many operations it hits before it is spent; 0 means all, but
	// for Cut one.
	Times int `json:"times,omitempty"`
	// Odds is the chance in a thousand that an operation is hit; 0 means always.
	Odds int `json:"odds,omitempty"`
	// Delay is how long Slow waits, and Jitter how much longer at most, by chance.
	Delay  time.Duration `json:"delay,omitempty"`
	Jitter time.Duration `json:"jitter,omitempty"`
	// Drop makes an Error of a sync what it is on Linux: what was to be written is
	// forgotten, though the cache still shows it, and the next sync succeeds
	// without it. Otherwise the next sync tries again.
	Drop bool `json:"drop,omitempty"`
	// Room is what Full leaves, in bytes.
	Room int64 `json:"room,omitempty"`
}

// maxWait bounds one delay: what is longer is a Hang.
const maxWait = time.Hour

// Check says what is wrong with the fault (Invalid).
func (f Fault) Check() error {
	const op = "disk.fault"
	if !slices.Contains([]Kind{Error, Hang, Slow, Full, Cut}, f.Kind) {
		return errs.Errorf(op, errs.Invalid, "there is no fault %q", f.Kind)
	}
	for _, o := range f.Ops {
		if !slices.Contains(Ops, o) {
			return errs.Errorf(op, errs.Invalid, "there is no class of operations %q", o)
		}
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return errs.E(op, errs.Invalid, "the path is no pattern", err)
	}
	if f.Skip < 0 || f.Times < 0 || f.Odds < 0 || f.Odds > 1000 || f.Room < 0 {
		return errs.Errorf(op, errs.Invalid, "a number of the fault is out of range")
	}
	if f.Delay < 0 || f.Jitter < 0 || f.Delay > maxWait || f.Jitter > maxWait {
		return errs.Errorf(op, errs.Invalid, "a delay is negative or over %v", maxWait)
	}
	if (f.Delay+f.Jitter > 0) != (f.Kind == Slow) || f.Drop && f.Kind != Error || f.Room > 0 && f.Kind != Full {
		return errs.Errorf(op, errs.Invalid, "delays are of %q, which needs one, a drop is of %q and room of %q", Slow, Error, Full)
	}
	if f.Kind == Cut && f.Times > 1 {
		return errs.Errorf(op, errs.Invalid, "the power is cut once")
	}
	if f.Kind == Full && (len(f.Ops) > 0 || f.Skip+f.Times+f.Odds > 0) {
		return errs.Errorf(op, errs.Invalid, "%q knows room and path only", Full)
	}
	return nil
}

// Reaches tells whether the fault concerns an operation on the file.
func (f Fault) Reaches(o Op, file string) bool {
	return (len(f.Ops) == 0 || slices.Contains(f.Ops, o)) && Matches(f.Path, file)
}

// Matches tells whether a file, by its path below the mount, is one of the
// pattern's: see Fault.Path.
func Matches(pattern, file string) bool {
	if pattern == "" {
		return true
	}
	if !strings.Contains(pattern, "/") {
		file = path.Base(file)
	}
	ok, err := path.Match(pattern, file)
	return ok && err == nil
}

// Effect is what has come of a fault.
type Effect struct {
	ID    int   `json:"id"`
	Fault Fault `json:"fault"`
	// Seen is how many operations it concerned, and Hits how many it spoiled.
	Seen int64 `json:"seen"`
	Hits int64 `json:"hits"`
	// First and Last are when it spoiled one, since the machine's boot.
	First time.Duration `json:"first"`
	Last  time.Duration `json:"last"`
	// Waiting is how many operations it holds just now.
	Waiting int `json:"waiting"`
}
