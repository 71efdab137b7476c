package drive

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// TestMain makes the test binary a disk, or a program that works on one, when
// it is started as such.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case disk.Serve:
			os.Exit(Main(os.Args[2:]))
		case victimWord:
			os.Exit(victim(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

// bench is a disk to test.
type bench struct {
	t   testing.TB
	ctx context.Context
	*disk.Disk
	opts disk.Options
}

// startDisk mounts a disk in folders of its own; change edits its options.
func startDisk(t testing.TB, change ...func(*disk.Options)) *bench {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a mount needs root")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("no FUSE: ", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	// t.TempDir is too long for a socket, and closed to others.
	dir, err := os.MkdirTemp("", "disk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	o := disk.Options{Mount: filepath.Join(dir, "mnt"), Store: filepath.Join(dir, "store"), Seed: 1}
	for _, c := range change {
		c(&o)
	}
	for _, d := range []string{o.Mount, o.Store} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b := &bench{t: t, ctx: ctx, opts: o}
	b.start()
	t.Cleanup(b.stop)
	return b
}

// start starts the disk; what its process says goes to a file.
func (b *bench) start() {
	b.t.Helper()
	log, err := os.OpenFile(b.opts.Mount+".log", os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	b.ok(err)
	defer log.Close()
	b.Disk, err = disk.Start(b.ctx, os.Args[0], b.opts, log, clock.Real{})
	if err != nil {
		said, _ := os.ReadFile(log.Name())
		b.t.Fatalf("%v\n%s", err, said)
	}
}

// stop ends it, and looks that nothing is left and that it had no complaints,
// the race detector's among them.
func (b *bench) stop() {
	if err := b.Close(b.ctx); err != nil {
		b.t.Error(err)
	}
	if is, err := mounted(b.opts.Mount, b.opts.Store); is || err != nil {
		b.t.Errorf("still mounted: %v %v", is, err)
	}
	said, err := os.ReadFile(b.opts.Mount + ".log")
	if err != nil || len(said) > 0 {
		b.t.Errorf("the disk's process says %v\n%s", err, said)
	}
}

func (b *bench) path(name string) string { return filepath.Join(b.opts.Mount, name) }

func (b *bench) ok(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// write writes a whole file, and syncs it if sync.
func (b *bench) write(name, text string, sync bool) {
	b.t.Helper()
	f, err := os.OpenFile(b.path(name), os.O_CREATE|os.O_RDWR, 0o644)
	b.ok(err)
	_, err = f.WriteAt([]byte(text), 0)
	b.ok(err)
	if sync {
		b.ok(f.Sync())
	}
	b.ok(f.Close())
}

// syncDir syncs a folder.
func (b *bench) syncDir(name string) {
	b.t.Helper()
	f, err := os.Open(b.path(name))
	b.ok(err)
	b.ok(f.Sync())
	b.ok(f.Close())
}

// read is a file's text, or the error's.
func (b *bench) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(b.path(name))
	if err != nil {
		return err.(*os.PathError).Err.Error()
	}
	return string(text)
}

func (b *bench) lose(l disk.Loss) disk.Lost {
	b.t.Helper()
	lost, err := b.PowerLoss(b.ctx, l)
	b.ok(err)
	return lost
}

func (b *bench) want(name, text string) {
	b.t.Helper()
	if got := b.read(name); got != text {
		b.t.Errorf("%s is %q, want %q", name, got, text)
	}
}

func TestLossTakesWhatWasNotSynced(t *testing.T) {
	b := startDisk(t)
	b.write("kept", "before", true)
	b.write("gone", "never synced", false)
	b.write("kept", "AFTER!!", false)
	b.want("kept", "AFTER!!")
	s, err := b.Status(b.ctx)
	b.ok(err)
	if s.Dirty.Bytes != 7+12 || s.Dirty.Files != 2 || s.Dirty.Names != 1 || s.Cut {
		t.Errorf("status %+v", s)
	}
	lost := b.lose(disk.Loss{})
	if lost.Bytes != 19 || lost.Files != 2 || lost.Names != 1 || !lost.Any() {
		t.Errorf("lost %+v", lost)
	}
	b.want("kept", "before")
	b.want("gone", "no such file or directory")
	if lost := b.lose(disk.Loss{}); lost.Any() {
		t.Errorf("a second loss took %+v", lost)
	}
}
