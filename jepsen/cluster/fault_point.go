package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// point lets something happen at a failpoint of control nodes.
type point struct {
	whom   Whom
	name   string
	order  Deed
	hit    []*testbed.Host
	before map[string]int64
	dead   bool // the order ends the process
}

// Point orders a deed at a failpoint. One that ends processes is followed by
// their start.
func Point(w Whom, name string, o Deed) func() Fault {
	return func() Fault {
		return &point{whom: w, name: "failpoint:" + name, order: o, before: map[string]int64{}, dead: o.Do == "kill" || o.Do == "panic"}
	}
}

func (f *point) Name() string {
	return f.order.Do + " at " + f.name[len("failpoint:"):] + " of " + string(f.whom)
}

func (f *point) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	for _, h := range f.hit {
		o := e.orders(h, "control")
		if f.before[h.Name()], err = o.met(ctx, f.name); err != nil {
			return names(f.hit...), err
		}
		if err := o.set(ctx, f.name, f.order); err != nil {
			return names(f.hit...), err
		}
	}
	return names(f.hit...), nil
}

// seen tells how many met the order.
func (f *point) seen(ctx context.Context, e *Env) string {
	var met, dead int64
	for _, h := range f.hit {
		if n, err := e.orders(h, "control").met(ctx, f.name); err == nil {
			met += n - f.before[h.Name()]
		} else if p, err := h.Process("control"); err != nil || !p.Running() {
			dead++
		}
	}
	if met+dead == 0 {
		return ""
	}
	return fmt.Sprintf("%d met it, %d died of it", met+dead, dead)
}

func (f *point) End(ctx context.Context, e *Env) (effect string, err error) {
	effect = f.seen(ctx, e)
	for _, h := range f.hit {
		if p, err := h.Process("control"); err == nil && p.Running() {
			if e.orders(h, "control").clear(ctx, f.name) == nil || !f.dead {
				continue
			}
		}
		err = errors.Join(err, e.Cloud.LaunchControl(h))
	}
	return effect, err
}
