package drive

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// volume is the disk from one mount to the next power loss: the file system
// that the kernel talks to. What it does not offer (extended attributes, locks
// across machines, O_TMPFILE, copy_file_range) the kernel does by itself or
// answers in a way that programs know.
type volume struct {
	fuse.RawFileSystem // answers ENOSYS to the rest

	drive *drive
	limbo int // the folder of files that lost their name
	ended chan struct{}

	// gate is held shared by every operation, and alone by whoever must see the
	// disk at rest.
	gate sync.RWMutex
	cut  bool

	// names guards the tree, the journal and what of inodes says so.
	names   sync.Mutex
	nodes   map[uint64]*inode // by id
	inodes  map[uint64]*inode // by ino
	nextID  uint64
	journal journal
	lists   map[uint64]*listing
	nextFh  uint64

	strokes atomic.Uint64 // the order of writes
	undo    atomic.Int64  // the sum of all pending.cost
	spilled struct{ bytes, names atomic.Int64 }
}

// rootID is what the kernel calls the root.
const rootID = 1

// newVolume opens the store as it is: all that it holds is durable.
func newVolume(d *drive) (*volume, error) {
	v := &volume{
		RawFileSystem: fuse.NewDefaultRawFileSystem(), drive: d, ended: make(chan struct{}),
		nodes: map[uint64]*inode{}, inodes: map[uint64]*inode{}, nextID: rootID, lists: map[uint64]*listing{},
		journal: journal{names: d.opts.Names},
	}
	if err := emptied(d.path(limboDir)); err != nil {
		return nil, err
	}
	var err error
	if v.limbo, err = unix.Open(d.path(limboDir), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		return nil, err
	}
	fd, err := unix.Open(d.path(dataDir), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, errors.Join(err, unix.Close(v.limbo))
	}
	root, err := v.adopt(fd)
	if err != nil {
		return nil, errors.Join(err, unix.Close(v.limbo))
	}
	root.looked = 1
	return v, nil
}

// emptied makes a folder, without anything in it.
func emptied(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700))
}

// close gives all descriptors back, when nothing comes from the kernel any more.
func (v *volume) close() {
	for _, i := range v.inodes {
		i.close()
	}
	_ = unix.Close(v.limbo)
}

// adopt makes an inode of a descriptor, and owns that; names is held, or nobody
// else is there.
func (v *volume) adopt(fd int) (*inode, error) {
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	i := &inode{id: v.nextID, ino: st.Ino, kind: st.Mode & unix.S_IFMT, fd: fd, rw: -1}
	v.nextID++
	v.nodes[i.id], v.inodes[i.ino] = i, i
	return i, nil
}

// node is what the kernel means by a number; names is not held. Nil if it means
// nothing: then the kernel gets ESTALE.
func (v *volume) node(id uint64) *inode {
	v.names.Lock()
	defer v.names.Unlock()
	return v.nodes[id]
}

