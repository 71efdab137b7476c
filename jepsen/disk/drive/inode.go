package drive

import (
	"fmt"
	"path"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// inode is a file, folder, link or socket that the kernel knows or that the
// disk has something pending of. It is known by what it is, not by a name: it
// holds a descriptor, so that its number is not another's while it is here.
type inode struct {
	// id is what the kernel calls it, ino what the folder behind calls it.
	id, ino uint64
	kind    uint32 // S_IFREG and so on
	fd      int    // O_PATH

	// These are guarded by volume.names.

	looked uint64 // how often the kernel was told of it
	opens  int    // how often it is open
	pins   int    // how many steps of the journal know it
	held   int    // how many steps would bring it back
	limbo  bool   // it has a name in the limbo
	// The last name that it was found under.
	parent *inode
	name   string
	// The steps that made it, and that last concerned it.
	born, last uint64
	// meeting counts the reads and writes that meet faults; forgetting is while
	// the kernel is made to forget its bytes.
	meeting    int
	forgetting bool

	mu sync.Mutex
	// These are guarded by mu.

	rw   int // the descriptor for its bytes; -1 if there is none
	pend pending
}

// path is the file's, below the mount. names is held. A file that lost its name
// keeps the last.
func (i *inode) path() string {
	if i.parent == nil {
		return i.name
	}
	return path.Join(i.parent.path(), i.name)
}

// self is a path that leads to the file whatever its names are.
func (i *inode) self() string { return fmt.Sprintf("/proc/self/fd/%d", i.fd) }

// inLimbo is its name there.
func (i *inode) inLimbo() string { return strconv.FormatUint(i.ino, 10) }

func (i *inode) folder() bool { return i.kind == unix.S_IFDIR }

// bytes gives the descriptor for reading and writing; mu is held. The kernel
// has looked at what the caller may do.
func (i *inode) bytes() (int, error) {
	if i.rw >= 0 {
		return i.rw, nil
	}
	fd, err := unix.Open(i.self(), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	i.rw = fd
	return fd, nil
}

// size is the file's length now.
func (i *inode) size() (int64, error) {
	var st syscall.Stat_t
	err := syscall.Fstat(i.fd, &st)
	return st.Size, err
}

// close gives the descriptors back; the inode is not used again.
func (i *inode) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rest()
	_ = unix.Close(i.fd)
}

// rest closes what is only for bytes; mu is held.
func (i *inode) rest() {
	if i.rw >= 0 {
		_ = unix.Close(i.rw)
		i.rw = -1
	}
}
