package cluster

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

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
		res.Test, res.Seed, res.Seconds, res.Ops, total, seen, strings.Join(faults, " "), 100*res.Unknown, res.Outage, res.Verdict)
	for _, why := range res.Why {
		fmt.Fprintf(&b, "\n     %s", why)
	}
	for _, f := range res.Findings {
		fmt.Fprintf(&b, "\n     %s: %s", f.Checker, f.Text)
	}
	if res.Dir != "" && res.Verdict != Holds {
		fmt.Fprintf(&b, "\n     kept in %s", res.Dir)
	}
	return b.String()
}
