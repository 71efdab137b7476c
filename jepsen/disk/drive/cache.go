package drive

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// The kernel keeps what it has read, and has to be told to read again. While it
// forgets a file's pages it waits for those that are just being read or
// written, in a way that not even the death of this process would end. So a
// file is passed over while a fault holds a read or write of it, and while it is
// forgotten its reads and writes meet no fault.

// enter tells whether an operation is to meet faults; leave must follow if so.
// names is held.
func (i *inode) enter(class disk.Op) bool {
	if class != disk.Read && class != disk.Write {
		return true
	}
	if i.forgetting {
		return false
	}
	i.meeting++
	return true
}

// leave is when the operation has met the faults.
func (v *volume) leave(i *inode, class disk.Op) {
	if class == disk.Read || class == disk.Write {
		v.names.Lock()
		i.meeting--
		v.names.Unlock()
	}
}

// forgetCaches makes the kernel read again what is in its cache of the files
// that match, but for those that a fault holds.
func (d *drive) forgetCaches(ctx context.Context, pattern string) {
	d.doing.Lock()
	d.notify.RLock() // until then the power is not cut, nor the mount ended
	defer d.notify.RUnlock()
	v, s := d.vol, d.server
	d.doing.Unlock()
	if v == nil || v.isCut() {
		return
	}
	for _, i := range v.cached(pattern) {
		if ctx.Err() == nil && v.forgetting(i, true) {
			s.InodeNotify(i.id, 0, 0) // what the kernel does not know any more needs none
			v.forgetting(i, false)
		}
	}
}

// cached are the files that the kernel may have bytes of.
func (v *volume) cached(pattern string) (all []*inode) {
	v.names.Lock()
	defer v.names.Unlock()
	for _, i := range v.inodes {
		if i.looked > 0 && i.kind == unix.S_IFREG && disk.Matches(pattern, i.path()) {
			all = append(all, i)
		}
	}
	return all
}

// forgetting begins or ends the forgetting of a file; false if a fault holds it,
// or another is at it.
func (v *volume) forgetting(i *inode, begin bool) bool {
	v.names.Lock()
	defer v.names.Unlock()
	if begin && (i.meeting > 0 || i.forgetting) {
		return false
	}
	i.forgetting = begin
	return true
}

func (v *volume) isCut() bool {
	v.gate.RLock()
	defer v.gate.RUnlock()
	return v.cut
}
