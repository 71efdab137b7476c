package cluster

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Replay holds the history of registers against the log on disk, by a model of
// its own. Each write that was acknowledged stands there, once, at an index that
// is no higher than the answer's; one that failed does not stand there; nothing
// stands there twice. Each read gives what the last write at or before its
// index wrote.
type Replay struct{}

// Name implements Checker.
func (Replay) Name() string { return "replay of the log" }

// Check implements Checker.
func (c Replay) Check(v Evidence) []Finding {
	f := findings{checker: c.Name()}
	if len(v.Log) == 0 {
		f.add(nil, "there is no log")
		return f.list
	}
	b, err := open(v)
	if err != nil {
		f.add(nil, "the log is not readable: %v", err)
		return f.list
	}
	for _, op := range v.Ops {
		switch {
		case op.Action == Write:
			b.write(&f, op)
		case op.Action == Read && op.Outcome == OK:
			b.read(&f, op, op.Key, op.Values[0])
		case op.Action == Scan && op.Outcome == OK:
			for _, pair := range op.Values {
				key, value, _ := strings.Cut(pair, "=")
				b.read(&f, op, key, value)
			}
		}
	}
	return f.list
}

// book is the log as registers see it.
type book struct {
	first uint64 // the index at which the log begins
	// whole: nothing was compacted away.
	whole bool
	// named are the entries by what they wrote, of those by the register.
	named, of map[string][]rename
	// sure are the writes that were asked for when the log had begun: no earlier
	// entry of such a request was compacted away.
	sure map[string]bool
}

func open(v Evidence) (b book, err error) {
	log, err := renames(v.Log)
	if err != nil {
		return b, err
	}
	b = book{first: v.Log[0].Index, whole: v.Log[0].Kind == "cluster.init/1", named: map[string][]rename{}, of: map[string][]rename{}, sure: map[string]bool{}}
	for _, e := range log {
		b.named[e.name] = append(b.named[e.name], e)
		b.of[e.server] = append(b.of[e.server], e)
	}
	begun := int64(math.MaxInt64) // when somebody knew of the first index
	for _, op := range v.Ops {
		if op.Outcome == OK && op.Index >= b.first {
			begun = min(begun, op.Return)
		}
	}
	for _, op := range v.Ops {
		if op.Action == Write {
			b.sure[op.Values[0]] = op.Call > begun
		}
	}
	return b, nil
}

func (b book) write(f *findings, op Op) {
	me, name := []int{op.Number}, op.Values[0]
	at := b.named[name]
	switch {
	case len(at) > 1:
		f.add(me, "%s was asked for once and stands in the log %d times, first at %d and %d", name, len(at), at[0].Index, at[1].Index)
	case op.Outcome == Fail && len(at) == 1:
		f.add(me, "%s was said to have failed (%d %s) and stands in the log at %d", name, op.Status, op.Error, at[0].Index)
	case op.Outcome == OK && len(at) == 0 && (b.whole || b.sure[name]): // an answer's index may be later than the entry's
		f.add(me, "%s was acknowledged at index %d and is not in the log", name, op.Index)
	case op.Outcome == OK && len(at) == 1 && at[0].Index > op.Index && (b.whole || b.sure[name]):
		f.add(me, "%s was acknowledged at index %d and stands in the log at %d", name, op.Index, at[0].Index)
	}
}

// read looks from the last entry before backwards. In a log that is not whole,
// an entry may repeat one that was compacted away, and has changed nothing then.
func (b book) read(f *findings, op Op, key, value string) {
	if op.Index < b.first {
		return // before the log begins
	}
	of := b.of[key]
	next, _ := slices.BinarySearchFunc(of, op.Index+1, func(r rename, index uint64) int { return cmp.Compare(r.Index, index) })
	for i := next - 1; i >= 0; i-- {
		if of[i].name == value {
			return
		}
		if b.whole || b.sure[of[i].name] {
			f.add([]int{op.Number}, "%s at index %d was read as %s, and the last write before, at %d, is %s", key, op.Index, value, of[i].Index, of[i].name)
			return
		}
	}
	if b.whole && value != unnamed {
		f.add([]int{op.Number}, "%s at index %d was read as %s, and nothing was written before", key, op.Index, value)
	}
}
