package sim

import (
	"fmt"
	"io"
	"runtime/debug"
	"time"
)

// film writes a line for each change, in fixed columns: when, where, the kind
// of line (a state, ! for a fault, * for the run itself), what, about what.
type film struct {
	to  io.Writer
	now func() time.Duration
	err error
	// names gives short names to ids, in the order in which they turned up.
	names map[string]string
	next  map[string]int
}

func newFilm(to io.Writer, now func() time.Duration) *film {
	return &film{to: to, now: now, names: map[string]string{}, next: map[string]int{}}
}

// head is the way back to this run.
func (f *film) head(seed uint64, variant Variant, o Options) {
	if variant == Sound {
		variant = "none"
	}
	f.print("SEED=%d COMMIT=%s BREAK=%s %s\n", seed, commit(), variant, o)
}

// revision is set by the linker (see the Makefile): `go run` stamps nothing.
var revision string

// commit is the revision that the program was built from, if it says so.
func commit() string {
	if revision != "" {
		return revision
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "unknown"
}

func (f *film) print(format string, args ...any) {
	if f.to == nil || f.err != nil {
		return
	}
	_, f.err = fmt.Fprintf(f.to, format, args...)
}

// line is one change.
func (f *film) line(where, kind, what, format string, args ...any) {
	if f.to == nil {
		return
	}
	t := f.now().Milliseconds()
	f.print("t=%06d.%03d %-4s %-8s %-20s %s\n", t/1000, t%1000, where, kind, what, fmt.Sprintf(format, args...))
}

// name gives an id's short name: the first server is s1.
func (f *film) name(letter, id string) string {
	if n := f.names[id]; n != "" {
		return n
	}
	f.next[letter]++
	f.names[id] = fmt.Sprintf("%s%d", letter, f.next[letter])
	return f.names[id]
}
