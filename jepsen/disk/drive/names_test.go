package drive

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// TestNames shows what each promise of names means: what is there after a power
// loss, as "name=text".
func TestNames(t *testing.T) {
	for _, names := range []disk.Names{disk.Journal, disk.Folder} {
		t.Run(string(names), func(t *testing.T) {
			t.Parallel()
			b := startDisk(t, func(o *disk.Options) { o.Names = names })
			for _, row := range nameRows {
				found, err := os.ReadDir(b.opts.Mount)
				b.ok(err)
				for _, e := range found {
					b.ok(os.RemoveAll(b.path(e.Name())))
				}
				b.syncDir(".")
				b.ok(os.Mkdir(b.path("d"), 0o755))
				row.do(b)
				b.lose(disk.Loss{})
				want := row.journal
				if names == disk.Folder {
					want = row.folder
				}
				if got := b.listing(); got != want {
					t.Errorf("%s: left %q, want %q", row.what, got, want)
				}
			}
		})
	}
}

func (b *bench) rename(from, to string) { b.ok(os.Rename(b.path(from), b.path(to))) }

var nameRows = []struct {
	what            string
	do              func(b *bench)
	journal, folder string
}{
	{"a new file that is synced, in a folder that is not", func(b *bench) { b.write("f", "x", true) }, "d= f=x", ""},
	{"and its folder too", func(b *bench) { b.write("f", "x", true); b.syncDir(".") }, "d= f=x", "d= f=x"},
	{"only its folder", func(b *bench) { b.write("f", "x", false); b.syncDir(".") }, "d= f=", "d= f="},
	{"a file in a new folder, both synced, the one above not", func(b *bench) {
		b.write("d/f", "x", true)
		b.syncDir("d")
	}, "d/f=x d=", ""},
	{"a file that replaces another, not synced before", func(b *bench) {
		b.write("f", "old", true)
		b.syncDir(".")
		b.write("f.new", "new", false)
		b.rename("f.new", "f")
		b.syncDir(".")
	}, "d= f=", "d= f="},
	{"and synced before, but not the folder", func(b *bench) {
		b.write("f", "old", true)
		b.syncDir(".")
		b.write("f.new", "new", true)
		b.rename("f.new", "f")
	}, "d= f.new=new f=old", "d= f=old"},
	{"and synced after, but not the folder", func(b *bench) {
		b.write("f", "old", true)
		b.syncDir(".")
		b.write("f.new", "new", true)
		b.rename("f.new", "f")
		b.ok(b.open("f").Sync())
	}, "d= f=new", "d= f=old"},
	{"a new name, of which the data are synced", func(b *bench) {
		b.write("f", "x", true)
		b.syncDir(".")
		b.rename("f", "g")
		b.ok(syscall.Fdatasync(int(b.open("g").Fd())))
	}, "d= f=x", "d= f=x"},
	{"a new name, which is synced", func(b *bench) {
		b.write("f", "x", true)
		b.syncDir(".")
		b.rename("f", "g")
		b.ok(b.open("g").Sync())
	}, "d= g=x", "d= f=x"},
	{"a folder that is emptied and removed, only the last of it synced", func(b *bench) {
		b.write("d/f", "x", true)
		b.syncDir("d")
		b.syncDir(".")
		b.ok(os.RemoveAll(b.path("d")))
		b.syncDir(".")
	}, "", ""},
	{"a folder that is emptied and removed", func(b *bench) {
		b.write("d/f", "x", true)
		b.syncDir("d")
		b.syncDir(".")
		b.ok(os.RemoveAll(b.path("d")))
	}, "d/f=x d=", "d/f=x d="},
	{"a move between folders, of which the target is synced", func(b *bench) {
		b.write("f", "x", true)
		b.syncDir(".")
		b.rename("f", "d/f")
		b.syncDir("d")
	}, "d/f=x d=", "d/f=x d= f=x"},
	{"a move between folders, of which the source is synced", func(b *bench) {
		b.write("f", "x", true)
		b.syncDir(".")
		b.rename("f", "d/f")
		b.syncDir(".")
	}, "d/f=x d=", "d="},
	{"a removal that is not synced", func(b *bench) {
		b.write("f", "x", true)
		b.syncDir(".")
		b.ok(os.Remove(b.path("f")))
	}, "d= f=x", "d= f=x"},
	{"a removal, and a new file of that name", func(b *bench) {
		b.write("f", "x", true)
		b.syncDir(".")
		b.ok(os.Remove(b.path("f")))
		b.write("f", "y", true)
	}, "d= f=y", "d= f=x"},
	{"what comes before in the journal comes along", func(b *bench) {
		b.write("a", "x", false)
		b.write("b", "y", true)
		b.write("c", "z", false)
	}, "a= b=y d=", ""},
}

// listing is all names with what they hold.
func (b *bench) listing() string {
	b.t.Helper()
	m, err := newModel(disk.Journal, b.opts.Mount)
	b.ok(err)
	var all []string
	for line := range strings.Lines(m.tree()) {
		path, _, _ := strings.Cut(strings.TrimSpace(line), "=")
		if path != "" {
			all = append(all, path[1:]+"="+string(m.things[m.at(path)].now))
		}
	}
	return strings.Join(all, " ")
}
