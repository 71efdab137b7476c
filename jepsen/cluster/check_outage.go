package cluster

import (
	"cmp"
	"slices"
	"time"
)

// outages gives the longest time in which no operation of any client
// succeeded, while there were clients, and the share of operations with an
// unknown outcome.
func outages(v Evidence) (longest time.Duration, unknown float64) {
	info := 0
	var returns []int64
	for _, op := range v.Ops {
		switch {
		case op.Outcome == OK && op.Call <= v.Until:
			returns = append(returns, op.Return)
		case op.Outcome == Info:
			info++
		}
	}
	slices.Sort(returns)
	if n := len(returns); n > 0 {
		returns = append(returns, max(v.Until, returns[n-1]))
	}
	for i := 1; i < len(returns); i++ {
		longest = max(longest, time.Duration(returns[i]-returns[i-1]))
	}
	return longest, float64(info) / float64(max(1, len(v.Ops)))
}

// inOrder sorts operations by when they were called.
func inOrder(ops []Op) []Op {
	return slices.SortedFunc(slices.Values(ops), func(a, b Op) int { return cmp.Compare(a.Call, b.Call) })
}
