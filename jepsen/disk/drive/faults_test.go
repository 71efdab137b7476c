package drive

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/disk"
)

// begin adds a fault.
func (b *bench) begin(f disk.Fault) int {
	b.t.Helper()
	id, err := b.Add(b.ctx, f)
	b.ok(err)
	return id
}

// end lifts a fault and wants it to have spoiled so many operations.
func (b *bench) end(id int, hits int64) disk.Effect {
	b.t.Helper()
	e, err := b.Lift(b.ctx, id)
	b.ok(err)
	if e.Hits != hits || e.Seen < hits || (hits > 0) != (e.First > 0) || e.Last < e.First {
		b.t.Errorf("the fault had the effect %+v, want %d hits", e, hits)
	}
	return e
}

func (b *bench) open(name string) *os.File {
	b.t.Helper()
	f, err := os.OpenFile(b.path(name), os.O_CREATE|os.O_RDWR, 0o644)
	b.ok(err)
	b.t.Cleanup(func() { f.Close() })
	return f
}

func (b *bench) put(f *os.File, text string, off int64) {
	b.t.Helper()
	_, err := f.WriteAt([]byte(text), off)
	b.ok(err)
}

func TestSyncErrorOnce(t *testing.T) {
	t.Parallel()
	for _, drop := range []bool{false, true} {
		b := startDisk(t)
		b.write("f", "old", true)
		b.write("other", "", true)
		f := b.open("f")
		b.want("f", "old") // so that the kernel has it
		b.put(f, "newer", 0)
		id := b.begin(disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Sync}, Path: "f", Times: 1, Drop: drop})
		b.ok(b.open("other").Sync())
		if err := f.Sync(); !errors.Is(err, syscall.EIO) {
			t.Fatalf("the sync says %v", err)
		}
		b.ok(f.Sync())
		b.want("f", "newer") // the cache shows it in any case
		b.end(id, 1)
		b.ok(f.Close())
		b.lose(disk.Loss{})
		want := "newer"
		if drop {
			want = "old\x00\x00" // the length was not what failed
		}
		b.want("f", want)
	}
}

// TestDropIsSeenWhenTheCacheGoes: after a failed sync the disk has the old
// bytes, and a later write to other bytes does not bring the new ones back.
func TestDropIsSeenWhenTheCacheGoes(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	b.write("f", strings.Repeat("o", 10000), true)
	f := b.open("f")
	b.put(f, strings.Repeat("n", 10000), 0)
	b.begin(disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Sync}, Times: 1, Drop: true})
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	b.put(f, "tail", 9000)
	b.ok(f.Sync())
	e, err := b.Flip(b.ctx, disk.Flip{Path: "f", Offset: 0}) // which empties the cache
	b.ok(err)
	if e.Off != 0 || e.Path != "f" {
		t.Errorf("flipped %+v", e)
	}
	want := "n" + strings.Repeat("o", 8999) + "tail" + strings.Repeat("o", 996) // 'o'^1 = 'n'
	b.want("f", want)
}

func TestHangUntilLifted(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	f := b.open("f")
	b.put(f, "x", 0)
	id := b.begin(disk.Fault{Kind: disk.Hang, Ops: []disk.Op{disk.Sync}})
	done := make(chan error, 2)
	go func() { done <- f.Sync() }()
	b.awaitWaiting(1)
	// The file's other users wait in the kernel; the rest of the disk works.
	go func() { _, err := f.WriteAt([]byte("y"), 1); done <- err }()
	b.write("other", "works", false)
	b.want("other", "works")
	select {
	case err := <-done:
		t.Fatalf("the sync did not hang: %v", err)
	default:
	}
	b.end(id, 1)
	for range 2 {
		b.ok(<-done)
	}
	b.want("f", "xy")
}

// awaitWaiting waits until faults hold so many operations.
func (b *bench) awaitWaiting(want int) {
	b.t.Helper()
	for n := -1; n != want; {
		s, err := b.Status(b.ctx)
		b.ok(err)
		n = 0
		for _, e := range s.Effects {
			n += e.Waiting
		}
	}
}

