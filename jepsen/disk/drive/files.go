package drive

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// Open implements fuse.RawFileSystem. The kernel has looked at who may, and
// truncates by SetAttr.
func (v *volume) Open(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	o := v.op("", "open", &in.InHeader, "")
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		o.node.opens++
		// All changes come through the kernel: what it has is right.
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE
		return nil
	})
}

// Release implements fuse.RawFileSystem.
func (v *volume) Release(_ <-chan struct{}, in *fuse.ReleaseIn) { v.closed(in.NodeId) }

// Read implements fuse.RawFileSystem.
func (v *volume) Read(_ <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	o := v.op(disk.Read, "read", &in.InHeader, "")
	o.event.Off, o.event.Len = int64(in.Offset), int64(in.Size)
	n := 0
	s := v.run(o, func() error {
		o.node.mu.Lock()
		fd, err := o.node.bytes()
		o.node.mu.Unlock()
		if err != nil {
			return err
		}
		n, err = unix.Pread(fd, buf, int64(in.Offset))
		return err
	})
	if s != fuse.OK {
		return nil, s
	}
	return fuse.ReadResultData(buf[:n]), fuse.OK
}

// Write implements fuse.RawFileSystem. A disk that fills up writes what fits.
func (v *volume) Write(_ <-chan struct{}, in *fuse.WriteIn, data []byte) (written uint32, _ fuse.Status) {
	o := v.op(disk.Write, "write", &in.InHeader, "")
	o.event.Off, o.event.Len = int64(in.Offset), int64(len(data))
	s := v.run(o, func() error {
		n, err := v.write(o.node, data, int64(in.Offset), o.event.Path)
		written, o.event.Len = uint32(n), int64(n)
		if err == nil {
			o.event.Marks = v.drive.marks.find(o.node.ino, data[:n])
		}
		return err
	})
	return written, s
}

func (v *volume) write(i *inode, data []byte, off int64, path string) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	fd, err := i.bytes()
	if err != nil {
		return 0, err
	}
	fits, err := v.fit(fd, span{off, off + int64(len(data))}, path)
	if err != nil {
		return 0, err
	}
	s := span{off, off + fits}
	if err := v.remember(i, fd, s, path); err != nil {
		return 0, err
	}
	n, err := unix.Pwrite(fd, data[:fits], off)
	if n > 0 && i.pend.dirty {
		i.pend.wrote(v.strokes.Add(1), span{off, off + int64(n)})
	}
	return max(n, 0), err
}

// remember keeps what is durable of a part of the file that is about to change;
// mu is held. What is beyond the bound counts as written back: the kernel too
// writes back when too much is dirty.
func (v *volume) remember(i *inode, fd int, s span, path string) error {
	now, err := i.size()
	if err != nil {
		return err
	}
	i.pend.begin(now)
	gaps, need := i.pend.gaps(s), int64(0)
	for _, g := range gaps {
		need += runCost + max(0, min(g.end, i.pend.size)-g.off)
	}
	if v.undo.Add(need) > v.drive.opts.MaxUndo {
		v.undo.Add(-need)
		v.spill(i, s.end-s.off, path)
		return nil
	}
	for _, g := range gaps {
		old := make([]byte, max(0, min(g.end, i.pend.size)-g.off))
		if err := readFull(fd, old, g.off); err != nil {
			return err
		}
		i.pend.cover(g, old)
	}
	return nil
}

// readFull reads all of a part that is there.
func readFull(fd int, buf []byte, off int64) error {
	for len(buf) > 0 {
		n, err := unix.Pread(fd, buf, off)
		if err != nil {
			return err
		}
		if n == 0 {
			return unix.EIO // it shrank, and nobody but us can have done that
		}
		buf, off = buf[n:], off+int64(n)
	}
	return nil
}

// clean makes durable what the file has pending; mu is held.
func (v *volume) clean(i *inode) {
	v.undo.Add(-i.pend.cost)
	i.pend = pending{}
}

// spill counts what the file has pending as written back, and so many bytes
// more that are about to be; mu is held.
func (v *volume) spill(i *inode, more int64, path string) {
	n := i.pend.bytes() + more
	v.spilled.bytes.Add(n)
	v.clean(i)
	v.spillEvent(path, n)
}

// truncate gives the file another length.
func (v *volume) truncate(i *inode, size int64, path string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	fd, err := i.bytes()
	if err != nil {
		return err
	}
	now, err := i.size()
	if err != nil {
		return err
	}
	i.pend.begin(now)
	if size < now {
		if err := v.remember(i, fd, span{size, now}, path); err != nil {
			return err
		}
	}
	return v.freeing(fd, path, func() error { return unix.Ftruncate(fd, size) })
}

