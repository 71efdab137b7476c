package drive

import (
	"errors"
	"io"
	"os"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// make makes a name in a folder by what fresh does, gives it the caller's
// owner, and tells the kernel of it.
func (v *volume) make(what string, h *fuse.InHeader, name string, out *fuse.EntryOut, fresh func(dir int) error) fuse.Status {
	o := v.op(disk.Name, what, h, name)
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		i, err := v.born(o, h, name, fresh)
		if err != nil {
			return err
		}
		return v.tell(i, out)
	})
}

// born is the part of make under the lock.
func (v *volume) born(o *op, h *fuse.InHeader, name string, fresh func(dir int) error) (*inode, error) {
	if room, limited := v.drive.standing.left(o.event.Path); limited && room < blockSize {
		return nil, v.full(o.event.Path)
	}
	if err := fresh(o.node.fd); err != nil {
		return nil, err
	}
	i, err := v.find(o.node, name)
	if err != nil {
		return nil, err
	}
	o.event.File = i.ino
	v.record(o.node, i, []change{{dir: o.node, name: name}})
	var st unix.Stat_t
	if err := unix.Fstat(o.node.fd, &st); err != nil {
		return nil, err
	}
	gid := int(h.Gid)
	if st.Mode&unix.S_ISGID != 0 {
		gid = -1 // it has the folder's already
	}
	return i, unix.Fchownat(i.fd, "", int(h.Uid), gid, unix.AT_EMPTY_PATH)
}

// Mkdir implements fuse.RawFileSystem.
func (v *volume) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return v.make("mkdir", &in.InHeader, name, out, func(dir int) error { return unix.Mkdirat(dir, name, in.Mode) })
}

// Mknod implements fuse.RawFileSystem: sockets and pipes too.
func (v *volume) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return v.make("mknod", &in.InHeader, name, out, func(dir int) error { return unix.Mknodat(dir, name, in.Mode, int(in.Rdev)) })
}

// Symlink implements fuse.RawFileSystem.
func (v *volume) Symlink(_ <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return v.make("symlink", h, name, out, func(dir int) error { return unix.Symlinkat(target, dir, name) })
}

// Create implements fuse.RawFileSystem. The file may be there already.
func (v *volume) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	o := v.op(disk.Name, "create", &in.InHeader, name)
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		i, err := v.born(o, &in.InHeader, name, func(dir int) error {
			fd, err := unix.Openat(dir, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, in.Mode)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		})
		if errors.Is(err, unix.EEXIST) && in.Flags&unix.O_EXCL == 0 {
			if i, err = v.find(o.node, name); err == nil && in.Flags&unix.O_TRUNC != 0 {
				err = v.truncate(i, 0, o.event.Path)
			}
		}
		if err != nil {
			return err
		}
		i.opens++
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE
		return v.tell(i, &out.EntryOut)
	})
}

// Link implements fuse.RawFileSystem.
func (v *volume) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	o := v.op(disk.Name, "link", &in.InHeader, name)
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		i := v.nodes[in.Oldnodeid]
		if i == nil {
			return unix.ESTALE
		}
		o.event.File, o.event.To, o.event.Path = i.ino, o.event.Path, i.path()
		if err := unix.Linkat(i.fd, "", o.node.fd, name, unix.AT_EMPTY_PATH); err != nil {
			return err
		}
		v.record(o.node, nil, []change{{dir: o.node, name: name}}, i)
		return v.tell(i, out)
	})
}

// Unlink implements fuse.RawFileSystem.
func (v *volume) Unlink(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return v.remove("unlink", h, name)
}

// Rmdir implements fuse.RawFileSystem.
func (v *volume) Rmdir(_ <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return v.remove("rmdir", h, name)
}

func (v *volume) remove(what string, h *fuse.InHeader, name string) fuse.Status {
	o := v.op(disk.Name, what, h, name)
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		i, err := v.find(o.node, name)
		if err != nil {
			return err
		}
		o.event.File = i.ino
		if err := v.banish(i, o.node, name); err != nil {
			return err
		}
		v.freed(i, o.event.Path)
		v.record(o.node, nil, []change{{dir: o.node, name: name, before: i}})
		return nil
	})
}