// TestHungProcessCanBeKilled: the kernel lets a killed process go only when its
// request is answered.
func TestHungProcessCanBeKilled(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	for _, cut := range []bool{false, true} {
		p := b.run("sync", b.path("f"))
		p.until("synced 3")
		var id int
		if cut {
			b.ok(b.Cut(b.ctx))
		} else {
			id = b.begin(disk.Fault{Kind: disk.Hang, Ops: []disk.Op{disk.Sync}})
			b.awaitWaiting(1)
		}
		p.kill() // waits for its end
		if !cut {
			b.end(id, 1)
		}
	}
	lost := b.lose(disk.Loss{})
	if lost.Bytes > 10 {
		t.Errorf("one small write can have been lost, not %+v", lost)
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	f := b.open("f")
	const delay = 50 * time.Millisecond
	for _, op := range []disk.Op{disk.Write, disk.Sync, disk.Read} {
		id := b.begin(disk.Fault{Kind: disk.Slow, Ops: []disk.Op{op}, Path: "f", Delay: delay, Jitter: delay})
		before := clock.SinceBoot()
		b.put(f, "x", 0)
		b.ok(f.Sync())
		b.want("f", "x") // not from the cache, which the fault emptied
		if took := clock.SinceBoot() - before; took < delay {
			t.Errorf("%s took %v", op, took)
		}
		b.end(id, 1)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	f, old := b.open("f"), b.open("old")
	b.put(old, strings.Repeat("o", 8192), 0)
	id := b.begin(disk.Fault{Kind: disk.Full, Room: 10 * 4096})
	if n, err := f.WriteAt(make([]byte, 8*4096), 0); n != 8*4096 || err != nil {
		t.Fatal(n, err)
	}
	b.put(f, "over what is there", 4096)
	if n, err := unix.Pwrite(int(f.Fd()), make([]byte, 4*4096), 8*4096); n != 2*4096 || err != nil {
		t.Errorf("wrote %d, %v: two blocks were left", n, err)
	}
	b.put(old, "new", 0)
	b.ok(old.Sync())
	if err := os.Mkdir(b.path("d"), 0o755); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a folder was made on a full disk: %v", err)
	}
	var st unix.Statfs_t
	b.ok(unix.Statfs(b.opts.Mount, &st))
	if st.Bavail != 0 {
		t.Errorf("%d blocks are free", st.Bavail)
	}
	b.ok(os.Truncate(b.path("old"), 0))
	b.ok(os.Remove(b.path("f")))
	b.ok(unix.Statfs(b.opts.Mount, &st))
	if st.Bavail != 12 {
		t.Errorf("%d blocks are free, want those of both files", st.Bavail)
	}
	g := b.open("g")
	b.ok(unix.Fallocate(int(g.Fd()), 0, 0, 12*4096))
	if err := unix.Fallocate(int(old.Fd()), 0, 0, 1); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("no block was left: %v", err)
	}
	b.end(id, 3)
	b.put(old, strings.Repeat("o", 8192), 0)
}

func TestErrorByName(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	b.ok(os.Mkdir(b.path("d"), 0o755))
	b.write("d/bad", "text", true)
	b.write("d/good", "text", true)
	b.want("d/bad", "text")
	read := b.begin(disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Read}, Path: "d/b*"})
	write := b.begin(disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Write}, Path: "good", Skip: 1, Times: 1})
	b.want("d/bad", "input/output error")
	b.want("d/good", "text")
	f := b.open("d/good")
	b.put(f, "T", 0)
	if _, err := f.WriteAt([]byte("E"), 1); !errors.Is(err, syscall.EIO) {
		t.Errorf("the second write says %v", err)
	}
	b.put(f, "E", 1)
	b.want("d/good", "TExt")
	e, err := b.Lift(b.ctx, read)
	b.ok(err)
	if e.Hits < 1 {
		t.Errorf("effect %+v", e)
	}
	b.end(write, 1)
	b.want("d/bad", "text")
	name := b.begin(disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Name}, Path: "d/good"})
	if err := os.Remove(b.path("d/good")); !errors.Is(err, syscall.EIO) {
		t.Errorf("the removal says %v", err)
	}
	b.end(name, 1)
}

// TestOddsComeFromTheSeed: the same operations are hit each time.
func TestOddsComeFromTheSeed(t *testing.T) {
	t.Parallel()
	var runs []string
	for range 2 {
		b := startDisk(t)
		f, hits := b.open("f"), ""
		id := b.begin(disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Write}, Odds: 300})
		for range 60 {
			_, err := f.WriteAt([]byte("x"), 0)
			hits += map[bool]string{true: ".", false: "!"}[err == nil]
		}
		b.end(id, int64(strings.Count(hits, "!")))
		runs = append(runs, hits)
	}
	if runs[0] != runs[1] || strings.Count(runs[0], "!") < 5 || strings.Count(runs[0], ".") < 20 {
		t.Errorf("two runs of one seed:\n%s\n%s", runs[0], runs[1])
	}
}

