package cluster

import (
	"cmp"
	"slices"
)

// Order checks, in time that grows with the history only, the order that the
// product itself shows by X-Index: an operation that began after another had
// its answer never has a lower index, whoever answered.
type Order struct{}

// Name implements Checker.
func (Order) Name() string { return "order by index" }

// Check implements Checker.
func (c Order) Check(v Evidence) []Finding {
	f := findings{checker: c.Name()}
	var done []Op
	for _, op := range v.Ops {
		if op.Outcome == OK && op.Index > 0 {
			done = append(done, op)
		}
	}
	byCall := slices.SortedFunc(slices.Values(done), func(a, b Op) int { return cmp.Compare(a.Call, b.Call) })
	byReturn := slices.SortedFunc(slices.Values(done), func(a, b Op) int { return cmp.Compare(a.Return, b.Return) })
	var newest Op // the highest index of all that had their answer
	next := 0
	for _, op := range byCall {
		for ; next < len(byReturn) && byReturn[next].Return < op.Call; next++ {
			if byReturn[next].Index > newest.Index {
				newest = byReturn[next]
			}
		}
		if op.Index < newest.Index {
			f.add([]int{newest.Number, op.Number}, "%s at %s had index %d, and %s at %s, which began %d us later, has %d",
				newest.Action, newest.Node, newest.Index, op.Action, op.Node, (op.Call-newest.Return)/1000, op.Index)
		}
	}
	return f.list
}
