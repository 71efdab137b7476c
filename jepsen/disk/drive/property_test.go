package drive

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// walker does things at random on a disk and on the model.
type walker struct {
	*bench
	rng   *rand.Rand
	model *model
	did   []string
}

// TestLossLeavesWhatTheModelSays: whatever was done, a power loss leaves what
// was synced, and of the rest only what may be.
func TestLossLeavesWhatTheModelSays(t *testing.T) {
	for _, names := range []disk.Names{disk.Journal, disk.Folder} {
		t.Run(string(names), func(t *testing.T) {
			t.Parallel()
			b := startDisk(t, func(o *disk.Options) { o.Names = names })
			var sum disk.Lost
			for seed := range uint64(80) {
				lost := b.walk(seed, names)
				sum.Bytes, sum.Names, sum.Files = sum.Bytes+lost.Bytes, sum.Names+lost.Names, sum.Files+lost.Files
				sum.KeptBytes, sum.KeptNames = sum.KeptBytes+lost.KeptBytes, sum.KeptNames+lost.KeptNames
			}
			t.Logf("%+v", sum)
			if sum.Bytes == 0 || sum.Names == 0 || sum.Files == 0 || sum.KeptBytes == 0 || sum.KeptNames == 0 {
				t.Errorf("all runs together lost and kept too little: %+v", sum)
			}
		})
	}
}

// walk is one life of the disk.
func (b *bench) walk(seed uint64, names disk.Names) disk.Lost {
	b.t.Helper()
	w := &walker{bench: b, rng: rand.New(rand.NewPCG(seed, 4))}
	var err error
	w.model, err = newModel(names, b.opts.Mount)
	b.ok(err)
	for range 5 + w.rng.IntN(60) {
		if err := w.step(); err != nil {
			b.t.Fatalf("seed %d: %v\nafter %s", seed, err, strings.Join(w.did, ", "))
		}
	}
	if got := w.model.tree(); !strings.Contains(got, "=") {
		b.t.Fatal("the model lost its root")
	}
	l := disk.Loss{Unit: []int64{512, 4096}[w.rng.IntN(2)], Keep: []disk.Keep{disk.KeepNone, disk.KeepTorn, disk.KeepSome}[w.rng.IntN(3)], Writes: 1 + w.rng.IntN(4)}
	lost := b.lose(l)
	if err := w.model.judge(b.opts.Mount, l); err != nil {
		b.t.Fatalf("seed %d, %+v: %v\nafter %s", seed, l, err, strings.Join(w.did, ", "))
	}
	return lost
}

// place is a name somewhere.
func (w *walker) place() string {
	dir := []string{"", "d/", "e/", "d/d/"}[w.rng.IntN(4)]
	return dir + []string{"x", "y", "z", "d"}[w.rng.IntN(4)]
}

// step does one thing. What the model says is impossible must be refused.
func (w *walker) step() error {
	path := w.place()
	ino := w.model.at(path)
	parent := w.model.at(filepath.Dir(path))
	if parent == 0 || !w.model.things[parent].folder {
		path, ino = "e", w.model.at("e")
	}
	w.did = append(w.did, path)
	switch {
	case ino == 0:
		return w.fresh(path)
	case w.rng.IntN(5) == 0:
		return w.sync(path, ino)
	case w.rng.IntN(3) == 0:
		return w.move(path, ino)
	case w.rng.IntN(5) == 0:
		return w.remove(path, ino)
	case w.rng.IntN(12) == 0:
		return w.link(path, ino)
	case w.model.things[ino].folder:
		return nil
	case w.rng.IntN(4) == 0:
		return w.truncate(path, ino)
	}
	return w.scribble(path, ino)
}

func (w *walker) say(format string, args ...any) {
	w.did[len(w.did)-1] = fmt.Sprintf(format, args...)
}

func (w *walker) fresh(path string) error {
	folder := filepath.Base(path) == "d" || filepath.Base(path) == "e"
	w.say("make %s", path)
	full, err := w.path(path), error(nil)
	if folder {
		err = os.Mkdir(full, 0o755)
	} else {
		err = os.WriteFile(full, nil, 0o644)
	}
	if err != nil {
		return err
	}
	info, err := os.Stat(full)
	if err != nil {
		return err
	}
	w.model.made(path, info.Sys().(*syscall.Stat_t).Ino, folder)
	return nil
}

func (w *walker) sync(path string, ino uint64) error {
	if w.rng.IntN(2) == 0 {
		path = filepath.Dir(path) // its folder
		ino = w.model.at(path)
	}
	f, err := os.Open(w.path(path))
	if err != nil {
		return err
	}
	defer f.Close()
	dataOnly := w.rng.IntN(2) == 0
	w.say("sync %s %v", path, dataOnly)
	if dataOnly {
		err = syscall.Fdatasync(int(f.Fd()))
	} else {
		err = f.Sync()
	}
	w.model.sync(ino, dataOnly)
	return err
}

func (w *walker) move(path string, ino uint64) error {
	to := w.place()
	parent := w.model.at(filepath.Dir(to))
	over := w.model.at(to)
	w.say("move %s %s", path, to)
	folder := w.model.things[ino].folder
	switch {
	case parent == 0 || !w.model.things[parent].folder || over == ino || strings.HasPrefix(to+"/", path+"/"):
		return nil
	case folder && w.model.names == disk.Folder && filepath.Dir(to) != filepath.Dir(path):
		return nil // the model's folders cannot say what that promises
	}
	err := syscall.Rename(w.path(path), w.path(to)) // os.Rename has rules of its own
	if over != 0 && (w.model.things[over].folder != folder || len(w.model.things[over].entries) > 0) {
		if err == nil {
			return fmt.Errorf("a move over another kind, or a full folder, was let")
		}
		return nil
	}
	w.model.set(to, ino)
	w.model.set(path, 0)
	w.model.things[ino].last = len(w.model.states)
	w.model.changed()
	return err
}

func (w *walker) remove(path string, ino uint64) error {
	w.say("remove %s", path)
	err := os.Remove(w.path(path))
	if len(w.model.things[ino].entries) > 0 {
		if err == nil {
			return fmt.Errorf("a full folder was removed")
		}
		return nil
	}
	w.model.set(path, 0)
	w.model.changed()
	return err
}

func (w *walker) link(path string, ino uint64) error {
	to := w.place()
	parent := w.model.at(filepath.Dir(to))
	w.say("link %s %s", path, to)
	if parent == 0 || !w.model.things[parent].folder || w.model.at(to) != 0 || w.model.things[ino].folder {
		return nil
	}
	err := os.Link(w.path(path), w.path(to))
	w.model.set(to, ino)
	w.model.changed()
	return err
}

func (w *walker) truncate(path string, ino uint64) error {
	t := w.model.things[ino]
	size := w.rng.IntN(20000)
	w.say("truncate %s %d", path, size)
	now := make([]byte, size)
	copy(now, t.now)
	t.now = now
	return os.Truncate(w.path(path), int64(size))
}

func (w *walker) scribble(path string, ino uint64) error {
	t := w.model.things[ino]
	off, n := w.rng.IntN(16000), 1+w.rng.IntN(9000)
	w.say("write %s %d %d", path, off, n)
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(1 + w.rng.IntN(255))
	}
	now := make([]byte, max(len(t.now), off+n))
	copy(now, t.now)
	copy(now[off:], data)
	t.now = now
	f, err := os.OpenFile(w.path(path), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(data, int64(off))
	return err
}
