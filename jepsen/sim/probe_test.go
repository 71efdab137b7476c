package sim

import (
	"os"
	"testing"
)

func TestProbe(t *testing.T) {
	if os.Getenv("PROBE") == "" {
		t.Skip("by hand")
	}
	for _, v := range []Variant{OwnVerdict, ForgetUptime, BreakPromise, SelfGrant, CountFromAnswer, StandStill} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 24; seed++ {
				r := Run(Config{Seed: seed, Break: v})
				if r.Bad != nil {
					t.Logf("%s seed %d: %s: %s", v, seed, r.Bad.Checker, r.Bad.Detail)
					return
				}
			}
			t.Logf("%s not seen", v)
		})
	}
	for _, x := range []struct {
		v Variant
		c string
	}{{LoseTable, "the state is sound"}, {EarlyConfirm, "one owner on the wire"}} {
		t.Run(x.c, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(13); seed <= 60; seed++ {
				r := Run(Config{Seed: seed, Break: x.v, Only: x.c})
				if r.Bad != nil {
					t.Logf("%s seed %d: %s: %s", x.v, seed, r.Bad.Checker, r.Bad.Detail)
					return
				}
			}
			t.Logf("%s not seen", x.v)
		})
	}
}
