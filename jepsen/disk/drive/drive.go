package drive

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// The folders of a store.
const (
	dataDir  = "data"  // what the mount shows
	limboDir = "limbo" // files that lost their name, and may get it back
	savedDir = "saved" // copies, by name
)

// drive is the disk as it outlives power losses.
type drive struct {
	opts     disk.Options
	clock    clock.Clock
	log      *slog.Logger
	standing *standing
	trace    *trace
	marks    *marks
	counts   [4]atomic.Int64 // by the place of the class in disk.Ops

	// doing is held by whatever changes which volume there is, or looks at one
	// from outside.
	doing  sync.Mutex
	losses int
	vol    *volume // nil when it is not mounted
	server *fuse.Server
	served chan struct{} // closed when the server has ended
	// notify is held shared by whoever tells the kernel something, and alone by
	// what cuts the power, after which nobody does.
	notify sync.RWMutex
}

// open makes the store ready, and mounts nothing yet.
func open(o disk.Options, c clock.Clock, log *slog.Logger) (*drive, error) {
	const op = "drive.open"
	if err := o.Check(); err != nil {
		return nil, err
	}
	d := &drive{opts: o, clock: c, log: log, standing: &standing{seed: o.Seed}}
	for _, dir := range []string{dataDir, savedDir} {
		if err := os.MkdirAll(d.path(dir), 0o755); err != nil {
			return nil, errs.E(op, errs.Internal, "", err)
		}
	}
	var err error
	if d.marks, err = newMarks(o.Mark); err != nil {
		return nil, errs.E(op, errs.Invalid, "", err)
	}
	if d.trace, err = newTrace(o.TraceLen, o.TraceFile, log); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	return d, nil
}

func (d *drive) path(name string) string { return filepath.Join(d.opts.Store, name) }

func (d *drive) count(class disk.Op) {
	for n, o := range disk.Ops {
		if o == class {
			d.counts[n].Add(1)
		}
	}
}

// fsType is the kind of mount, as the kernel shows it.
const fsType = "kvorum-disk"

// mount shows the store's data. doing is held.
func (d *drive) mount() error {
	const op = "drive.mount"
	v, err := newVolume(d)
	if err != nil {
		return errs.E(op, errs.Internal, "", err)
	}
	s, err := fuse.NewServer(v, d.opts.Mount, &fuse.MountOptions{
		FsName: d.opts.Store, Name: fsType, AllowOther: true, DirectMountStrict: true,
		// The kernel looks at modes and owners, and keeps what it has read until it is told.
		Options: []string{"default_permissions"}, ExplicitDataCacheControl: true,
		DisableXAttrs: true, DisableReadDirPlus: true, MaxWrite: fuse.MAX_KERNEL_WRITE,
		Logger: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	})
	if err != nil {
		v.close()
		return errs.E(op, errs.Internal, "", err)
	}
	served := make(chan struct{})
	go func() { s.Serve(); close(served) }()
	d.vol, d.server, d.served = v, s, served
	if err := s.WaitMount(); err != nil {
		return errs.E(op, errs.Internal, "", errors.Join(err, d.unmount()))
	}
	d.trace.add(disk.Event{Op: "mount", At: clock.SinceBoot()})
	return nil
}

// unmount ends the mount whoever uses it: what they do gets errors, also what
// hangs. doing is held.
func (d *drive) unmount() error {
	v := d.vol
	if v == nil {
		return nil
	}
	v.cutPower()
	close(v.ended)
	// By force: that ends the connection, with all that waits in it.
	err := unix.Unmount(d.opts.Mount, unix.MNT_FORCE|unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil {
		return errs.E("drive.unmount", errs.Internal, d.opts.Mount, err)
	}
	<-d.served
	v.close()
	d.vol, d.server = nil, nil
	return nil
}

// close unmounts.
func (d *drive) close() error {
	d.doing.Lock()
	defer d.doing.Unlock()
	return d.unmount()
}

// cut switches the power off.
func (d *drive) cut() error {
	d.doing.Lock()
	defer d.doing.Unlock()
	if d.vol == nil {
		return errNotMounted
	}
	d.vol.cutPower()
	return nil
}

var errNotMounted = errs.Errorf("drive", errs.Conflict, "the disk is not mounted")

// lose is a power loss, and the mount after it.
func (d *drive) lose(l disk.Loss) (*disk.Lost, error) {
	const op = "drive.lose"
	if err := l.Check(); err != nil {
		return nil, err
	}
	d.doing.Lock()
	defer d.doing.Unlock()
	if d.vol == nil {
		return nil, errNotMounted
	}
	d.vol.cutPower()
	lost, err := d.vol.lose(l, d.losses)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "what was not synced cannot be taken back whole", err)
	}
	d.losses++
	d.trace.add(disk.Event{Op: "loss", At: clock.SinceBoot(), Len: lost.Bytes})
	d.marks.clear()
	if err := errors.Join(d.unmount(), d.mount()); err != nil {
		return nil, err
	}
	if lost.Spilled != (disk.Spilled{}) {
		return &lost, errs.Errorf(op, errs.TooLarge,
			"more was unsynced than is kept track of: %d bytes (bound %d) and %d names (bound %d) counted as written back before",
			lost.Spilled.Bytes, d.opts.MaxUndo, lost.Spilled.Names, d.opts.MaxNames)
	}
	return &lost, nil
}

// status tells what is now.
func (d *drive) status() *disk.Status {
	d.doing.Lock()
	defer d.doing.Unlock()
	s := &disk.Status{
		PID: os.Getpid(), Options: d.opts, Losses: d.losses, Effects: d.standing.effects(),
		Reads: d.counts[0].Load(), Writes: d.counts[1].Load(), Syncs: d.counts[2].Load(), Names: d.counts[3].Load(),
	}
	if v := d.vol; v != nil {
		s.Undo = v.undo.Load()
		s.Cut, s.Dirty = v.dirt()
	}
	return s
}

// dirt is what a power loss would take now.
func (v *volume) dirt() (cut bool, dirty disk.Lost) {
	v.gate.RLock()
	defer v.gate.RUnlock()
	v.names.Lock()
	defer v.names.Unlock()
	for _, i := range v.inodes {
		i.mu.Lock()
		if i.pend.dirty {
			dirty.Files++
			dirty.Bytes += i.pend.bytes()
		}
		i.mu.Unlock()
	}
	dirty.Names = len(v.journal.steps)
	dirty.Spilled = disk.Spilled{Bytes: v.spilled.bytes.Load(), Names: v.spilled.names.Load()}
	return v.cut, dirty
}

// spillEvent notes that something counts as written back.
func (v *volume) spillEvent(path string, n int64) {
	v.drive.trace.add(disk.Event{Op: "spill", At: clock.SinceBoot(), Path: path, Len: n})
}