// Lseek implements fuse.RawFileSystem: where data and holes are.
func (v *volume) Lseek(_ <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	o := v.op("", "lseek", &in.InHeader, "")
	return v.run(o, func() error {
		o.node.mu.Lock()
		defer o.node.mu.Unlock()
		fd, err := o.node.bytes()
		if err != nil {
			return err
		}
		at, err := unix.Seek(fd, int64(in.Offset), int(in.Whence))
		out.Offset = uint64(at)
		return err
	})
}

// Fallocate implements fuse.RawFileSystem: making room, and holes.
func (v *volume) Fallocate(_ <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	const hole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	o := v.op(disk.Write, "allocate", &in.InHeader, "")
	s := span{int64(in.Offset), int64(in.Offset + in.Length)}
	o.event.Off, o.event.Len = s.off, s.end-s.off
	return v.run(o, func() error {
		i := o.node
		i.mu.Lock()
		defer i.mu.Unlock()
		fd, err := i.bytes()
		if err != nil {
			return err
		}
		switch in.Mode {
		case hole:
			if err := v.remember(i, fd, s, o.event.Path); err != nil {
				return err
			}
		case 0, unix.FALLOC_FL_KEEP_SIZE:
			fits, err := v.fit(fd, s, o.event.Path)
			if err == nil && fits < s.end-s.off {
				err = unix.ENOSPC
			}
			if err != nil {
				return err
			}
			now, err := i.size()
			if err != nil {
				return err
			}
			i.pend.begin(now)
		default:
			return unix.EOPNOTSUPP
		}
		return v.freeing(fd, o.event.Path, func() error { return unix.Fallocate(fd, in.Mode, s.off, s.end-s.off) })
	})
}

// Fsync implements fuse.RawFileSystem. The kernel lets nobody write to the file
// meanwhile.
func (v *volume) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	const dataOnly = 1
	name, sync := "sync", unix.Fsync
	if in.FsyncFlags&dataOnly != 0 {
		name, sync = "datasync", unix.Fdatasync
	}
	o := v.op(disk.Sync, name, &in.InHeader, "")
	if o.node == nil {
		return fuse.Status(unix.ESTALE)
	}
	upto := v.reach(o.node, in.FsyncFlags&dataOnly != 0)
	o.drop = func() error { return v.dropPending(o.node) }
	return v.run(o, func() error {
		if err := v.syncStore(o.node.self(), unix.O_RDONLY, sync); err != nil {
			return err
		}
		o.node.mu.Lock()
		o.event.Len = o.node.pend.bytes()
		v.clean(o.node)
		o.node.mu.Unlock()
		v.synced(o.node, upto)
		return nil
	})
}

// syncStore passes a sync on, if that is wanted.
func (v *volume) syncStore(path string, flags int, sync func(int) error) error {
	if !v.drive.opts.SyncStore {
		return nil
	}
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return sync(fd)
}

// dropPending puts back what a failed sync did not write. The kernel's cache
// shows it until it is emptied, as that of a failed disk does.
func (v *volume) dropPending(i *inode) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.pend.dirty {
		return nil
	}
	fd, err := i.bytes()
	if err != nil {
		return err
	}
	now, err := i.size()
	if err != nil {
		return err
	}
	patches, _, _ := i.pend.rollback(now, now, keepNone)
	// What is pending stays so, and is what is there: a power loss changes
	// nothing, and the next sync has nothing to make durable but the length.
	i.pend.strokes = nil
	return apply(fd, patches)
}

// apply writes patches.
func apply(fd int, patches []patch) error {
	zeros := make([]byte, 64<<10)
	for _, p := range patches {
		if err := writeFull(fd, p.data, p.off); err != nil {
			return err
		}
		for at := p.off + int64(len(p.data)); p.zeros > 0; {
			n := min(p.zeros, int64(len(zeros)))
			if err := writeFull(fd, zeros[:n], at); err != nil {
				return err
			}
			at, p.zeros = at+n, p.zeros-n
		}
	}
	return nil
}

func writeFull(fd int, b []byte, off int64) error {
	for len(b) > 0 {
		n, err := unix.Pwrite(fd, b, off)
		if err != nil {
			return err
		}
		b, off = b[n:], off+int64(n)
	}
	return nil
}
