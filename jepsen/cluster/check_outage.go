package cluster

import (
	"cmp"
	"slices"
	"time"
)

// outages gives the longest time in which no operation of any client
// succeeded, and the share of operations with an unknown outcome.
func outages(ops []Op) (longest time.Duration, unknown float64) {
	info := 0
	var returns []int64
	for _, op := range ops {
		switch op.Outcome {
		case OK:
			returns = append(returns, op.Return)
		case Info:
			info++
		}
	}
	slices.Sort(returns)
	for i := 1; i < len(returns); i++ {
		longest = max(longest, time.Duration(returns[i]-returns[i-1]))
	}
	return longest, float64(info) / float64(max(1, len(ops)))
}

// tally counts operations by action and outcome.
func tally(ops []Op) map[Action]map[Outcome]int {
	out := map[Action]map[Outcome]int{}
	for _, op := range ops {
		if out[op.Action] == nil {
			out[op.Action] = map[Outcome]int{}
		}
		out[op.Action][op.Outcome]++
	}
	return out
}

// inOrder sorts operations by when they were called.
func inOrder(ops []Op) []Op {
	return slices.SortedFunc(slices.Values(ops), func(a, b Op) int { return cmp.Compare(a.Call, b.Call) })
}
