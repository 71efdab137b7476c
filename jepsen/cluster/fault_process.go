package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// Whom says which control nodes a fault is done to.
type Whom string

// The choices.
const (
	Leader   Whom = "leader"
	Follower Whom = "follower"
	One      Whom = "one"
	Majority Whom = "majority"
	All      Whom = "all"
)

// choose picks them.
func (w Whom) choose(ctx context.Context, e *Env, rng *rand.Rand) ([]*testbed.Host, error) {
	all := e.Cloud.Controls
	switch w {
	case Leader:
		l, err := e.Cloud.Leader(ctx)
		if err != nil {
			return nil, err
		}
		return []*testbed.Host{l}, nil
	case Follower:
		l, err := e.Cloud.Leader(ctx)
		if err != nil {
			return nil, err
		}
		return some(rng, slices.DeleteFunc(slices.Clone(all), func(h *testbed.Host) bool { return h == l }), 1), nil
	case One:
		return some(rng, all, 1), nil
	case Majority:
		return some(rng, all, len(all)/2+1), nil
	}
	return all, nil
}

// kill ends control nodes with SIGKILL and starts them again.
type kill struct {
	whom Whom
	hit  []*testbed.Host
}

// Kill is death without a warning.
func Kill(w Whom) func() Fault { return func() Fault { return &kill{whom: w} } }

func (f *kill) Name() string { return "kill " + string(f.whom) }

func (f *kill) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	for _, h := range f.hit {
		err = errors.Join(err, h.Kill("control"))
	}
	return names(f.hit...), err
}

func (f *kill) End(_ context.Context, e *Env) (string, error) { return gone(f.hit), restart(e, f.hit) }

// gone tells how many control nodes do not run, if none does.
func gone(hosts []*testbed.Host) string {
	for _, h := range hosts {
		if p, err := h.Process("control"); err == nil && p.Running() {
			return ""
		}
	}
	return fmt.Sprintf("%d gone", len(hosts))
}

func restart(e *Env, hosts []*testbed.Host) (err error) {
	for _, h := range hosts {
		err = errors.Join(err, e.Cloud.LaunchControl(h))
	}
	return err
}

// stop ends control nodes in good order and starts them again.
type stop struct {
	whom Whom
	hit  []*testbed.Host
}

// Stop is what an operator does: a node hands over what it has, and ends.
func Stop(w Whom) func() Fault { return func() Fault { return &stop{whom: w} } }

func (f *stop) Name() string { return "stop " + string(f.whom) }

func (f *stop) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	for _, h := range f.hit {
		err = errors.Join(err, h.Stop(ctx, "control"))
	}
	return names(f.hit...), err
}

func (f *stop) End(_ context.Context, e *Env) (string, error) { return gone(f.hit), restart(e, f.hit) }

// pause stops control nodes with SIGSTOP for a while.
type pause struct {
	whom Whom
	hit  []*testbed.Host
}

// Pause stops processes in the midst of what they do: to themselves, no time
// passes.
func Pause(w Whom) func() Fault { return func() Fault { return &pause{whom: w} } }

func (f *pause) Name() string { return "pause " + string(f.whom) }

func (f *pause) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	for _, h := range f.hit {
		err = errors.Join(err, h.Pause("control"))
	}
	return names(f.hit...), err
}

func (f *pause) End(_ context.Context, _ *Env) (effect string, err error) {
	paused := 0
	for _, h := range f.hit {
		if p, err := h.Process("control"); err == nil && p.State() == 'T' {
			paused++
		}
		err = errors.Join(err, h.Resume("control"))
	}
	if paused == len(f.hit) {
		effect = fmt.Sprintf("%d in state T", paused)
	}
	return effect, err
}