// banish takes a name from an inode and keeps that in the limbo; a folder must
// be empty. names is held.
func (v *volume) banish(i *inode, dir *inode, name string) error {
	if i.folder() {
		if err := empty(i); err != nil {
			return err
		}
	}
	if i.limbo {
		return unix.Unlinkat(dir.fd, name, 0)
	}
	err := unix.Renameat(dir.fd, name, v.limbo, i.inLimbo())
	i.limbo = err == nil
	return err
}

// empty gives ENOTEMPTY for a folder that is not.
func empty(i *inode) error {
	fd, err := unix.Openat(i.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), i.name)
	defer f.Close()
	switch _, err := f.Readdirnames(1); {
	case err == nil:
		return unix.ENOTEMPTY
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// Rename implements fuse.RawFileSystem.
func (v *volume) Rename(_ <-chan struct{}, in *fuse.RenameIn, from, to string) fuse.Status {
	o := v.op(disk.Name, "rename", &in.InHeader, from)
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		dir := v.nodes[in.Newdir]
		if dir == nil {
			return unix.ESTALE
		}
		o.event.To = join(dir.path(), to)
		source, target := entry{o.node, from}, entry{dir, to}
		moved, err := v.find(source.dir, source.name)
		if err != nil {
			return err
		}
		o.event.File = moved.ino
		over, err := v.find(target.dir, target.name)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return err
		}
		switch {
		case in.Flags&^(unix.RENAME_NOREPLACE|unix.RENAME_EXCHANGE) != 0:
			return unix.EINVAL
		case over != nil && in.Flags&unix.RENAME_NOREPLACE != 0:
			return unix.EEXIST
		case in.Flags&unix.RENAME_EXCHANGE != 0:
			return v.exchange(source, target, moved, over)
		case moved == over:
			return nil // two names of one file: POSIX does nothing
		}
		return v.move(source, target, moved, over)
	})
}

// move gives an inode another name, in place of what has it. names is held.
func (v *volume) move(source, target entry, moved, over *inode) error {
	if over != nil {
		if err := v.banish(over, target.dir, target.name); err != nil {
			return err
		}
	}
	if err := unix.Renameat(source.dir.fd, source.name, target.dir.fd, target.name); err != nil {
		if over != nil { // so that it is as if nothing had been tried
			err = errors.Join(err, v.recall(over, target))
		}
		return err
	}
	if over != nil {
		v.freed(over, join(target.dir.path(), target.name))
	}
	moved.parent, moved.name = target.dir, target.name
	arrive := change{target.dir, target.name, over}
	leave := change{source.dir, source.name, moved}
	if v.journal.names == disk.Folder && source.dir != target.dir && !moved.folder() {
		v.record(target.dir, nil, []change{arrive}, moved)
		v.record(source.dir, nil, []change{leave})
		return nil
	}
	v.record(target.dir, nil, []change{arrive, leave}, moved)
	return nil
}

// recall gives an inode in the limbo a name. names is held.
func (v *volume) recall(i *inode, e entry) error {
	if i.held > 0 && !i.folder() {
		return unix.Linkat(v.limbo, i.inLimbo(), e.dir.fd, e.name, 0)
	}
	err := unix.Renameat(v.limbo, i.inLimbo(), e.dir.fd, e.name)
	i.limbo = err != nil
	return err
}

// exchange swaps two names. names is held.
func (v *volume) exchange(source, target entry, a, b *inode) error {
	if b == nil {
		return unix.ENOENT
	}
	if err := unix.Renameat2(source.dir.fd, source.name, target.dir.fd, target.name, unix.RENAME_EXCHANGE); err != nil {
		return err
	}
	a.parent, a.name, b.parent, b.name = target.dir, target.name, source.dir, source.name
	v.record(target.dir, nil, []change{{source.dir, source.name, a}, {target.dir, target.name, b}})
	return nil
}
