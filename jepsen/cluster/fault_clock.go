package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// skewed puts the clocks of control nodes wrong, each in a way of its own.
type skewed struct {
	whom Whom
	hit  []*testbed.Host
}

// Clocks puts clocks wrong: steps of the wall clock of up to ten minutes,
// drifts of one in a thousand, and, seldom, a jump as after a suspension.
func Clocks(w Whom) func() Fault { return func() Fault { return &skewed{whom: w} } }

func (f *skewed) Name() string { return "clock of " + string(f.whom) }

func (f *skewed) Begin(ctx context.Context, e *Env, rng *rand.Rand) ([]string, error) {
	var err error
	if f.hit, err = f.whom.choose(ctx, e, rng); err != nil {
		return nil, err
	}
	for _, h := range f.hit {
		s := Skew{WallMS: rng.Int64N(1_200_000) - 600_000, Drift: rng.Int64N(2001) - 1000}
		if rng.IntN(4) == 0 {
			s.JumpMS = rng.Int64N(30_000)
		}
		if err := e.orders(h, "control").call(ctx, "PUT", "/clock", s, nil); err != nil {
			return names(f.hit...), err
		}
	}
	return names(f.hit...), nil
}

func (f *skewed) End(ctx context.Context, e *Env) (effect string, err error) {
	if most := f.most(ctx, e); most > 100*time.Millisecond {
		effect = fmt.Sprintf("wrong by up to %v", most.Round(time.Millisecond))
	}
	for _, h := range f.hit {
		err = errors.Join(err, e.orders(h, "control").call(ctx, "PUT", "/clock", Skew{}, nil))
	}
	return effect, err
}

// most is how wrong the worst clock goes.
func (f *skewed) most(ctx context.Context, e *Env) time.Duration {
	var most time.Duration
	for _, h := range f.hit {
		var r reading
		if e.orders(h, "control").call(ctx, "GET", "/clock", nil, &r) != nil {
			continue
		}
		off := time.Duration(r.Wall - e.Clock.Now().UnixNano())
		most = max(most, off, -off)
	}
	return most
}
