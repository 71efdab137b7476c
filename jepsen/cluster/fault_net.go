package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// partition cuts control nodes off from the other machines, in both
// directions. Clients reach them all the same: what a node answers that does
// not know that it is cut off is the question.
type partition struct {
	whom Whom
	hit  []*testbed.Host
}

// Partition cuts nodes off.
func Partition(w Whom) func() Fault { return func() Fault { return &partition{whom: w} } }

func (f *partition) Name() string { return "partition " + string(f.whom) }

func (f *partition) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	cut := names(f.hit...)
	return cut, e.Cloud.Rack.Partition(ctx, cut, without(names(append(e.Cloud.Controls, e.Cloud.Hosts...)...), cut))
}

func without(all, less []string) (out []string) {
	for _, name := range all {
		if !slices.Contains(less, name) {
			out = append(out, name)
		}
	}
	return out
}

func (f *partition) End(ctx context.Context, e *Env) (effect string, err error) {
	n, err := e.Cloud.Rack.Dropped(ctx)
	if n > 0 {
		effect = fmt.Sprintf("%d frames dropped", n)
	}
	return effect, errors.Join(err, e.Cloud.Rack.Heal(ctx))
}
