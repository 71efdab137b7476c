package drive

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// thing is a file or folder of the model, known by its number.
type thing struct {
	ino         uint64
	folder      bool
	now, synced []byte
	// The places in the model's history of names.
	born, last int
	// entries of a folder now, as synced, and all that each was since.
	entries, durable map[string]uint64
	since            map[string][]uint64
}

// model is what must, and what may, be there after a power loss. It has no
// undo: it keeps every state that there was.
type model struct {
	names  disk.Names
	things map[uint64]*thing
	root   uint64
	// states are the trees after each change of a name, as text; those up to
	// durable are safe.
	states  []string
	durable int
}

func newModel(names disk.Names, dir string) (*model, error) {
	m := &model{names: names, things: map[uint64]*thing{}}
	var err error
	m.root, err = m.load(dir)
	m.states = []string{m.tree()}
	return m, err
}

// load takes what is in a folder as durable.
func (m *model) load(path string) (uint64, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	t := &thing{ino: info.Sys().(*syscall.Stat_t).Ino, folder: info.IsDir()}
	m.things[t.ino] = t
	if !t.folder {
		t.now, err = os.ReadFile(path)
		t.synced = t.now
		return t.ino, err
	}
	t.entries, t.since = map[string]uint64{}, map[string][]uint64{}
	found, err := os.ReadDir(path)
	for _, e := range found {
		if t.entries[e.Name()], err = m.load(filepath.Join(path, e.Name())); err != nil {
			return 0, err
		}
	}
	t.durable = maps.Clone(t.entries)
	return t.ino, err
}

// tree is all names now, with the numbers of what they mean.
func (m *model) tree() string {
	var lines []string
	var walk func(ino uint64, path string)
	walk = func(ino uint64, path string) {
		lines = append(lines, fmt.Sprintf("%s=%d", path, ino))
		for name, i := range m.things[ino].entries {
			walk(i, path+"/"+name)
		}
	}
	walk(m.root, "")
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

// settled is the tree of durable entries.
func (m *model) settled() string {
	for _, t := range m.things {
		t.entries, t.durable = t.durable, t.entries
	}
	defer func() {
		for _, t := range m.things {
			t.entries, t.durable = t.durable, t.entries
		}
	}()
	return m.tree()
}

// at finds what a path means now; 0 if nothing.
func (m *model) at(path string) uint64 {
	ino := m.root
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		if ino = m.things[ino].entries[name]; ino == 0 {
			return 0
		}
	}
	return ino
}

// set makes a name mean something else, or nothing (0).
func (m *model) set(path string, ino uint64) {
	dir := m.things[m.at(filepath.Dir(path))]
	name := filepath.Base(path)
	old := dir.entries[name]
	dir.since[name] = append(dir.since[name], old)
	if dir.entries[name] = ino; ino == 0 {
		delete(dir.entries, name)
	}
	for _, i := range []uint64{old, ino, dir.ino} {
		if i != 0 {
			m.things[i].last = len(m.states)
		}
	}
}

// changed ends one change of names.
func (m *model) changed() { m.states = append(m.states, m.tree()) }

// made is a new thing under a name.
func (m *model) made(path string, ino uint64, folder bool) {
	t := &thing{ino: ino, folder: folder, born: len(m.states)}
	if folder {
		t.entries, t.durable, t.since = map[string]uint64{}, map[string]uint64{}, map[string][]uint64{}
	}
	m.things[ino] = t
	m.set(path, ino)
	m.changed()
}

// sync is what the sync of a thing promises.
func (m *model) sync(ino uint64, dataOnly bool) {
	t := m.things[ino]
	if !t.folder {
		t.synced = slices.Clone(t.now)
	}
	if m.names == disk.Folder {
		if t.folder {
			t.durable, t.since = maps.Clone(t.entries), map[string][]uint64{}
		}
		return
	}
	reach := t.last
	if dataOnly && !t.folder {
		reach = t.born
	}
	m.durable = max(m.durable, reach)
}

// judge says what is wrong with what a power loss left.
func (m *model) judge(dir string, l disk.Loss) error {
	left, err := newModel(m.names, dir)
	if err != nil {
		return err
	}
	if err := m.judgeNames(left, l); err != nil {
		return err
	}
	for ino, t := range left.things {
		if old := m.things[ino]; old == nil {
			return fmt.Errorf("%d was never there", ino)
		} else if !t.folder {
			if err := judgeBytes(t.now, old.synced, old.now, l); err != nil {
				return fmt.Errorf("file %d: %w", ino, err)
			}
		}
	}
	return nil
}

func (m *model) judgeNames(left *model, l disk.Loss) error {
	got := left.tree()
	switch {
	case m.names == disk.Journal:
		may := m.states[m.durable:]
		if l.Keep != disk.KeepSome {
			may = may[:1]
		}
		if !slices.Contains(may, got) {
			return fmt.Errorf("found\n%s\nwhich is none of these\n%s", got, strings.Join(may, "\n---\n"))
		}
	case l.Keep != disk.KeepSome:
		if want := m.settled(); got != want {
			return fmt.Errorf("found\n%s\nwant\n%s", got, want)
		}
	default:
		for ino, t := range left.things {
			if !t.folder {
				continue
			}
			old := m.things[ino]
			for name := range union(t.entries, old.entries, old.durable) {
				may := append([]uint64{old.durable[name], old.entries[name]}, old.since[name]...)
				if !slices.Contains(may, t.entries[name]) {
					return fmt.Errorf("%q of folder %d is %d, may be %v", name, ino, t.entries[name], may)
				}
			}
		}
	}
	return nil
}

func union(all ...map[string]uint64) map[string]bool {
	u := map[string]bool{}
	for _, m := range all {
		for name := range m {
			u[name] = true
		}
	}
	return u
}

// judgeBytes looks at a file of which synced was durable, and now written.
func judgeBytes(got, synced, now []byte, l disk.Loss) error {
	if l.Keep == disk.KeepNone || l.Keep == "" {
		if !bytes.Equal(got, synced) {
			return fmt.Errorf("is %.40q (%d), want %.40q (%d)", got, len(got), synced, len(synced))
		}
		return nil
	}
	if n := len(got); n < min(len(synced), len(now)) || n > max(len(synced), len(now)) ||
		l.Keep == disk.KeepSome && n != len(synced) && n != len(now) {
		return fmt.Errorf("has %d bytes; durable were %d, written %d", n, len(synced), len(now))
	}
	at := func(b []byte, i int) byte {
		if i < len(b) {
			return b[i]
		}
		return 0
	}
	for unit := 0; unit < len(got); unit += int(l.Unit) {
		old, fresh := true, true
		for i := unit; i < min(unit+int(l.Unit), len(got)); i++ {
			isOld, isNew := got[i] == at(synced, i), got[i] == at(now, i)
			if !isOld && !isNew {
				return fmt.Errorf("byte %d is %d, neither %d nor %d", i, got[i], at(synced, i), at(now, i))
			}
			old, fresh = old && isOld, fresh && isNew
		}
		// A unit is whole, but where the file's end cuts it.
		if l.Keep == disk.KeepSome && !old && !fresh && unit+int(l.Unit) <= min(len(synced), len(now)) {
			return fmt.Errorf("the unit at %d is mixed", unit)
		}
	}
	return nil
}
