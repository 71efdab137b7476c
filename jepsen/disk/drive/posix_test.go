package drive

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// TestMapsShowWrites: a database maps its file and writes to it beside the map.
func TestMapsShowWrites(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	f := b.open("f")
	b.ok(f.Truncate(3 * 4096))
	m, err := unix.Mmap(int(f.Fd()), 0, 3*4096, unix.PROT_READ, unix.MAP_SHARED)
	b.ok(err)
	w, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	b.ok(err)
	for n := range 50 {
		text := fmt.Sprintf("round %02d", n)
		b.put(f, text, int64(n%2*4096)+4090)
		b.ok(unix.Fdatasync(int(f.Fd())))
		if at := n%2*4096 + 4090; string(m[at:at+8]) != text {
			t.Fatalf("the map shows %q, want %q", m[at:at+8], text)
		}
	}
	copy(w, "through the map")
	b.ok(unix.Msync(w, unix.MS_SYNC))
	b.ok(errors.Join(unix.Munmap(m), unix.Munmap(w), f.Close()))
	b.lose(disk.Loss{})
	if got := b.read("f"); !strings.HasPrefix(got, "through the map\x00") || len(got) != 3*4096 {
		t.Errorf("after the loss %.20q, %d bytes", got, len(got))
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	f, g := b.open("f"), b.open("f")
	b.ok(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	if err := unix.Flock(int(g.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("a second lock: %v", err)
	}
	b.ok(unix.Flock(int(f.Fd()), unix.LOCK_UN))
	b.ok(unix.Flock(int(g.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: 5, Len: 10}
	b.ok(unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock))
	other := unix.Flock_t{Type: unix.F_WRLCK, Start: 14, Len: 10}
	if err := unix.FcntlFlock(g.Fd(), unix.F_OFD_SETLK, &other); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("an overlapping lock: %v", err)
	}
	d, err := os.Open(b.opts.Mount)
	b.ok(err)
	defer d.Close()
	b.ok(unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)) // as a store of images does
	// A lock ends with its process.
	db, err := openBolt(b.path("db"), false)
	b.ok(err)
	b.ok(db.Close())
	p := b.run("bolt", b.path("db"), "1")
	p.until("done 2")
	p.kill()
	if n, err := readBolt(b.path("db")); err != nil || n < 2 {
		t.Errorf("%d %v", n, err)
	}
}

// TestBoltThatDoesNotSyncIsCaught: what TestBoltSurvivesPowerLoss looks for is
// found where it is.
func TestBoltThatDoesNotSyncIsCaught(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	path := b.path("db")
	db, err := openBolt(path, false)
	b.ok(err)
	b.ok(db.Close())
	b.syncDir(".")
	p := b.run("bolt-nosync", path, "1")
	p.until("done 20")
	p.kill()
	lost := b.lose(disk.Loss{})
	// It may be damaged, too.
	if n, err := readBolt(path); err == nil && n >= 20 || lost.Bytes == 0 {
		t.Errorf("found commit %d, %v, after %+v", n, err, lost)
	}
}

func TestSocketsAndPermissions(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	b.ok(os.Chmod(b.opts.Mount, 0o711))
	b.ok(os.Mkdir(b.path("d"), 0o700))
	l, err := net.Listen("unix", b.path("d/s"))
	b.ok(err)
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write([]byte("hello"))
			c.Close()
		}
	}()
	c, err := net.Dial("unix", b.path("d/s"))
	b.ok(err)
	buf := make([]byte, 5)
	if _, err := c.Read(buf); err != nil || string(buf) != "hello" {
		t.Errorf("read %q %v", buf, err)
	}
	b.ok(errors.Join(c.Close(), l.Close()))
	if _, err := os.Lstat(b.path("d/s")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	b.write("secret", "x", false)
	b.ok(os.Chmod(b.path("secret"), 0o600))
	b.write("shared", "y", false)
	b.ok(os.Chown(b.path("shared"), 12, 34))
	// As nobody, who is let in, but not to secrets.
	b.ok(os.Chmod(filepath.Dir(b.opts.Mount), 0o755))
	for file, want := range map[string]bool{"secret": false, "d/x": false, "shared": true} {
		cmd := exec.Command("cat", b.path(file))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("%s as nobody: %v %s", file, err, out)
		}
	}
	info, err := os.Stat(b.path("shared"))
	b.ok(err)
	if st := info.Sys().(*syscall.Stat_t); st.Uid != 12 || st.Gid != 34 {
		t.Errorf("owned by %d:%d", st.Uid, st.Gid)
	}
}

