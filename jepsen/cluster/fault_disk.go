package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kvorum/kvorum/jepsen/disk"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// powerLoss takes the power from control nodes at one moment: what they had not
// synced is gone when they are back.
type powerLoss struct {
	whom Whom
	hit  []*testbed.Host
	loss disk.Loss
}

// PowerLoss needs disks that can be broken.
func PowerLoss(w Whom) func() Fault { return func() Fault { return &powerLoss{whom: w} } }

func (f *powerLoss) Name() string { return "power loss of " + string(f.whom) }

func (f *powerLoss) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	f.loss = disk.Loss{Keep: []disk.Keep{disk.KeepNone, disk.KeepTorn, disk.KeepSome}[rng.IntN(3)], Unit: []int64{512, 4096}[rng.IntN(2)], Writes: 1 + rng.IntN(4)}
	for _, h := range f.hit {
		err = errors.Join(err, e.Disks[h.Name()].Cut(ctx))
	}
	for _, h := range f.hit {
		err = errors.Join(err, h.Kill("control"))
	}
	return names(f.hit...), err
}

func (f *powerLoss) End(ctx context.Context, e *Env) (effect string, err error) {
	var lost disk.Lost
	for _, h := range f.hit {
		l, bad := e.Disks[h.Name()].PowerLoss(ctx, f.loss)
		err = errors.Join(err, bad)
		lost.Bytes += l.Bytes
		lost.Names += l.Names
		lost.Files += l.Files
	}
	if err == nil {
		err = restart(e, f.hit)
	}
	if lost.Any() {
		effect = fmt.Sprintf("%d bytes of %d files and %d names lost (%s)", lost.Bytes, lost.Files, lost.Names, f.loss.Keep)
	}
	return effect, err
}

// sickDisk lets a disk do something wrong for a while. A node that gives up
// because of it is started again.
type sickDisk struct {
	name string
	whom Whom
	with disk.Fault
	hit  []*testbed.Host
	ids  []int
}

func sick(name string, w Whom, with disk.Fault) func() Fault {
	return func() Fault { return &sickDisk{name: name + " of " + string(w), whom: w, with: with} }
}

// FailSync fails one sync; what was to be written is gone.
func FailSync(w Whom) func() Fault {
	return sick("failed sync", w, disk.Fault{Kind: disk.Error, Ops: []disk.Op{disk.Sync}, Times: 1, Drop: true})
}

// HangSync lets syncs hang.
func HangSync(w Whom) func() Fault {
	return sick("hanging sync", w, disk.Fault{Kind: disk.Hang, Ops: []disk.Op{disk.Sync}})
}

// SlowSync lets each sync take a quarter of a second and more.
func SlowSync(w Whom) func() Fault {
	return sick("slow sync", w, disk.Fault{Kind: disk.Slow, Ops: []disk.Op{disk.Sync}, Delay: 250 * time.Millisecond, Jitter: 250 * time.Millisecond})
}

// FullDisk leaves 64 KiB.
func FullDisk(w Whom) func() Fault {
	return sick("full disk", w, disk.Fault{Kind: disk.Full, Room: 64 << 10})
}

func (f *sickDisk) Name() string { return f.name }

func (f *sickDisk) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	for _, h := range f.hit {
		id, err := e.Disks[h.Name()].Add(ctx, f.with)
		if err != nil {
			return names(f.hit...), err
		}
		f.ids = append(f.ids, id)
	}
	return names(f.hit...), nil
}

func (f *sickDisk) End(ctx context.Context, e *Env) (effect string, err error) {
	var hits uint64
	for i, id := range f.ids {
		got, bad := e.Disks[f.hit[i].Name()].Lift(ctx, id)
		err = errors.Join(err, bad)
		hits += uint64(got.Hits)
	}
	if hits > 0 {
		effect = fmt.Sprintf("%d calls met it", hits)
	}
	// A node whose log cannot be trusted ends itself, a moment later.
	e.Pause(ctx, 500*time.Millisecond)
	for _, h := range f.hit {
		if gone([]*testbed.Host{h}) != "" {
			effect += "; " + h.Name() + " ended"
			err = errors.Join(err, restart(e, []*testbed.Host{h}))
		}
	}
	return effect, err
}
