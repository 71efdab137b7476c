package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// dieRestoring cuts a follower off until it needs a snapshot, and lets it die
// in the midst of taking it.
type dieRestoring struct {
	cut  Fault
	node *testbed.Host
}

// DieRestoring needs a log that is compacted often.
func DieRestoring() Fault { return &dieRestoring{cut: Partition(Follower)()} }

func (f *dieRestoring) Name() string { return "kill in the midst of a restore" }

const restoreMiddle = "failpoint:restore.middle"

func (f *dieRestoring) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	on, err := f.cut.Begin(ctx, e, rng)
	if err != nil {
		return on, err
	}
	f.node = e.Control(on[0])
	return on, e.orders(f.node, "control").set(ctx, restoreMiddle, Deed{Do: "kill", Times: 1})
}

func (f *dieRestoring) End(ctx context.Context, e *Env) (effect string, err error) {
	if _, err = f.cut.End(ctx, e); f.node == nil {
		return "", err
	}
	died := e.Wait(ctx, 10*time.Second, "a node to die restoring", func() bool { return gone([]*testbed.Host{f.node}) != "" })
	if died != nil {
		return "", errors.Join(err, e.orders(f.node, "control").clear(ctx, restoreMiddle))
	}
	return "died restoring", errors.Join(err, restart(e, []*testbed.Host{f.node}))
}
