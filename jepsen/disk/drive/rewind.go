package drive

import (
	"cmp"
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// lose takes what is not durable, as the loss says; number tells losses apart.
// The power is cut.
func (v *volume) lose(l disk.Loss, number int) (disk.Lost, error) {
	v.gate.Lock()
	defer v.gate.Unlock()
	v.names.Lock()
	defer v.names.Unlock()
	var lost disk.Lost
	lost.Spilled = disk.Spilled{Bytes: v.spilled.bytes.Load(), Names: v.spilled.names.Load()}
	dirty := v.dirtyFiles()
	torn := tears(dirty, l, v.drive.opts.Seed, number)
	for _, i := range dirty {
		if err := v.revert(i, l, torn[i], number, &lost); err != nil {
			return lost, err
		}
	}
	doomed, kept := v.doomedSteps(l, number)
	lost.Names, lost.KeptNames = len(doomed), kept
	return lost, v.rewind(doomed)
}

// dirtyFiles are the inodes that have bytes or a length pending, by number.
func (v *volume) dirtyFiles() (all []*inode) {
	for _, i := range v.inodes {
		if i.pend.dirty {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(a, b *inode) int { return cmp.Compare(a.ino, b.ino) })
	return all
}

// tears gives what survives of the last writes: a beginning of each, by chance,
// in whole units.
func tears(dirty []*inode, l disk.Loss, seed uint64, number int) map[*inode][]span {
	if l.Keep != disk.KeepTorn {
		return nil
	}
	type last struct {
		*inode
		stroke
	}
	var all []last
	for _, i := range dirty {
		for _, s := range i.pend.strokes {
			all = append(all, last{i, s})
		}
	}
	slices.SortFunc(all, func(a, b last) int { return cmp.Compare(b.seq, a.seq) })
	torn := map[*inode][]span{}
	for n, s := range all[:min(len(all), l.Writes)] {
		first := s.off / l.Unit
		units := (s.end+l.Unit-1)/l.Unit - first
		whole := below(units+1, seed, "torn", number, n)
		if cut := (span{s.off, min(s.end, (first+whole)*l.Unit)}); !cut.empty() {
			torn[s.inode] = append(torn[s.inode], cut)
		}
	}
	return torn
}

// within is a keeper of what lies in the spans.
func within(spans []span) keeper {
	return func(at, end int64) (bool, int64) {
		until := end
		for _, s := range spans {
			if s.off <= at && at < s.end {
				return true, s.end
			}
			if at < s.off {
				until = min(until, s.off)
			}
		}
		return false, until
	}
}

// revert puts one file back.
func (v *volume) revert(i *inode, l disk.Loss, torn []span, number int, lost *disk.Lost) error {
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
	final, keep, seed, path := i.pend.size, keeper(keepNone), v.drive.opts.Seed, i.path()
	switch l.Keep {
	case disk.KeepTorn:
		keep = within(torn)
		for _, s := range torn {
			final = max(final, min(s.end, now))
		}
	case disk.KeepSome:
		keep = func(at, end int64) (bool, int64) {
			unit := at / l.Unit
			return coin(seed, "unit", number, path, unit), min(end, (unit+1)*l.Unit)
		}
		if coin(seed, "length", number, path) {
			final = now
		}
	}
	patches, gone, kept := i.pend.rollback(now, final, keep)
	if gone > 0 || final != now {
		lost.Files++
	}
	lost.Bytes, lost.KeptBytes = lost.Bytes+gone, lost.KeptBytes+kept
	if err := unix.Ftruncate(fd, final); err != nil {
		return err
	}
	return apply(fd, patches)
}

// rewind makes names what they were before the steps, which have none after
// them at the same places.
func (v *volume) rewind(steps []*step) error {
	want := map[entry]*inode{}
	var places []entry
	for _, s := range slices.Backward(steps) {
		for _, c := range slices.Backward(s.changes) {
			e := entry{c.dir, c.name}
			if _, seen := want[e]; !seen {
				places = append(places, e)
			}
			want[e] = c.before
		}
	}
	var failed error
	// First all have a name in the limbo that are to get one back.
	for _, e := range places {
		if i := want[e]; i != nil && !i.folder() && !i.limbo {
			failed = errors.Join(failed, unix.Linkat(i.fd, "", v.limbo, i.inLimbo(), unix.AT_EMPTY_PATH))
			i.limbo = true
		}
	}
	// Then the places are emptied, and then filled.
	for _, e := range places {
		failed = errors.Join(failed, v.vacate(e))
	}
	for _, e := range places {
		if i := want[e]; i != nil && i.folder() {
			failed = errors.Join(failed, unix.Renameat(v.limbo, i.inLimbo(), e.dir.fd, e.name))
		} else if i != nil {
			failed = errors.Join(failed, unix.Linkat(v.limbo, i.inLimbo(), e.dir.fd, e.name, 0))
		}
	}
	return failed
}

// vacate moves what has a name into the limbo.
func (v *volume) vacate(e entry) error {
	i, err := v.find(e.dir, e.name)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	if i.limbo {
		return unix.Unlinkat(e.dir.fd, e.name, 0)
	}
	i.limbo = true
	return unix.Renameat(e.dir.fd, e.name, v.limbo, i.inLimbo())
}
