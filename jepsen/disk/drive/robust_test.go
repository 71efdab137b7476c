package drive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// startVictim starts a disk as a harness does, and says so.
func startVictim(mount, store string) error {
	o := disk.Options{Mount: mount, Store: store}
	if _, err := disk.Start(context.Background(), os.Args[0], o, nil, clock.Real{}); err != nil {
		return err
	}
	fmt.Println("started")
	select {}
}

// eventually waits for a state.
func (b *bench) eventually(what string, ok func() bool) {
	b.t.Helper()
	for !ok() {
		if b.ctx.Err() != nil {
			b.t.Fatal("waited in vain for ", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// TestDiskEndsWithItsHarness: a harness that is killed leaves no mount.
func TestDiskEndsWithItsHarness(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	mount, store := filepath.Join(b.opts.Store, "mnt"), filepath.Join(b.opts.Store, "own")
	b.ok(errors.Join(os.Mkdir(mount, 0o755), os.Mkdir(store, 0o755)))
	p := b.run("start", mount, store)
	p.until("started")
	hung := b.run("sync", filepath.Join(mount, "f"))
	hung.until("synced 2")
	other, err := disk.Attach(b.ctx, disk.Options{Store: store}.Socket(), clock.Real{})
	b.ok(err)
	_, err = other.Add(b.ctx, disk.Fault{Kind: disk.Hang})
	b.ok(err)
	if is, err := mounted(mount, store); !is || err != nil {
		t.Fatalf("mounted %v %v", is, err)
	}
	p.kill()
	b.eventually("the mount to be gone", func() bool {
		is, err := mounted(mount, store)
		return !is && err == nil
	})
	// What hung was told so, and ended by itself.
	for range hung.lines {
	}
}

// TestKilledDiskIsReplaced: when the disk's own process is killed, users get
// errors, and the next disk on the store takes its place, with all that was
// written.
func TestKilledDiskIsReplaced(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	b.write("f", "never synced", false)
	b.ok(os.Remove(b.path("f")))
	b.write("f", "and again", false)
	s, err := b.Status(b.ctx)
	b.ok(err)
	if _, err := disk.Start(b.ctx, os.Args[0], b.opts, os.Stderr, clock.Real{}); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second disk on the store: %v", err)
	}
	if err := live(b.ctx, b.opts, nil); !errs.Is(err, errs.Conflict) {
		t.Errorf("a second process on the store: %v", err)
	}
	b.ok(syscall.Kill(s.PID, syscall.SIGKILL))
	b.eventually("the mount to be dead", func() bool {
		_, err := os.Stat(b.path("f"))
		return errors.Is(err, syscall.ENOTCONN)
	})
	b.eventually("nobody to answer", func() bool { _, err := b.Status(b.ctx); return errs.Is(err, errs.Unavailable) })
	b.ok(b.Close(b.ctx))
	b.start()
	b.want("f", "and again")
	left, err := os.ReadDir(filepath.Join(b.opts.Store, limboDir))
	if err != nil || len(left) > 0 {
		t.Errorf("the limbo holds %v %v", left, err)
	}
}

// TestSocketTakesNonsense: what is no request gets an answer or a hang-up, and
// idle callers keep nobody out for good.
func TestSocketTakesNonsense(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	for _, text := range []string{"", "nonsense\n", `{"do":"jump"}` + "\n", `{"do":"add"}` + "\n", `{"do":"lose","loss":{"keep":7}}` + "\n", strings.Repeat("[", disk.MaxRequest*2)} {
		c, err := net.Dial("unix", b.opts.Socket())
		b.ok(err)
		_, _ = c.Write([]byte(text)) // it may have hung up
		b.ok(c.(*net.UnixConn).CloseWrite())
		buf := make([]byte, 4096)
		if n, _ := c.Read(buf); n > 0 && !strings.Contains(string(buf[:n]), `"kind":"invalid"`) {
			t.Errorf("%.20q is answered by %s", text, buf[:n])
		}
		b.ok(c.Close())
	}
	for range maxCalls + 4 {
		c, err := net.Dial("unix", b.opts.Socket())
		b.ok(err)
		defer c.Close()
	}
	_, err := b.Status(b.ctx) // when the idle ones have had their time
	b.ok(err)
}

// TestManyAtATime has files made, written, moved, synced, read and removed by
// many, while faults come and go and the power fails.
func TestManyAtATime(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	for round := range 6 {
		ctx, cancel := context.WithCancel(b.ctx)
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					churn(b.path(strconv.Itoa(n%4)), n, i)
				}
			})
		}
		for _, f := range []disk.Fault{
			{Kind: disk.Slow, Delay: time.Millisecond}, {Kind: disk.Error, Odds: 300}, {Kind: disk.Hang, Times: 3},
			{Kind: disk.Full, Room: 10000}, {Kind: disk.Error, Ops: []disk.Op{disk.Sync}, Odds: 500, Drop: true},
		} {
			id := b.begin(f)
			b.eventually("the fault to be met", func() bool {
				s, err := b.Status(b.ctx)
				b.ok(err)
				return len(s.Effects) == 1 && s.Effects[0].Hits > 0
			})
			_, err := b.Lift(b.ctx, id)
			b.ok(err)
		}
		_, err := b.Flip(b.ctx, disk.Flip{Offset: -1})
		if err != nil && !errs.Is(err, errs.NotFound) {
			t.Error(err)
		}
		if round%2 == 0 {
			b.ok(b.Save(b.ctx, "x"))
		}
		if _, err := b.PowerLoss(b.ctx, disk.Loss{Keep: disk.KeepSome}); err != nil {
			t.Error(err) // under those who work on
		}
		cancel()
		all.Wait()
	}
	b.ok(b.Put(b.ctx, "x"))
}

