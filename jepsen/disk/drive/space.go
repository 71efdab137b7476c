package drive

import (
	"errors"

	"golang.org/x/sys/unix"
)

// blockSize is what a full disk counts in, in bytes.
const blockSize = 4096

// fit tells how many bytes of a part that is to be written there is room for:
// all, unless a disk is full. What has blocks already needs none. ENOSPC if
// there is room for nothing.
func (v *volume) fit(fd int, s span, path string) (int64, error) {
	if _, limited := v.drive.standing.left(path); !limited {
		return s.end - s.off, nil
	}
	missing, err := holes(fd, s)
	if err != nil {
		return 0, err
	}
	room := v.drive.standing.take(path, int64(len(missing))*blockSize) / blockSize
	if room == int64(len(missing)) {
		return s.end - s.off, nil
	}
	// Up to the first block that gets no room.
	end := max(missing[room]*blockSize, s.off)
	if end == s.off {
		return 0, unix.ENOSPC
	}
	return end - s.off, nil
}

// holes are the blocks of a part, by number, that the file has not yet.
func holes(fd int, s span) (missing []int64, err error) {
	for block := s.off / blockSize; block*blockSize < s.end; block++ {
		at := block * blockSize
		data, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if err != nil && !errors.Is(err, unix.ENXIO) { // that is: no more data
			return nil, err
		}
		if err != nil || data >= at+blockSize {
			missing = append(missing, block)
		}
	}
	return missing, nil
}

// full counts an ENOSPC.
func (v *volume) full(path string) error {
	v.drive.standing.take(path, blockSize)
	return unix.ENOSPC
}

// freeing does what may free blocks, and gives those back.
func (v *volume) freeing(fd int, path string, do func() error) error {
	_, limited := v.drive.standing.left(path)
	var before, after unix.Stat_t
	if limited {
		if err := unix.Fstat(fd, &before); err != nil {
			return err
		}
	}
	if err := do(); err != nil || !limited {
		return err
	}
	if err := unix.Fstat(fd, &after); err != nil {
		return err
	}
	if n := (before.Blocks - after.Blocks) * 512; n > 0 {
		v.drive.standing.give(path, n)
	}
	return nil
}

// freed gives back the blocks of an inode that has lost a name, if that was its
// last; names is held.
func (v *volume) freed(i *inode, path string) {
	if _, limited := v.drive.standing.left(path); !limited {
		return
	}
	var st unix.Stat_t
	if unix.Fstat(i.fd, &st) == nil && st.Nlink == 1 { // that in the limbo
		v.drive.standing.give(path, st.Blocks*512)
	}
}
