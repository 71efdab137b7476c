package cluster

import (
	"cmp"
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
	log, err := renames(v.Log)
	if err != nil {
		f.add(nil, "the log is not readable: %v", err)
		return f.list
	}
	if len(v.Log) == 0 {
		f.add(nil, "there is no log")
		return f.list
	}
	b := book{first: v.Log[0].Index, whole: v.Log[0].Kind == "cluster.init/1"}
	written := map[string][]rename{}
	history := map[string][]rename{}
	for _, e := range log {
		written[e.name] = append(written[e.name], e)
		history[e.server] = append(history[e.server], e)
	}
	for _, op := range v.Ops {
		switch {
		case op.Action == Write:
			b.write(&f, op, written[op.Values[0]])
		case op.Action == Read && op.Outcome == OK:
			b.read(&f, op, op.Key, op.Values[0], history[op.Key])
		case op.Action == Scan && op.Outcome == OK:
			for _, pair := range op.Values {
				key, value, _ := strings.Cut(pair, "=")
				b.read(&f, op, key, value, history[key])
			}
		}
	}
	return f.list
}

// book says how far back the log goes.
type book struct {
	first uint64
	// whole: nothing was compacted away.
	whole bool
}

func (b book) write(f *findings, op Op, at []rename) {
	me := []int{op.Number}
	switch {
	case len(at) > 1:
		f.add(me, "%s was asked for once and stands in the log %d times, first at %d and %d", op.Values[0], len(at), at[0].Index, at[1].Index)
	case op.Outcome == Fail && len(at) == 1:
		f.add(me, "%s was said to have failed (%d %s) and stands in the log at %d", op.Values[0], op.Status, op.Error, at[0].Index)
	case op.Outcome == OK && len(at) == 0 && b.whole: // an answer's index may be later than the entry's
		f.add(me, "%s was acknowledged at index %d and is not in the log", op.Values[0], op.Index)
	case op.Outcome == OK && len(at) == 1 && at[0].Index > op.Index:
		f.add(me, "%s was acknowledged at index %d and stands in the log at %d", op.Values[0], op.Index, at[0].Index)
	}
}

func (b book) read(f *findings, op Op, key, value string, of []rename) {
	if op.Index < b.first {
		return // before the log begins
	}
	next, _ := slices.BinarySearchFunc(of, op.Index+1, func(r rename, index uint64) int { return cmp.Compare(r.Index, index) })
	if next == 0 {
		if b.whole && value != unnamed {
			f.add([]int{op.Number}, "%s at index %d was read as %s, and nothing was written before", key, op.Index, value)
		}
		return
	}
	if want := of[next-1]; want.name != value {
		f.add([]int{op.Number}, "%s at index %d was read as %s, and the last write before, at %d, is %s", key, op.Index, value, want.Index, want.name)
	}
}
