package cluster

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// deed is one operation of a model: at one moment between call and return it is
// done, if it is.
type deed struct {
	op  Op
	at  int64
	act func() // what it does to the model's state; nil for nothing
	ack func() // what is done when it returns; nil for nothing
}

// play lets clients do operations, one after the other each, with chance in how
// long they take, when they are done, and what is known of it. plan gives an
// operation, and what is done with the model then.
func play(t *rapid.T, plan func(client int) (Op, func(op *Op))) []*deed {
	var all []*deed
	n := rapid.IntRange(1, 4).Draw(t, "clients")
	for client := range n {
		now := int64(1000)
		for range rapid.IntRange(1, 10).Draw(t, "operations") {
			op, act := plan(client)
			op.Client, op.Node = client, fmt.Sprintf("c%d", 1+client%3)
			op.Call = now + rapid.Int64Range(0, 30).Draw(t, "pause")
			op.Return = op.Call + rapid.Int64Range(0, 60).Draw(t, "took")
			d := &deed{op: op, at: rapid.Int64Range(op.Call, op.Return).Draw(t, "moment")}
			d.op.Outcome = rapid.SampledFrom([]Outcome{OK, OK, OK, OK, OK, OK, Fail, Info}).Draw(t, "outcome")
			switch {
			case d.op.Outcome == OK:
				d.act = func() { act(&d.op) }
			case d.op.Outcome == Info && rapid.Bool().Draw(t, "done"):
				d.at += rapid.Int64Range(0, 300).Draw(t, "late")
				d.act = func() { act(new(Op)) }
			}
			if d.op.Outcome != OK {
				d.op.Status = 503
			}
			now = d.op.Return
			all = append(all, d)
		}
	}
	return all
}

// afterwards adds operations that are done one after the other when all is
// over, so that every story has an end of which everything is known.
func afterwards(all []*deed, list ...func() (Op, func(op *Op))) []*deed {
	now := int64(0)
	for _, d := range all {
		now = max(now, d.op.Return, d.at)
	}
	for _, make := range list {
		op, act := make()
		op.Client, op.Node, op.Call, op.Return, op.Outcome = 99, "c1", now+10, now+20, OK
		d := &deed{op: op, at: now + 15}
		d.act = func() { act(&d.op) }
		all = append(all, d)
		now += 20
	}
	return all
}

// live does what is done, in its order, and gives the history.
func live(all []*deed) (out []Op) {
	type moment struct {
		at  int64
		act func()
	}
	var moments []moment
	for _, d := range all {
		if d.act != nil {
			moments = append(moments, moment{d.at, d.act})
		}
		if d.ack != nil {
			moments = append(moments, moment{d.op.Return, d.ack})
		}
	}
	slices.SortStableFunc(moments, func(a, b moment) int { return int(a.at - b.at) })
	for _, m := range moments {
		m.act()
	}
	slices.SortStableFunc(all, func(a, b *deed) int { return int(a.op.Return - b.op.Return) })
	for i, d := range all {
		d.op.Number = i + 1
		out = append(out, d.op)
	}
	return out
}

// cell is registers with their log, as the product ought to be.
type cell struct {
	t     *rapid.T
	keys  []string
	state map[string]string
	log   []LogEntry
	made  int
}

func newCell(t *rapid.T) *cell {
	c := &cell{t: t, state: map[string]string{}}
	c.enter("cluster.init/1", "", nil)
	for i := range rapid.IntRange(1, 3).Draw(t, "keys") {
		key := fmt.Sprintf("k%d", i)
		c.keys = append(c.keys, key)
		c.enter("server.create/1", "c-"+key, []byte(`{}`))
		c.rename(key, initial(key), "n-"+key)
	}
	return c
}

func (c *cell) index() uint64 { return uint64(len(c.log)) }

func (c *cell) enter(kind, request string, body []byte) {
	c.log = append(c.log, LogEntry{Index: c.index() + 1, Term: 1, Kind: kind, Request: request, Body: body})
}

func (c *cell) rename(key, name, request string) {
	c.enter("server.update/1", request, renaming(key, name))
	c.state[key] = name
}

// plan makes a write, a read or a scan.
func (c *cell) plan(int) (Op, func(*Op)) {
	key := rapid.SampledFrom(c.keys).Draw(c.t, "key")
	switch n := rapid.IntRange(0, 9).Draw(c.t, "action"); {
	case n < 5:
		return c.write(key)
	case n < 9:
		return c.read(key)
	}
	return c.scan()
}

func (c *cell) write(key string) (Op, func(*Op)) {
	c.made++
	name := fmt.Sprintf("w%d", c.made)
	op := Op{Action: Write, Key: key, Values: []string{name}}
	return op, func(op *Op) {
		if rapid.IntRange(0, 3).Draw(c.t, "noise") == 0 {
			c.enter("state.checkpoint/1", "", []byte(`{}`))
		}
		c.rename(key, name, "r-"+name)
		if op.Index = c.index(); rapid.IntRange(0, 9).Draw(c.t, "again") == 0 { // offered again: no effect
			c.enter("server.update/1", "r-"+name, renaming(key, name))
			op.Index += rapid.Uint64Range(0, 1).Draw(c.t, "which")
		}
	}
}

func (c *cell) read(key string) (Op, func(*Op)) {
	return Op{Action: Read, Key: key}, func(op *Op) { op.Values, op.Index = []string{c.state[key]}, c.index() }
}