// find gives the inode of a name; names is held.
func (v *volume) find(dir *inode, name string) (*inode, error) {
	var st unix.Stat_t
	if err := unix.Fstatat(dir.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, err
	}
	i := v.inodes[st.Ino]
	if i == nil {
		fd, err := unix.Openat(dir.fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		if i, err = v.adopt(fd); err != nil {
			return nil, err
		}
	}
	i.parent, i.name = dir, name
	return i, nil
}

// drop forgets an inode that nobody knows and that has nothing pending; names
// is held.
func (v *volume) drop(i *inode) {
	if i.looked > 0 || i.opens > 0 || i.pins > 0 || i.id == rootID {
		return
	}
	i.mu.Lock()
	dirty := i.pend.dirty
	i.mu.Unlock()
	if dirty {
		return
	}
	delete(v.nodes, i.id)
	delete(v.inodes, i.ino)
	i.close()
}

// op is one operation as the faults and the trace see it.
type op struct {
	// class is empty for what only looks: no fault reaches it, no trace has it.
	class disk.Op
	pid   uint32
	node  *inode
	event disk.Event
	// drop is called when a fault says that what was pending is dropped.
	drop func() error
	// meets is whether it meets faults.
	meets bool
}

// op begins one on a file or, with a name, in a folder.
func (v *volume) op(class disk.Op, name string, h *fuse.InHeader, below string) *op {
	v.names.Lock()
	defer v.names.Unlock()
	o := &op{class: class, pid: h.Pid, node: v.nodes[h.NodeId], event: disk.Event{Op: name, At: clock.SinceBoot()}}
	if o.node == nil || class == "" {
		return o
	}
	o.meets = o.node.enter(class)
	o.event.Path = o.node.path()
	if below != "" {
		o.event.Path = join(o.event.Path, below)
	} else {
		o.event.File = o.node.ino
	}
	return o
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// run does an operation: faults first, then the act, then a line in the trace.
func (v *volume) run(o *op, act func() error) fuse.Status {
	if o.node == nil {
		return fuse.Status(unix.ESTALE)
	}
	verdict := v.meet(o)
	if verdict.gone {
		return fuse.EINTR
	}
	v.gate.RLock()
	if v.cut {
		v.gate.RUnlock()
		v.linger(o.pid, nil, -1)
		return fuse.EINTR // which nobody hears
	}
	defer v.gate.RUnlock()
	var err error = unix.EIO
	if !verdict.spoil {
		err = act()
	} else if verdict.drop && o.drop != nil {
		err = errors.Join(unix.EIO, o.drop())
	}
	v.note(o, err)
	return status(err)
}

// meet lets an operation meet the faults.
func (v *volume) meet(o *op) verdict {
	if !o.meets {
		return verdict{}
	}
	defer v.leave(o.node, o.class)
	found := v.drive.standing.meet(o.class, o.event.Path, func(until <-chan struct{}, d time.Duration) bool {
		return v.linger(o.pid, until, d)
	})
	if found.cut {
		v.cutPower()
	}
	return found
}

// note counts an operation and puts it into the trace.
func (v *volume) note(o *op, err error) {
	if o.class == "" {
		return
	}
	v.drive.count(o.class)
	if err == nil && o.class == disk.Read {
		return
	}
	o.event.Took = clock.SinceBoot() - o.event.At
	if err != nil {
		o.event.Result = unix.ErrnoName(syscall.Errno(status(err)))
	}
	v.drive.trace.add(o.event)
}

func status(err error) fuse.Status {
	var e syscall.Errno
	switch {
	case err == nil:
		return fuse.OK
	case errors.As(err, &e):
		return fuse.Status(e)
	}
	return fuse.EIO
}

// cutPower ends all doing and answering, and waits for what is half done.
func (v *volume) cutPower() {
	v.drive.notify.Lock()
	defer v.drive.notify.Unlock()
	v.gate.Lock()
	defer v.gate.Unlock()
	if !v.cut {
		v.cut = true
		v.drive.trace.add(disk.Event{Op: "cut", At: clock.SinceBoot()})
		v.drive.trace.flush()
	}
}

// lingerEvery is how often a waiting operation looks whether its caller lives.
const lingerEvery = 20 * time.Millisecond

// linger waits until the channel closes or the time is over (negative: never).
// False means that nobody waits for the operation: the mount has ended, or the
// caller is being killed. The kernel lets a killed caller go only when its
// request is answered, and does not say why a caller is interrupted: Go
// interrupts its own threads all the time.
func (v *volume) linger(pid uint32, until <-chan struct{}, d time.Duration) bool {
	c := v.drive.clock
	for end := c.Mono() + d; ; {
		pause := lingerEvery
		if d >= 0 {
			pause = min(pause, end-c.Mono())
		}
		if pause <= 0 {
			return true
		}
		select {
		case <-until:
			return true
		case <-v.ended:
			return false
		case <-c.After(pause):
		}
		if doomed(pid) {
			return false
		}
	}
}