// churn does one round of a user's work; faults are its business.
func churn(dir string, n, i int) {
	_ = os.Mkdir(dir, 0o755)
	name := filepath.Join(dir, strconv.Itoa(i%5))
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.WriteAt(make([]byte, 100+n*1000), int64(i%7)*512)
	if i%3 == 0 {
		_ = f.Sync()
	}
	_ = f.Truncate(int64(i % 3000))
	_, _ = f.ReadAt(make([]byte, 200), 0)
	_ = os.Rename(name, filepath.Join(dir, "r"+strconv.Itoa(i%3)))
	_ = os.Link(filepath.Join(dir, "r0"), filepath.Join(dir, "l"))
	_, _ = os.ReadDir(dir)
	_ = os.Remove(filepath.Join(dir, "l"))
	if i%11 == 0 {
		_ = os.RemoveAll(dir)
	}
}

// TestInARack mounts a disk where only a host sees it, hangs a process in it,
// and has the rack swept.
func TestInARack(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a rack needs root")
	}
	const prefix = "kvtd"
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	b := &bench{t: t, ctx: ctx}
	b.ok(testbed.Sweep(ctx, prefix, clock.Real{}))
	dir, err := os.MkdirTemp("/tmp", "rack-"+prefix+"-")
	b.ok(err)
	b.ok(os.Chmod(dir, 0o755))
	rack, err := testbed.New(ctx, testbed.Options{Prefix: prefix, Dir: dir})
	b.ok(err)
	defer func() {
		b.ok(testbed.Sweep(ctx, prefix, clock.Real{}))
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is still there", dir)
		}
		if out, err := exec.CommandContext(ctx, "grep", "-l", fsType+" "+dir, "-rs", "/proc", "--include=mountinfo").Output(); len(out) > 0 {
			t.Errorf("still mounted: %s %v", out, err)
		}
	}()
	h, err := rack.AddHost(ctx, "c1")
	b.ok(err)
	o := disk.Options{Mount: filepath.Join(h.DataDir(), "kvorum"), Store: filepath.Join(h.DataDir(), "disk")}
	b.ok(errors.Join(os.Mkdir(o.Mount, 0o755), os.Mkdir(o.Store, 0o755)))
	_, err = h.Start("disk", append([]string{os.Args[0]}, o.Args()...)...)
	b.ok(err)
	d, err := disk.Attach(ctx, o.Socket(), clock.Real{})
	b.ok(err)
	b.Disk, b.opts = d, o
	_, err = h.Start("node", os.Args[0], victimWord, "sync", filepath.Join(o.Mount, "f"))
	b.ok(err)
	b.eventually("syncs", func() bool { s, err := d.Status(ctx); return err == nil && s.Syncs > 3 })
	// From outside one sees the empty folder, and cannot hang.
	if found, err := os.ReadDir(o.Mount); len(found) > 0 || err != nil {
		t.Errorf("outside one sees %v %v", found, err)
	}
	b.ok(d.Cut(ctx))
	b.ok(h.Kill("node"))
	b.lose(disk.Loss{})
	out, err := h.Command(ctx, "ls", o.Mount).CombinedOutput()
	if strings.TrimSpace(string(out)) != "f" {
		t.Errorf("the host sees %q %v", out, err)
	}
	b.begin(disk.Fault{Kind: disk.Hang})
	_, err = h.Start("node", os.Args[0], victimWord, "sync", filepath.Join(o.Mount, "f"))
	b.ok(err)
	b.awaitWaiting(1)
}