func TestFlipIsDurableAndSeen(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	text := strings.Repeat("a", 70000)
	b.write("f", text, true)
	b.write("empty", "", true)
	f := b.open("f")
	m, err := unix.Mmap(int(f.Fd()), 0, len(text), unix.PROT_READ, unix.MAP_SHARED)
	b.ok(err)
	defer func() { b.ok(unix.Munmap(m)) }()
	if !bytes.Equal(m, []byte(text)) {
		t.Fatal("the map shows something else")
	}
	e, err := b.Flip(b.ctx, disk.Flip{Offset: -1, Bit: 3})
	b.ok(err)
	at, want := e.Off, byte('a'^8)
	if m[at] != want || bytes.Count(m, []byte("a")) != len(text)-1 {
		t.Errorf("the map shows %q at %d", m[at], at)
	}
	b.ok(f.Close())
	if _, err := b.Flip(b.ctx, disk.Flip{Path: "f", Offset: 70000}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a flip behind the end: %v", err)
	}
	if _, err := b.Flip(b.ctx, disk.Flip{Path: "none*", Offset: -1}); !errs.Is(err, errs.NotFound) {
		t.Errorf("a flip of nothing: %v", err)
	}
	if got := b.read("f"); got[at] != want {
		t.Errorf("the file has %q at %d", got[at], at)
	}
}

func TestStaleFolder(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	b.ok(os.Mkdir(b.path("d"), 0o750))
	b.write("d/f", "first", false)
	b.ok(b.Save(b.ctx, "monday"))
	b.write("d/f", "second", true)
	b.write("later", "x", true)
	b.ok(b.Put(b.ctx, "monday"))
	b.want("d/f", "first")
	b.want("later", "no such file or directory")
	if lost := b.lose(disk.Loss{}); lost.Any() {
		t.Errorf("what was put back is durable, and lost %+v", lost)
	}
	b.want("d/f", "first")
	info, err := os.Stat(b.path("d"))
	b.ok(err)
	if info.Mode().Perm() != 0o750 {
		t.Errorf("the folder has mode %v", info.Mode())
	}
	if err := b.Put(b.ctx, "sunday"); !errs.Is(err, errs.NotFound) {
		t.Errorf("what was not saved: %v", err)
	}
	if err := b.Save(b.ctx, "../x"); !errs.Is(err, errs.Invalid) {
		t.Errorf("a bad name: %v", err)
	}
}

func TestTornWrites(t *testing.T) {
	t.Parallel()
	seen := map[int64]bool{}
	for _, unit := range []int64{512, 4096} {
		b := startDisk(t)
		const length = 8 * 4096
		for range 12 {
			b.write("f", strings.Repeat("o", length), true)
			f := b.open("f")
			b.put(f, strings.Repeat("1", 4096), 0)
			b.put(f, strings.Repeat("2", 6*4096), 100) // neither begins nor ends with a unit
			b.ok(f.Close())
			lost := b.lose(disk.Loss{Keep: disk.KeepTorn, Unit: unit})
			got := b.read("f")
			kept := int64(strings.Count(got, "2"))
			if want := strings.Repeat("o", 100) + strings.Repeat("2", int(kept)) + strings.Repeat("o", length-100-int(kept)); got != want {
				t.Fatalf("%d bytes survived, not in one piece", kept)
			}
			if end := 100 + kept; kept > 0 && end%unit != 0 && end != 100+6*4096 {
				t.Errorf("torn at %d, in the middle of a unit of %d", end, unit)
			}
			if lost.KeptBytes != kept || lost.Bytes != 100+6*4096-kept {
				t.Errorf("%+v, but %d bytes survived", lost, kept)
			}
			seen[kept] = true
		}
	}
	if len(seen) < 8 {
		t.Errorf("only these lengths survived: %v", seen)
	}
}

