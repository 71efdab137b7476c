package drive

import (
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// cacheFor is how long the kernel may go by what it was told of names and
// attributes: all changes come through it.
const cacheFor = time.Hour

// Lookup implements fuse.RawFileSystem.
func (v *volume) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	o := v.op("", "lookup", h, name)
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		i, err := v.find(o.node, name)
		if err != nil {
			return err
		}
		return v.tell(i, out)
	})
}

// tell tells the kernel of an inode, and counts that it did; names is held.
func (v *volume) tell(i *inode, out *fuse.EntryOut) error {
	if err := v.fill(i, &out.Attr); err != nil {
		return err
	}
	i.looked++
	out.NodeId, out.Generation = i.id, 1
	out.SetEntryTimeout(cacheFor)
	out.SetAttrTimeout(cacheFor)
	return nil
}

// fill gives attributes; names is held. The name in the limbo is nobody's
// business.
func (v *volume) fill(i *inode, out *fuse.Attr) error {
	var st syscall.Stat_t
	if err := syscall.Fstat(i.fd, &st); err != nil {
		return err
	}
	if i.limbo && st.Nlink > 0 {
		st.Nlink--
	}
	out.FromStat(&st)
	return nil
}

// Forget implements fuse.RawFileSystem.
func (v *volume) Forget(id, times uint64) {
	v.names.Lock()
	defer v.names.Unlock()
	if i := v.nodes[id]; i != nil {
		i.looked -= min(times, i.looked)
		v.drop(i)
	}
}

// GetAttr implements fuse.RawFileSystem.
func (v *volume) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	o := v.op("", "getattr", &in.InHeader, "")
	return v.run(o, func() error { return v.answer(o.node, out) })
}

func (v *volume) answer(i *inode, out *fuse.AttrOut) error {
	v.names.Lock()
	defer v.names.Unlock()
	out.SetTimeout(cacheFor)
	return v.fill(i, &out.Attr)
}

// SetAttr implements fuse.RawFileSystem. A new length is a write; mode, owner
// and times are durable at once.
func (v *volume) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	var class disk.Op
	size, resize := in.GetSize()
	if resize {
		class = disk.Write
	}
	o := v.op(class, "truncate", &in.InHeader, "")
	o.event.Off = int64(size)
	return v.run(o, func() error {
		if err := setMeta(o.node, in); err != nil {
			return err
		}
		if resize {
			if err := v.truncate(o.node, int64(size), o.event.Path); err != nil {
				return err
			}
		}
		return v.answer(o.node, out)
	})
}

// setMeta changes what is not the length.
func setMeta(i *inode, in *fuse.SetAttrIn) error {
	if mode, ok := in.GetMode(); ok {
		if err := unix.Chmod(i.self(), mode); err != nil {
			return err
		}
	}
	uid, hasUID := in.GetUID()
	gid, hasGID := in.GetGID()
	if hasUID || hasGID {
		// What is not given is all ones, and that is what leaves it alone.
		if err := unix.Fchownat(i.fd, "", int(int32(uid)), int(int32(gid)), unix.AT_EMPTY_PATH); err != nil {
			return err
		}
	}
	if in.Valid&(fuse.FATTR_ATIME|fuse.FATTR_MTIME) == 0 {
		return nil
	}
	times := []unix.Timespec{
		timespec(in.Valid, fuse.FATTR_ATIME, fuse.FATTR_ATIME_NOW, in.Atime, in.Atimensec),
		timespec(in.Valid, fuse.FATTR_MTIME, fuse.FATTR_MTIME_NOW, in.Mtime, in.Mtimensec),
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, i.self(), times, 0)
}

func timespec(valid, given, now uint32, sec uint64, nsec uint32) unix.Timespec {
	switch {
	case valid&given == 0:
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	case valid&now != 0:
		return unix.Timespec{Nsec: unix.UTIME_NOW}
	}
	return unix.Timespec{Sec: int64(sec), Nsec: int64(nsec)}
}

// Readlink implements fuse.RawFileSystem.
func (v *volume) Readlink(_ <-chan struct{}, h *fuse.InHeader) (target []byte, _ fuse.Status) {
	o := v.op("", "readlink", h, "")
	s := v.run(o, func() error {
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(o.node.fd, "", buf)
		if err == nil {
			target = buf[:n]
		}
		return err
	})
	return target, s
}

// StatFs implements fuse.RawFileSystem. A full disk shows what it has left.
func (v *volume) StatFs(_ <-chan struct{}, h *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	o := v.op("", "statfs", h, "")
	return v.run(o, func() error {
		var st syscall.Statfs_t
		if err := syscall.Fstatfs(v.limbo, &st); err != nil {
			return err
		}
		out.FromStatfsT(&st)
		if room, limited := v.drive.standing.left(""); limited && st.Bsize > 0 {
			free := uint64(room / int64(st.Bsize))
			out.Bfree, out.Bavail = min(out.Bfree, free), min(out.Bavail, free)
		}
		return nil
	})
}
