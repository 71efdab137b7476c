package drive

import (
	"context"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// flip turns one bit.
func (d *drive) flip(ctx context.Context, f disk.Flip) (*disk.Event, error) {
	if f.Bit < 0 || f.Bit > 7 {
		return nil, errs.Errorf("drive.flip", errs.Invalid, "a byte has no bit %d", f.Bit)
	}
	e, err := d.turn(f)
	if err != nil {
		return nil, err
	}
	d.forgetCaches(ctx, e.Path)
	return e, nil
}

func (d *drive) turn(f disk.Flip) (*disk.Event, error) {
	const op = "drive.flip"
	d.doing.Lock()
	defer d.doing.Unlock()
	if d.vol == nil {
		return nil, errNotMounted
	}
	d.vol.gate.Lock()
	defer d.vol.gate.Unlock()
	files, err := d.candidates(f)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	if len(files) == 0 {
		return nil, errs.Errorf(op, errs.NotFound, "no file matches %q and has byte %d", f.Path, max(f.Offset, 0))
	}
	// The trace's number tells one flip from the next.
	seed, nth := d.opts.Seed, d.trace.part(^uint64(0), 1).Next
	file := files[below(int64(len(files)), seed, "file", nth)]
	off := f.Offset
	if off < 0 {
		off = below(file.size, seed, "offset", nth)
	}
	if err := turnBit(d.path(filepath.Join(dataDir, file.path)), off, f.Bit); err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	e := d.trace.add(disk.Event{Op: "flip", At: clock.SinceBoot(), File: file.ino, Path: file.path, Off: off, Len: 1})
	return &e, nil
}

type candidate struct {
	path string
	ino  uint64
	size int64
}

// candidates are the files that a flip may mean, in the order of their names.
func (d *drive) candidates(f disk.Flip) (all []candidate, err error) {
	root := d.path(dataDir)
	err = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err == nil && disk.Matches(f.Path, rel) && st.Size > max(f.Offset, 0) {
			all = append(all, candidate{rel, st.Ino, st.Size})
		}
		return err
	})
	return all, err
}

func turnBit(path string, off int64, bit int) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var b [1]byte
	if err := readFull(fd, b[:], off); err != nil {
		return err
	}
	b[0] ^= 1 << bit
	return writeFull(fd, b[:], off)
}