func (c *cell) scan() (Op, func(*Op)) {
	return Op{Action: Scan}, func(op *Op) {
		for _, key := range c.keys {
			op.Values = append(op.Values, key+"="+c.state[key])
		}
		op.Index = c.index()
	}
}

// registersStory is a lawful history of registers, and their log.
func registersStory(t *rapid.T) Evidence {
	c := newCell(t)
	all := play(t, c.plan)
	for _, d := range all {
		if d.op.Action == Write && d.op.Outcome == OK && rapid.Bool().Draw(t, "answered late") {
			d.ack = func() { d.op.Index = c.index() }
		}
	}
	for _, key := range c.keys {
		all = afterwards(all, func() (Op, func(*Op)) { return c.write(key) }, func() (Op, func(*Op)) { return c.write(key) }, func() (Op, func(*Op)) { return c.read(key) })
	}
	all = afterwards(all, c.scan)
	return Evidence{Ops: live(all), Log: c.log, Until: math.MaxInt64}
}

// bag is a set, as the product ought to be.
type bag struct {
	in    map[string]bool
	known []string // whose removal nobody has asked for
	made  int
	index uint64
}

func (b *bag) add() (Op, func(*Op)) {
	b.made++
	key := fmt.Sprintf("n%d", b.made)
	return Op{Action: Add, Key: key}, func(op *Op) {
		b.in[key] = true
		b.index++
		op.Index = b.index
	}
}

func (b *bag) list() (Op, func(*Op)) {
	return Op{Action: List}, func(op *Op) {
		op.Index, op.Values = b.index, append(slices.Sorted(maps.Keys(b.in)), "first")
	}
}

func (b *bag) remove(key string) (Op, func(*Op)) {
	return Op{Action: Remove, Key: key}, func(op *Op) {
		delete(b.in, key)
		b.index++
		op.Index = b.index
	}
}

// setStory is a lawful history of a set. Only what was acknowledged before is
// removed, as the workload does: here, what an earlier phase has added.
func setStory(t *rapid.T) Evidence {
	b := &bag{in: map[string]bool{}, index: 7}
	all := play(t, func(int) (Op, func(*Op)) {
		if rapid.Bool().Draw(t, "add") {
			return b.add()
		}
		return b.list()
	})
	all = afterwards(all, b.add, b.add, b.list)
	ops := live(all)
	for _, op := range ops {
		if op.Action == Add && op.Outcome == OK {
			b.known = append(b.known, op.Key)
		}
	}
	later := play(t, func(int) (Op, func(*Op)) {
		if n := len(b.known); n > 1 && rapid.Bool().Draw(t, "remove") {
			key := b.known[n-1]
			b.known = b.known[:n-1]
			return b.remove(key)
		}
		return b.list()
	})
	later = afterwards(later, func() (Op, func(*Op)) { return b.remove(b.known[0]) }, b.list)
	shift := ops[len(ops)-1].Return + 1000
	for _, d := range later {
		d.op.Call, d.op.Return, d.at = d.op.Call+shift, d.op.Return+shift, d.at+shift
	}
	ops = append(ops, live(later)...)
	for i := range ops {
		ops[i].Number = i + 1
	}
	return Evidence{Ops: ops}
}

// keyring is tokens, as the product ought to be: each is issued, shown by
// anybody, and ended at any time.
type keyring struct{ ended map[string]bool }

func (k *keyring) use(key string) (Op, func(*Op)) {
	return Op{Action: Use, Key: key}, func(op *Op) {
		if op.Status = 200; k.ended[key] {
			op.Outcome, op.Status = Fail, 401
		}
	}
}

func (k *keyring) revoke(key string) (Op, func(*Op)) {
	return Op{Action: Revoke, Key: key}, func(op *Op) {
		if k.ended[key] {
			op.Outcome, op.Status = Fail, 404
		}
		k.ended[key] = true
	}
}

// tokensStory is a lawful history of tokens.
func tokensStory(t *rapid.T) Evidence {
	k := &keyring{ended: map[string]bool{}}
	keys := []string{"t1", "t2", "t3"}
	issue := func(key string) func() (Op, func(*Op)) {
		return func() (Op, func(*Op)) { return Op{Action: Issue, Key: key}, func(*Op) {} }
	}
	all := afterwards(nil, issue("t1"), issue("t2"), issue("t3"))
	all = append(all, play(t, func(int) (Op, func(*Op)) {
		key := rapid.SampledFrom(keys[:2]).Draw(t, "key")
		if rapid.IntRange(0, 4).Draw(t, "action") == 0 {
			return k.revoke(key)
		}
		return k.use(key)
	})...)
	all = afterwards(all, func() (Op, func(*Op)) { return k.use("t3") }, func() (Op, func(*Op)) { return k.revoke("t3") }, func() (Op, func(*Op)) { return k.use("t3") })
	return Evidence{Ops: live(all)}
}

// told shows a history to whoever looks for a checker's mistake.
func told(v Evidence) string {
	var b strings.Builder
	for _, op := range inOrder(v.Ops) {
		fmt.Fprintf(&b, "#%d %d-%d client %d %s %s %v %s @%d\n", op.Number, op.Call, op.Return, op.Client, op.Action, op.Key, op.Values, op.Outcome, op.Index)
	}
	for _, e := range v.Log {
		fmt.Fprintf(&b, "%d %s %s %s\n", e.Index, e.Kind, e.Request, e.Body)
	}
	return b.String()
}
