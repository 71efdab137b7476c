package cluster

import (
	"slices"
	"strings"
	"time"
)

// Failover checks how long nobody could write after the leader was killed or
// stopped. The figures are the promise's (p99), with as much again for the
// machine that all nodes share here.
type Failover struct{}

// The bounds.
const (
	afterKill = 6 * time.Second
	afterStop = 2 * time.Second
)

// Name implements Checker.
func (Failover) Name() string { return "failover" }

// Check implements Checker.
func (c Failover) Check(v Evidence) []Finding {
	f := findings{checker: c.Name()}
	var writes []Op
	for _, op := range v.Ops {
		if op.Action.mutates() && op.Outcome == OK {
			writes = append(writes, op)
		}
	}
	slices.SortFunc(writes, func(a, b Op) int { return int(a.Return - b.Return) })
	for _, e := range v.Events {
		bound := afterKill
		if strings.HasPrefix(e.Name, "stop") {
			bound = afterStop
		}
		if !e.Begins {
			continue
		}
		if gap := longestGap(writes, e.At, min(e.At+2*int64(bound), v.Until)); gap > bound {
			f.add(nil, "%s on %v at %.1f s: no write was acknowledged for %v; the bound is %v", e.Name, e.On, float64(e.At)/1e9, gap.Round(time.Millisecond), bound)
		}
	}
	return f.list
}

// longestGap is the longest time without a write within a span.
func longestGap(writes []Op, from, to int64) (longest time.Duration) {
	last := from
	for _, op := range writes {
		if op.Return < from {
			continue
		}
		if op.Return > to {
			break
		}
		longest = max(longest, time.Duration(op.Return-last))
		last = op.Return
	}
	return max(longest, time.Duration(to-last))
}
