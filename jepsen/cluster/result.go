package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// revision is what is run; the linker sets it.
var revision = "dev"

// Shout is the verdict as people are told it.
func (v Verdict) Shout() string {
	return map[Verdict]string{Holds: "ok", Violated: "VIOLATED", Invalid: "INVALID"}[v]
}

// Again is the command that makes such a run again.
func (res Result) Again() string {
	return fmt.Sprintf("make jepsen T=%s SEED=%d DURATION=%s", res.Test, res.Seed, res.Duration)
}

// String is the result in a line, and more if something is not as it must be.
func (res Result) String() string {
	var faults []string
	total, seen := 0, 0
	for _, name := range slices.Sorted(maps.Keys(res.Faults)) {
		faults = append(faults, fmt.Sprintf("%s:%d", name, res.Faults[name]))
		total += res.Faults[name]
		seen += res.Seen[name]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-4s SEED=%-10d %5.0f s  %6d ops  %3d faults, %d with an effect (%s)  unknown %.2f %%  longest outage %.1f s  %s",
		res.Test, res.Seed, res.Seconds, res.Ops, total, seen, strings.Join(faults, " "), 100*res.Unknown, float64(res.Outage)/1000, res.Verdict.Shout())
	for _, why := range res.Why {
		fmt.Fprintf(&b, "\n     %s", why)
	}
	for _, f := range res.Findings {
		fmt.Fprintf(&b, "\n     %s: %s %s", f.Checker, f.Text, f.File)
	}
	if res.Dir != "" && res.Verdict != Holds {
		fmt.Fprintf(&b, "\n     kept in %s", res.Dir)
	}
	return b.String()
}
