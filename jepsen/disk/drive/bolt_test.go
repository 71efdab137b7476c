package drive

import (
	"strconv"
	"testing"
	"time"

	"github.com/kvorum/kvorum/jepsen/disk"
)

// awaitCut waits until a fault has cut the power.
func (b *bench) awaitCut() {
	b.t.Helper()
	for {
		s, err := b.Status(b.ctx)
		b.ok(err)
		if s.Cut {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestBoltSurvivesPowerLoss cuts the power at every write and sync of a commit
// in turn, with every way to lose, and wants all that was acknowledged, whole,
// and at most the one commit more that was under way.
func TestBoltSurvivesPowerLoss(t *testing.T) {
	t.Parallel()
	losses := []disk.Loss{
		{}, {Keep: disk.KeepTorn, Unit: 512}, {Keep: disk.KeepSome, Unit: 512},
		{Keep: disk.KeepTorn, Writes: 4}, {Keep: disk.KeepSome},
	}
	const rounds, points = 220, 22
	b := startDisk(t)
	path := b.path("db")
	db, err := openBolt(path, false)
	b.ok(err)
	b.ok(db.Close())
	b.syncDir(".")
	var took disk.Lost
	at, more := 0, 0
	for n := range rounds {
		id, err := b.Add(b.ctx, disk.Fault{Kind: disk.Cut, Ops: []disk.Op{disk.Write, disk.Sync}, Path: "db", Skip: n % points})
		b.ok(err)
		p := b.run("bolt", path, strconv.Itoa(at+1))
		b.awaitCut()
		said := p.kill()
		lost := b.lose(losses[n/points%len(losses)])
		took.Bytes, took.KeptBytes = took.Bytes+lost.Bytes, took.KeptBytes+lost.KeptBytes
		b.end(id, 1)
		now, err := readBolt(path)
		if err != nil {
			t.Fatalf("round %d, after %v and %+v: %v", n, said, lost, err)
		}
		acked := max(acknowledged(said), at)
		if now != acked && now != acked+1 {
			t.Fatalf("round %d: acknowledged %d, found %d", n, acked, now)
		}
		more += now - acked
		at = now
	}
	if took.Bytes == 0 || took.KeptBytes == 0 || at < rounds/4 {
		t.Errorf("all losses took %+v, at commit %d: too little to have shown anything", took, at)
	}
	t.Logf("%d losses took %d bytes and left %d; %d commits, %d of them came whole without being acknowledged", rounds, took.Bytes, took.KeptBytes, at, more)
}
