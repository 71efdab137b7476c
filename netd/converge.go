package netd

import (
	"context"

	"github.com/kvorum/kvorum/internal/errs"
)

// Kernel is what a plan is made from and carried out on: netd/kernel is the
// host's, netd/fakekernel one in memory.
type Kernel interface {
	// Observe gives all that is ours, and may give more.
	Observe(ctx context.Context) (Have, error)
	// Do carries out one Op. What is already so is success.
	Do(ctx context.Context, op Op) error
}

// Converge brings k to want: one look, one plan, and a second look that must
// find nothing left. It stops at the first Op that fails: the caller calls
// again, and the new plan is made from what is there by then. It gives the
// Ops that were done. Kind Busy means that somebody else changes things at
// the same time, or that an Op does not hold.
func Converge(ctx context.Context, k Kernel, want Config) ([]Op, error) {
	have, err := k.Observe(ctx)
	if err != nil {
		return nil, errs.E("netd.observe", errs.Internal, "", err)
	}
	ops := Plan(want, have)
	for i, op := range ops {
		if err := k.Do(ctx, op); err != nil {
			return ops[:i], errs.E("netd.do", errs.Internal, "the host's network could not be changed: "+op.String(), err)
		}
	}
	if len(ops) == 0 {
		return nil, nil
	}
	if have, err = k.Observe(ctx); err != nil {
		return ops, errs.E("netd.observe", errs.Internal, "", err)
	}
	if left := Plan(want, have); len(left) > 0 {
		return ops, errs.Errorf("netd.converge", errs.Busy, "the host's network does not hold still: %s", left[0])
	}
	return ops, nil
}
