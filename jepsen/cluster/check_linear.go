package cluster

import (
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Linear checks by Porcupine that the reads and writes of each register are
// linearizable. It never looks at an index: it would not believe it.
type Linear struct {
	// Limit bounds the time for one register; one that takes longer is
	// undecided.
	Limit time.Duration
}

// Name implements Checker.
func (Linear) Name() string { return "linearizable" }

type registerInput struct {
	write bool
	value string
}

// register is the sequential specification: a read gives the last write.
func register(first string) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(state, input, output any) (bool, any) {
			in := input.(registerInput)
			if in.write {
				return true, in.value
			}
			return output.(string) == state.(string), state
		},
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: describe,
	}
}

func describe(input, output any) string {
	if in := input.(registerInput); in.write {
		return "write " + in.value
	}
	return "read " + output.(string)
}

// Check implements Checker.
func (c Linear) Check(v Evidence) []Finding {
	f := findings{checker: c.Name()}
	for _, key := range registers(v.Ops) {
		ops := registerOps(v.Ops, key)
		result, info := porcupine.CheckOperationsVerbose(register(initial(key)), ops, c.Limit)
		if result == porcupine.Ok {
			continue
		}
		if result == porcupine.Unknown {
			f.put(Finding{Undecided: true, Text: fmt.Sprintf("register %s: no verdict on %d operations within %v", key, len(ops), c.Limit)})
			continue
		}
		text, me := stuck(ops, info)
		one := Finding{Text: fmt.Sprintf("register %s is not linearizable: %s", key, text), Ops: me}
		if name := "register-" + key + ".html"; visualize(register(initial(key)), info, v.file(name)) == nil {
			one.File = name
		}
		f.put(one)
	}
	return f.list
}

// stuck says how far the longest order goes that explains the history, and
// names what it ends with and the first operation that it does not reach.
func stuck(ops []porcupine.Operation, info porcupine.LinearizationInfo) (string, []int) {
	var longest []porcupine.Operation
	for _, part := range info.PartialLinearizationsOperations() {
		for _, order := range part {
			if len(order) > len(longest) {
				longest = order
			}
		}
	}
	fits := map[int]bool{}
	for _, op := range longest {
		fits[op.Metadata.(int)] = true
	}
	var first *porcupine.Operation
	for i := range ops {
		if !fits[ops[i].Metadata.(int)] && (first == nil || ops[i].Return < first.Return) {
			first = &ops[i]
		}
	}
	if first == nil { // porcupine gave no order
		return "nothing fits", nil
	}
	me := []int{first.Metadata.(int)}
	text := fmt.Sprintf("%s (#%d) fits nowhere", describe(first.Input, first.Output), me[0])
	if n := len(longest); n > 0 {
		last := longest[n-1]
		me = append(me, last.Metadata.(int))
		text += fmt.Sprintf(" after the first %d of %d operations, which end with %s (#%d)", n, len(ops), describe(last.Input, last.Output), me[1])
	}
	return text, me
}

func visualize(m porcupine.Model, info porcupine.LinearizationInfo, path string) error {
	w, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := porcupine.Visualize(m, info, w); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close()
}

// registers gives the keys that were written or read, in order.
func registers(ops []Op) []string {
	seen := map[string]bool{}
	for _, op := range ops {
		if op.Action == Write || op.Action == Read {
			seen[op.Key] = true
		}
	}
	out := make([]string, 0, len(seen))
	for key := range seen {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// registerOps gives what counts of one register: what was done, and writes of
// which nobody knows, which may take effect at any later time or never. A
// client that gets no answer goes on, so such a write is one of a client of its
// own.
func registerOps(all []Op, key string) (out []porcupine.Operation) {
	lost := 1 << 20
	for _, op := range all {
		if op.Key != key || op.Action != Write && op.Action != Read {
			continue
		}
		p := porcupine.Operation{ClientId: op.Client, Call: op.Call, Return: op.Return, Metadata: op.Number}
		switch {
		case op.Action == Write && op.Outcome != Fail:
			p.Input, p.Output = registerInput{true, op.Values[0]}, ""
			if op.Outcome == Info {
				lost++
				p.ClientId, p.Return = lost, math.MaxInt64
			}
		case op.Action == Read && op.Outcome == OK:
			p.Input, p.Output = registerInput{}, op.Values[0]
		default:
			continue
		}
		out = append(out, p)
	}
	return slices.DeleteFunc(slices.Clone(out), func(p porcupine.Operation) bool { return implied(out, p) })
}

// implied tells whether another read says as much as p and more: it read the
// same, in a part of the same time. Where that one takes effect, p may too. A
// hundred reads at once would otherwise be a hundred that come in any order.
func implied(all []porcupine.Operation, p porcupine.Operation) bool {
	if p.Input.(registerInput).write {
		return false
	}
	return slices.ContainsFunc(all, func(q porcupine.Operation) bool {
		inside := q.Call >= p.Call && q.Return <= p.Return && (q.Call > p.Call || q.Return < p.Return)
		return inside && !q.Input.(registerInput).write && q.Output == p.Output
	})
}
