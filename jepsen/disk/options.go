package disk

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// Names is what a disk promises of the names of files, which POSIX leaves open.
type Names string

const (
	// Journal is what ext4 and xfs do: all changes of names have one order, and
	// of those not yet durable a power loss takes the last ones. To sync a file or
	// folder makes durable every change up to the last that concerned it. A sync
	// of data alone (fdatasync) reaches no further than the file's making.
	Journal Names = "journal"
	// Folder is the least that POSIX lets one hope for: only the sync of a folder
	// makes its own names durable, also not those of the folder above; a move from
	// folder to folder may be lost in either half.
	Folder Names = "folder"
)

// Serve is the first word of a command line that runs a disk: see Options.Args.
const Serve = "serve-disk"

// Options say what a disk is like. All but Mount and Store may be left zero.
type Options struct {
	// Mount is the folder that the node works in; absolute, and there. What lies
	// in it is hidden while the disk is mounted.
	Mount string `json:"mount"`
	// Store is the folder behind it; absolute, made if it is not there. Its folder
	// "data" is what Mount shows.
	Store string `json:"store"`
	// Seed decides all that is left to chance.
	Seed uint64 `json:"seed"`
	// Names is Journal or Folder; Journal if empty.
	Names Names `json:"names,omitempty"`
	// SyncStore passes syncs on to the folder behind, so that they take the time
	// that the machine's own disk takes. Without it a sync costs nothing, and only
	// a power loss of the machine itself would tell.
	SyncStore bool `json:"sync_store,omitempty"`
	// MaxUndo bounds what is kept in memory of overwritten bytes, in bytes; 256
	// MiB if zero. What is beyond counts as written back, and as Spilled.
	MaxUndo int64 `json:"max_undo,omitempty"`
	// MaxNames bounds the changes of names that are not durable; 16,384 if zero.
	// Older ones count as written back, and as Spilled.
	MaxNames int `json:"max_names,omitempty"`
	// TraceLen is how many events are remembered; 65,536 if zero.
	TraceLen int `json:"trace_len,omitempty"`
	// TraceFile gets every event as a line of JSON, up to 1 GiB; none if empty.
	TraceFile string `json:"trace_file,omitempty"`
	// Mark is a regular expression. What of a write matches it is named in the
	// write's event the first time that it is written to the file: by request ids
	// one finds the sync before which nobody may have answered.
	Mark string `json:"mark,omitempty"`
	// Lifeline makes the disk end when its standard input ends, so that it does
	// not outlive who started it. Start sets it.
	Lifeline bool `json:"lifeline,omitempty"`
}

const (
	// maxSocket is the length of a path that a unix socket can have, in bytes.
	maxSocket = 107
	// maxOption bounds what a command line may ask for in memory.
	maxOption = 1 << 24
)

// Check fills in what was left out. Invalid says what is wrong.
func (o *Options) Check() error {
	const op = "disk.options"
	for name, path := range map[string]string{"mount": o.Mount, "store": o.Store} {
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" || strings.Contains(path, ",") {
			return errs.Errorf(op, errs.Invalid, "%s %q is not a clean absolute path without commas", name, path)
		}
	}
	if within(o.Mount, o.Store) || within(o.Store, o.Mount) {
		return errs.Errorf(op, errs.Invalid, "%s and %s lie in each other: the disk would be its own ground", o.Mount, o.Store)
	}
	if len(o.Socket()) > maxSocket {
		return errs.Errorf(op, errs.Invalid, "%s is too long for a socket: at most %d bytes", o.Socket(), maxSocket)
	}
	switch o.Names {
	case "":
		o.Names = Journal
	case Journal, Folder:
	default:
		return errs.Errorf(op, errs.Invalid, "names %q are neither %q nor %q", o.Names, Journal, Folder)
	}
	if o.MaxUndo < 0 || o.MaxNames < 0 || o.MaxNames > maxOption || o.TraceLen < 0 || o.TraceLen > maxOption {
		return errs.Errorf(op, errs.Invalid, "a bound is negative or beyond %d", maxOption)
	}
	if _, err := regexp.Compile(o.Mark); err != nil {
		return errs.E(op, errs.Invalid, "the mark is no regular expression", err)
	}
	o.MaxUndo = orElse(o.MaxUndo, 256<<20)
	o.MaxNames = orElse(o.MaxNames, 16384)
	o.TraceLen = orElse(o.TraceLen, 65536)
	return nil
}

func orElse[T int | int64](v, instead T) T {
	if v == 0 {
		return instead
	}
	return v
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// Socket is where the disk listens to the harness.
func (o Options) Socket() string { return filepath.Join(o.Store, "control") }

// Args are the words that make a program which calls drive.Main serve the disk;
// run it where the node runs, so that the node sees the mount.
func (o Options) Args() []string {
	b, err := json.Marshal(o)
	if err != nil {
		return nil // strings and numbers always encode
	}
	return []string{Serve, string(b)}
}