// TestNothingAfterACut: what works on the disk gets no further, and the trace
// ends.
func TestNothingAfterACut(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	p := b.run("sync", b.path("f"))
	p.until("synced 5")
	b.ok(b.Cut(b.ctx))
	before, err := b.Status(b.ctx)
	b.ok(err)
	for range 100 { // each takes longer than a round of the victim's
		s, err := b.Status(b.ctx)
		b.ok(err)
		if !s.Cut || s.Writes != before.Writes || s.Syncs != before.Syncs {
			t.Fatalf("after the cut %+v, then %+v", before, s)
		}
	}
	tr, err := b.Trace(b.ctx, 0, 0)
	b.ok(err)
	if last := tr.Events[len(tr.Events)-1]; last.Op != "cut" {
		t.Errorf("after the cut there is %+v", last)
	}
	acked := 5
	for _, l := range p.kill() {
		_, err := fmt.Sscanf(l, "synced %d", &acked)
		b.ok(err)
	}
	b.lose(disk.Loss{})
	if n, err := strconv.Atoi(b.read("f")); err != nil || n < acked || n > acked+1 {
		t.Errorf("%d was acknowledged, the disk has %d %v", acked, n, err)
	}
}

// TestUnitsAreWhole: a write of one unit survives whole or not at all.
func TestUnitsAreWhole(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	seen := map[string]int{}
	for range 16 {
		b.write("f", strings.Repeat("o", 4096), true)
		b.write("f", strings.Repeat("n", 4096), false)
		b.lose(disk.Loss{Keep: disk.KeepTorn})
		seen[b.read("f")]++
	}
	if len(seen) != 2 || seen[strings.Repeat("o", 4096)] == 0 || seen[strings.Repeat("n", 4096)] == 0 {
		t.Errorf("%d outcomes", len(seen))
	}
}

// TestBound: more than is kept track of counts as written back, and is said.
func TestBound(t *testing.T) {
	t.Parallel()
	b := startDisk(t, func(o *disk.Options) { o.MaxUndo, o.MaxNames = 64<<10, 20 })
	b.write("f", strings.Repeat("o", 100<<10), true)
	f := b.open("f")
	b.put(f, strings.Repeat("n", 20<<10), 0)
	b.put(f, strings.Repeat("n", 60<<10), 20<<10)
	b.put(f, strings.Repeat("l", 10<<10), 90<<10)
	b.ok(f.Close())
	for n := range 30 {
		b.write("g"+strings.Repeat("x", n), "", false)
	}
	s, err := b.Status(b.ctx)
	b.ok(err)
	if s.Undo > 64<<10 || s.Dirty.Names > 20 {
		t.Errorf("kept %d bytes and %d names", s.Undo, s.Dirty.Names)
	}
	lost, err := b.PowerLoss(b.ctx, disk.Loss{})
	if !errs.Is(err, errs.TooLarge) || lost.Spilled.Bytes != 80<<10 || lost.Spilled.Names < 10 {
		t.Errorf("lost %+v, %v", lost, err)
	}
	b.want("f", strings.Repeat("n", 80<<10)+strings.Repeat("o", 20<<10))
	if lost := b.lose(disk.Loss{}); lost.Spilled.Bytes != 0 {
		t.Errorf("the next loss still says %+v", lost)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	b := startDisk(t)
	for _, f := range []disk.Fault{
		{}, {Kind: "bad"}, {Kind: disk.Error, Ops: []disk.Op{"stat"}}, {Kind: disk.Slow}, {Kind: disk.Error, Path: "["},
		{Kind: disk.Full, Times: 1}, {Kind: disk.Hang, Drop: true}, {Kind: disk.Error, Odds: 1001}, {Kind: disk.Error, Room: 1},
		{Kind: disk.Cut, Times: 2}, {Kind: disk.Error, Skip: -1}, {Kind: disk.Slow, Delay: 2 * time.Hour},
	} {
		if id, err := b.Add(b.ctx, f); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v was taken as %d: %v", f, id, err)
		}
	}
	for _, l := range []disk.Loss{{Keep: "all"}, {Unit: 1}, {Writes: 17}, {Writes: -1}} {
		if _, err := b.PowerLoss(b.ctx, l); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	if _, err := b.Lift(b.ctx, 5); !errs.Is(err, errs.NotFound) {
		t.Errorf("lifted what is not there: %v", err)
	}
	if _, err := b.Flip(b.ctx, disk.Flip{Bit: 8}); !errs.Is(err, errs.Invalid) {
		t.Errorf("flipped a ninth bit: %v", err)
	}
	for range maxStanding {
		b.begin(disk.Fault{Kind: disk.Hang, Path: "none"})
	}
	if _, err := b.Add(b.ctx, disk.Fault{Kind: disk.Hang}); !errs.Is(err, errs.Busy) {
		t.Errorf("one fault too many: %v", err)
	}
}
