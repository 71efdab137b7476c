package cluster

import "slices"

// Set checks a set whose elements are added once and removed at most once. A
// list shows every element whose add was acknowledged before the list began,
// unless somebody had asked for its removal before the list ended; none that
// was removed before it began; none that was never added or whose add failed;
// and none twice.
type Set struct{}

// Name implements Checker.
func (Set) Name() string { return "set" }

// element is what became of one.
type element struct{ added, removed *Op }

// Check implements Checker.
func (c Set) Check(v Evidence) []Finding {
	f := findings{checker: c.Name()}
	all := map[string]*element{}
	ops := inOrder(v.Ops)
	for i := range ops {
		op := &ops[i]
		e := all[op.Key]
		if e == nil {
			e = new(element)
			all[op.Key] = e
		}
		switch op.Action {
		case Add:
			e.added = op
		case Remove:
			e.removed = op
		}
	}
	for _, op := range ops {
		if op.Action == List && op.Outcome == OK {
			c.list(&f, op, all)
		}
	}
	return f.list
}

func (Set) list(f *findings, list Op, all map[string]*element) {
	shown := slices.Sorted(slices.Values(list.Values))
	for i, key := range shown {
		e := all[key]
		switch {
		case i > 0 && shown[i-1] == key:
			f.add([]int{list.Number}, "%s is listed twice at %s", key, list.Node)
		case e == nil || e.added == nil:
			continue // made before the run
		case e.added.Outcome == Fail:
			f.add([]int{e.added.Number, list.Number}, "the add of %s failed (%d %s), and it is listed at %s", key, e.added.Status, e.added.Error, list.Node)
		case e.added.Call > list.Return:
			f.add([]int{e.added.Number, list.Number}, "%s is listed at %s before anybody added it", key, list.Node)
		case e.removed != nil && e.removed.Outcome == OK && e.removed.Return < list.Call:
			f.add([]int{e.removed.Number, list.Number}, "%s was removed at %s, and is listed at %s %d ms later", key, e.removed.Node, list.Node, (list.Call-e.removed.Return)/1e6)
		}
	}
	for key, e := range all {
		if e.added == nil || e.added.Outcome != OK || e.added.Return >= list.Call || e.removed != nil && e.removed.Outcome != Fail && e.removed.Call <= list.Return {
			continue
		}
		if _, ok := slices.BinarySearch(shown, key); !ok {
			f.add([]int{e.added.Number, list.Number}, "%s was added at %s, and is not listed at %s %d ms later", key, e.added.Node, list.Node, (list.Call-e.added.Return)/1e6)
		}
	}
}