// TestWhatProgramsDoWithFiles goes through the ways that a store of images, a
// store of snapshots and a shell have with files.
func TestWhatProgramsDoWithFiles(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	root, err := os.OpenRoot(b.opts.Mount)
	b.ok(err)
	b.ok(root.Mkdir("snap.tmp", 0o755))
	f, err := root.Create("snap.tmp/state")
	b.ok(err)
	_, err = f.WriteString("state")
	b.ok(errors.Join(err, f.Sync(), f.Close(), root.Rename("snap.tmp", "snap")))
	b.syncDir(".")
	b.want("snap/state", "state")
	if _, err := root.Open("../store"); err == nil {
		t.Error("a root let out")
	}
	if _, err := unix.Open(b.opts.Mount, unix.O_TMPFILE|unix.O_RDWR, 0o600); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("O_TMPFILE: %v; want the error by which programs know to do without", err)
	}
	b.ok(root.Close())

	// A file without a name goes on.
	g := b.open("gone")
	b.put(g, "text", 0)
	b.ok(os.Remove(b.path("gone")))
	b.put(g, "TE", 0)
	info, err := g.Stat()
	b.ok(err)
	if st := info.Sys().(*syscall.Stat_t); st.Nlink != 0 || st.Size != 4 {
		t.Errorf("a file without a name has %d links and %d bytes", st.Nlink, st.Size)
	}

	b.write("a", "a", false)
	b.ok(os.Link(b.path("a"), b.path("b")))
	b.ok(os.Symlink("a", b.path("l")))
	b.want("l", "a")
	b.ok(os.Remove(b.path("a")))
	b.want("b", "a")
	b.write("c", "c", false)
	b.ok(unix.Renameat2(unix.AT_FDCWD, b.path("b"), unix.AT_FDCWD, b.path("c"), unix.RENAME_EXCHANGE))
	b.want("b", "c")
	if err := unix.Renameat2(unix.AT_FDCWD, b.path("b"), unix.AT_FDCWD, b.path("c"), unix.RENAME_NOREPLACE); !errors.Is(err, unix.EEXIST) {
		t.Errorf("a move over what must not be replaced: %v", err)
	}
	app, err := os.OpenFile(b.path("log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	b.ok(err)
	for range 3 {
		_, err := app.WriteString("line\n")
		b.ok(err)
	}
	b.ok(app.Close())
	b.want("log", "line\nline\nline\n")
	b.ok(os.WriteFile(b.path("log"), []byte("short"), 0o600))
	b.want("log", "short")

	for n := range 1500 {
		b.ok(os.WriteFile(b.path(fmt.Sprintf("snap/f%04d", n)), nil, 0o600))
	}
	names, err := os.ReadDir(b.path("snap"))
	b.ok(err)
	if len(names) != 1501 || !slices.IsSortedFunc(names, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) }) {
		t.Errorf("%d names", len(names))
	}
	b.ok(os.RemoveAll(b.path("snap")))
}

// TestHoles: what is allocated, punched and sought is as on the folder behind,
// and a punched hole is undone as a write is.
func TestHoles(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	b.write("f", strings.Repeat("x", 5*4096), true)
	f := b.open("f")
	b.ok(unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 4096, 2*4096))
	at, err := unix.Seek(int(f.Fd()), 0, unix.SEEK_HOLE)
	if at != 4096 || err != nil {
		t.Errorf("the hole is at %d, %v", at, err)
	}
	b.want("f", strings.Repeat("x", 4096)+strings.Repeat("\x00", 2*4096)+strings.Repeat("x", 2*4096))
	b.ok(unix.Fallocate(int(f.Fd()), 0, 0, 9*4096))
	if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_COLLAPSE_RANGE, 0, 4096); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("collapse: %v", err)
	}
	b.ok(f.Close())
	b.lose(disk.Loss{})
	b.want("f", strings.Repeat("x", 5*4096))
}

// TestSyncsOfEveryKind: what is opened so that each write is synced, is.
func TestSyncsOfEveryKind(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	for name, flag := range map[string]int{"sync": unix.O_SYNC, "dsync": unix.O_DSYNC} {
		f, err := os.OpenFile(b.path(name), os.O_CREATE|os.O_WRONLY|flag, 0o600)
		b.ok(err)
		_, err = f.WriteString("text")
		b.ok(errors.Join(err, f.Close()))
	}
	f := b.open("ranges")
	b.put(f, "text", 0)
	b.ok(unix.SyncFileRange(int(f.Fd()), 0, 4, unix.SYNC_FILE_RANGE_WRITE)) // which promises nothing
	b.ok(f.Close())
	b.lose(disk.Loss{})
	b.want("sync", "text")
	b.want("dsync", "text")
	b.want("ranges", "no such file or directory")
}
