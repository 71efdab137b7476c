package disk

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Mount: "/a/m", Store: "/a/s"}
	for _, edit := range []func(*Options){
		func(o *Options) { o.Mount = "a" },
		func(o *Options) { o.Mount = "/a/../b" },
		func(o *Options) { o.Store = "/" },
		func(o *Options) { o.Store = "/a,b" },
		func(o *Options) { o.Store = "/a/m/s" },
		func(o *Options) { o.Mount = "/a/s/m" },
		func(o *Options) { o.Store = o.Mount },
		func(o *Options) { o.Store = "/" + strings.Repeat("x", 100) },
		func(o *Options) { o.Names = "some" },
		func(o *Options) { o.MaxUndo = -1 },
		func(o *Options) { o.TraceLen = 1 << 30 },
		func(o *Options) { o.Mark = "(" },
	} {
		o := good
		edit(&o)
		if err := o.Check(); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v is let: %v", o, err)
		}
	}
	o := good
	if err := o.Check(); err != nil || o.Names != Journal || o.MaxUndo == 0 || o.MaxNames == 0 || o.TraceLen == 0 {
		t.Errorf("%+v: %v", o, err)
	}
	var back Options
	args := o.Args()
	if err := json.Unmarshal([]byte(args[1]), &back); args[0] != Serve || err != nil || back != o {
		t.Errorf("%v is read as %+v, %v", args, back, err)
	}
}

func TestMatches(t *testing.T) {
	for _, row := range []struct {
		pattern, file string
		want          bool
	}{
		{"", "raft/raft.db", true},
		{"raft.db", "raft/raft.db", true},
		{"*.db", "raft/raft.db", true},
		{"raft/*.db", "raft/raft.db", true},
		{"raft/*", "raft/snapshots/1/state.bin", false},
		{"raft/snapshots/*/state.bin", "raft/snapshots/1/state.bin", true},
		{"raft", "raft/raft.db", false},
	} {
		if got := Matches(row.pattern, row.file); got != row.want {
			t.Errorf("%q and %q: %v", row.pattern, row.file, got)
		}
	}
}

// TestSynced: only a sync that began after the write was done makes it safe,
// and a power loss forgets what was not.
func TestSynced(t *testing.T) {
	write := func(at time.Duration, file uint64, marks ...string) Event {
		return Event{Op: "write", At: at, Took: 2, File: file, Marks: marks}
	}
	sync := func(at time.Duration, file uint64, result string) Event {
		return Event{Op: "datasync", At: at, Took: 5, File: file, Result: result}
	}
	for name, row := range map[string]struct {
		events []Event
		syncs  int
		want   time.Duration
	}{
		"synced":                     {[]Event{write(10, 1, "m"), sync(20, 1, "")}, 1, 25},
		"a sync that began before":   {[]Event{write(10, 1, "m"), sync(11, 1, ""), sync(30, 1, "")}, 1, 35},
		"of another file":            {[]Event{write(10, 1, "m"), sync(20, 2, "")}, 1, 0},
		"that failed":                {[]Event{write(10, 1, "m"), sync(20, 1, "EIO"), sync(30, 1, "")}, 1, 35},
		"of two, one":                {[]Event{write(10, 1, "m"), sync(20, 1, "")}, 2, 0},
		"of two, both":               {[]Event{write(10, 1, "m"), sync(20, 1, ""), sync(30, 1, "")}, 2, 35},
		"another mark":               {[]Event{write(10, 1, "n"), sync(20, 1, "")}, 1, 0},
		"two files, the first":       {[]Event{write(10, 1, "m"), write(11, 2, "m"), sync(20, 2, ""), sync(30, 1, "")}, 1, 25},
		"lost, and never written":    {[]Event{write(10, 1, "m"), {Op: "loss", At: 15}, sync(20, 1, "")}, 1, 0},
		"lost, and written again":    {[]Event{write(10, 1, "m"), {Op: "loss", At: 15}, write(16, 1, "m"), sync(20, 1, "")}, 1, 25},
		"a write that did not do it": {[]Event{{Op: "write", At: 1, File: 1, Marks: []string{"m"}, Result: "EIO"}, sync(20, 1, "")}, 1, 0},
	} {
		at, ok := Synced(row.events, "m", row.syncs)
		if ok != (row.want > 0) || at != row.want {
			t.Errorf("%s: safe at %v, %v, want %v", name, at, ok, row.want)
		}
	}
}

// TestNobodyAnswers: a disk that is not there is said to be so, in time.
func TestNobodyAnswers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Attach(ctx, t.TempDir()+"/control", clock.Real{}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("attached to nothing: %v", err)
	}
	o := Options{Mount: t.TempDir() + "/m", Store: t.TempDir()}
	if _, err := Start(t.Context(), "/bin/false", o, nil, clock.Real{}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("started a program that ends: %v", err)
	}
}
