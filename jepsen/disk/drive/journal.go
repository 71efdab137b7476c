package drive

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// change is one entry of a folder that is another now; before is what it was,
// nil if there was none.
type change struct {
	dir    *inode
	name   string
	before *inode
}

// step is what happens to names at once: all of its changes survive or none.
type step struct {
	seq     uint64
	changes []change
	// about are the inodes that it concerns: the folders, what moved, what lost
	// its name.
	about []*inode
	// folder is whose sync makes it durable, where only that does.
	folder *inode
}

// journal is the changes of names that are not durable, in their order.
type journal struct {
	names disk.Names
	seq   uint64
	steps []*step
}

// entry is a name's place.
type entry struct {
	dir  *inode
	name string
}

// record adds a step of changes in the folder; made is what came into being by
// it, if anything did, and moved what else it concerns. names is held.
func (v *volume) record(folder *inode, made *inode, changes []change, moved ...*inode) {
	j := &v.journal
	j.seq++
	s := &step{seq: j.seq, changes: changes, folder: folder, about: moved}
	for _, c := range changes {
		s.about = append(s.about, c.dir)
		if c.before != nil {
			s.about = append(s.about, c.before)
			c.before.held++
		}
	}
	if made != nil {
		made.born = s.seq
		s.about = append(s.about, made)
	}
	for _, i := range s.about {
		i.pins++
		i.last = s.seq
	}
	j.steps = append(j.steps, s)
	if limit := v.drive.opts.MaxNames; len(j.steps) > limit {
		// Half of them: so it is not done at each step.
		spill := j.steps[limit/2].seq
		v.spilled.names.Add(v.settle(func(s *step) bool { return s.seq <= spill }))
		v.spillEvent("", 0)
	}
}

// settle makes the steps durable that are picked, and gives how many; names is
// held.
func (v *volume) settle(pick func(*step) bool) (n int64) {
	if !slices.ContainsFunc(v.journal.steps, pick) {
		return 0
	}
	var done, rest []*step
	for _, s := range v.journal.steps {
		if pick(s) {
			done = append(done, s)
		} else {
			rest = append(rest, s)
		}
	}
	v.journal.steps = rest
	for _, s := range done {
		for _, c := range s.changes {
			if c.before != nil {
				v.release(c.before)
			}
		}
	}
	for _, s := range done {
		for _, i := range s.about {
			i.pins--
			v.drop(i)
		}
	}
	return int64(len(done))
}

// release lets go of an inode that one step less would bring back.
func (v *volume) release(i *inode) {
	if i.held--; i.held > 0 || !i.limbo {
		return
	}
	i.limbo = false
	flag := 0
	if i.folder() {
		flag = unix.AT_REMOVEDIR
		// With the folder what is pending in it is settled.
		v.settle(func(s *step) bool { return s.folder == i })
	}
	if err := unix.Unlinkat(v.limbo, i.inLimbo(), flag); err != nil {
		v.drive.log.Error("limbo", "file", i.inLimbo(), "err", err)
	}
}

// synced makes durable what the sync of an inode does, of the steps up to a
// number: those that were taken when the sync began.
func (v *volume) synced(i *inode, upto uint64) {
	v.names.Lock()
	defer v.names.Unlock()
	if v.journal.names == disk.Folder {
		v.settle(func(s *step) bool { return s.folder == i && s.seq <= upto })
		return
	}
	v.settle(func(s *step) bool { return s.seq <= upto })
}

// reach is the last step that a sync of the inode, begun now, makes durable.
func (v *volume) reach(i *inode, dataOnly bool) uint64 {
	v.names.Lock()
	defer v.names.Unlock()
	switch {
	case v.journal.names == disk.Folder:
		return v.journal.seq
	case dataOnly && !i.folder():
		return i.born
	}
	return i.last
}

// doomedSteps are those that a power loss takes, and how many survive. names is
// held.
func (v *volume) doomedSteps(l disk.Loss, number int) (doomed []*step, kept int) {
	steps, seed := v.journal.steps, v.drive.opts.Seed
	if l.Keep != disk.KeepSome {
		return steps, 0
	}
	if v.journal.names == disk.Journal {
		kept = int(below(int64(len(steps))+1, seed, "names", number))
		return steps[kept:], kept
	}
	// A step survives only on top of those before it at the same place.
	gone := map[entry]bool{}
	for n, s := range steps {
		lost := coin(seed, "name", number, n) || slices.ContainsFunc(s.changes, func(c change) bool { return gone[entry{c.dir, c.name}] })
		if !lost {
			kept++
			continue
		}
		doomed = append(doomed, s)
		for _, c := range s.changes {
			gone[entry{c.dir, c.name}] = true
		}
	}
	return doomed, kept
}
