package drive

import (
	"io/fs"
	"os"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// listing is an open folder: its names as they were when it was read from the
// beginning.
type listing struct {
	entries []fuse.DirEntry
}

// OpenDir implements fuse.RawFileSystem.
func (v *volume) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	o := v.op("", "opendir", &in.InHeader, "")
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		v.nextFh++
		v.lists[v.nextFh] = &listing{}
		o.node.opens++
		out.Fh = v.nextFh
		return nil
	})
}

// ReleaseDir implements fuse.RawFileSystem.
func (v *volume) ReleaseDir(in *fuse.ReleaseIn) {
	v.names.Lock()
	delete(v.lists, in.Fh)
	v.names.Unlock()
	v.closed(in.NodeId)
}

// closed counts one opening less.
func (v *volume) closed(id uint64) {
	v.names.Lock()
	defer v.names.Unlock()
	i := v.nodes[id]
	if i == nil {
		return
	}
	if i.opens--; i.opens > 0 {
		return
	}
	i.mu.Lock()
	if !i.pend.dirty {
		i.rest()
	}
	i.mu.Unlock()
	v.drop(i)
}

// ReadDir implements fuse.RawFileSystem.
func (v *volume) ReadDir(_ <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	o := v.op("", "readdir", &in.InHeader, "")
	return v.run(o, func() error {
		v.names.Lock()
		defer v.names.Unlock()
		l := v.lists[in.Fh]
		if l == nil {
			return unix.EBADF
		}
		if in.Offset == 0 {
			var err error
			if l.entries, err = entries(o.node); err != nil {
				return err
			}
		}
		for n := in.Offset; n < uint64(len(l.entries)) && out.AddDirEntry(l.entries[n]); n++ {
		}
		return nil
	})
}

// entries reads a folder.
func entries(i *inode) ([]fuse.DirEntry, error) {
	fd, err := unix.Openat(i.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), i.name)
	defer f.Close()
	found, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	all := []fuse.DirEntry{{Name: ".", Mode: unix.S_IFDIR, Off: 1}, {Name: "..", Mode: unix.S_IFDIR, Off: 2}}
	for _, e := range found {
		all = append(all, fuse.DirEntry{Name: e.Name(), Mode: kindOf(e.Type()), Off: uint64(len(all) + 1)})
	}
	return all, nil
}

// kindOf is what the kernel calls a kind of file.
func kindOf(m fs.FileMode) uint32 {
	switch m {
	case fs.ModeDir:
		return unix.S_IFDIR
	case fs.ModeSymlink:
		return unix.S_IFLNK
	case fs.ModeSocket:
		return unix.S_IFSOCK
	case fs.ModeNamedPipe:
		return unix.S_IFIFO
	case fs.ModeDevice:
		return unix.S_IFBLK
	case fs.ModeDevice | fs.ModeCharDevice:
		return unix.S_IFCHR
	}
	return unix.S_IFREG
}

// FsyncDir implements fuse.RawFileSystem.
func (v *volume) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	o := v.op(disk.Sync, "sync", &in.InHeader, "")
	if o.node == nil {
		return fuse.Status(unix.ESTALE)
	}
	upto := v.reach(o.node, false)
	return v.run(o, func() error {
		if err := v.syncStore(o.node.self(), unix.O_RDONLY|unix.O_DIRECTORY, unix.Fsync); err != nil {
			return err
		}
		v.synced(o.node, upto)
		return nil
	})
}
