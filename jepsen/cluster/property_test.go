package cluster

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	linear = Linear{Limit: time.Minute}
	// judges are all checkers of registers.
	judges = []Checker{linear, Order{}, Replay{}}
)

// TestLawfulStoriesPass: a history that a correct product could show is not
// complained of, whatever failed, was late, or is not known.
func TestLawfulStoriesPass(t *testing.T) {
	for name, c := range map[string]struct {
		story    func(*rapid.T) Evidence
		checkers []Checker
	}{
		"registers":                  {registersStory, judges},
		"registers, a compacted log": {compacted, judges},
		"a set":                      {setStory, []Checker{Set{}, Order{}}},
		"tokens":                     {tokensStory, []Checker{TokenLife{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			rapid.Check(t, func(t *rapid.T) {
				v := c.story(t)
				v.Dir = dir
				for _, checker := range c.checkers {
					if found := checker.Check(v); len(found) > 0 {
						t.Fatalf("%v\n%s", found, told(v))
					}
				}
			})
		})
	}
}

// compacted is a story of registers whose log has lost its beginning.
func compacted(t *rapid.T) Evidence {
	v := registersStory(t)
	v.Log = v.Log[rapid.IntRange(1, len(v.Log)-1).Draw(t, "compacted"):]
	return v
}

// lie changes a lawful history into one that no correct product shows. It
// tells whether there was a place for it.
type lie struct {
	name   string
	plant  func(t *rapid.T, v *Evidence) bool
	caught []Checker // each of them
}

// place picks one of the operations that fit.
func place(t *rapid.T, v *Evidence, fits func(op Op) bool) *Op {
	var at []int
	for i, op := range v.Ops {
		if fits(op) {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return nil
	}
	return &v.Ops[rapid.SampledFrom(at).Draw(t, "place")]
}

// before tells whether an acknowledged write of the key was over at a time.
func before(v *Evidence, key string, at int64) bool {
	return slices.ContainsFunc(v.Ops, func(w Op) bool { return w.Action == Write && w.Outcome == OK && w.Key == key && w.Return < at })
}

// entry is where a value stands in the log.
func entry(v *Evidence, op Op) int {
	return slices.IndexFunc(v.Log, func(e LogEntry) bool { return e.Request == "r-"+op.Values[0] })
}

func is(action Action) func(Op) bool {
	return func(op Op) bool { return op.Action == action && op.Outcome == OK }
}

var lies = map[string][]lie{
	"registers": {
		{"a read of what was overwritten", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, func(op Op) bool { return is(Read)(op) && before(v, op.Key, op.Call) })
			op.Values = []string{initial(op.Key)}
			return true
		}, []Checker{linear, Replay{}}},
		{"a read of what nobody wrote", func(t *rapid.T, v *Evidence) bool {
			place(t, v, is(Read)).Values = []string{"w999"}
			return true
		}, []Checker{linear, Replay{}}},
		{"a scan of what was overwritten", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, func(op Op) bool { return is(Scan)(op) && before(v, "k0", op.Call) })
			op.Values[0] = "k0=" + initial("k0")
			return true
		}, []Checker{Replay{}}},
		{"a failed write that was read", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, func(op Op) bool {
				return is(Write)(op) && slices.ContainsFunc(v.Ops, func(r Op) bool { return is(Read)(r) && r.Values[0] == op.Values[0] })
			})
			op.Outcome = Fail
			return true
		}, []Checker{linear, Replay{}}},
		{"an acknowledged write that is not in the log", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, is(Write))
			v.Log = slices.DeleteFunc(v.Log, func(e LogEntry) bool { return e.Request == "r-"+op.Values[0] })
			return true
		}, []Checker{Replay{}}},
		{"a write that was done twice", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, is(Write))
			again := v.Log[entry(v, *op)]
			again.Index, again.Request = v.Log[len(v.Log)-1].Index+1, "r-again"
			v.Log = append(v.Log, again)
			return true
		}, []Checker{Replay{}}},
		{"an answer before the entry", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, is(Write))
			op.Index = v.Log[entry(v, *op)].Index - 1
			return true
		}, []Checker{Replay{}}},
		{"an index that goes back", func(t *rapid.T, v *Evidence) bool {
			old := place(t, v, is(Write))
			op := place(t, v, func(op Op) bool { return op.Outcome == OK && op.Call > old.Return })
			if op != nil {
				op.Index = old.Index - 1
			}
			return op != nil
		}, []Checker{Order{}}},
	},
	"a set": {
		{"an element that is lost", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, func(op Op) bool { return is(List)(op) && len(certain(v, op)) > 0 })
			if op != nil {
				lost := rapid.SampledFrom(certain(v, *op)).Draw(t, "lost")
				op.Values = slices.DeleteFunc(slices.Clone(op.Values), func(key string) bool { return key == lost })
			}
			return op != nil
		}, []Checker{Set{}}},
		{"an element that comes back", func(t *rapid.T, v *Evidence) bool {
			gone := place(t, v, is(Remove))
			op := place(t, v, func(op Op) bool { return is(List)(op) && op.Call > gone.Return })
			op.Values = append(slices.Clone(op.Values), gone.Key)
			return true
		}, []Checker{Set{}}},
		{"an element whose add failed", func(t *rapid.T, v *Evidence) bool {
			failed := place(t, v, func(op Op) bool { return op.Action == Add && op.Outcome == Fail })
			if failed != nil {
				op := place(t, v, is(List))
				op.Values = append(slices.Clone(op.Values), failed.Key)
			}
			return failed != nil
		}, []Checker{Set{}}},
		{"an element that nobody has added yet", func(t *rapid.T, v *Evidence) bool {
			early := place(t, v, is(List))
			op := place(t, v, func(op Op) bool { return is(Add)(op) && op.Call > early.Return })
			if op != nil {
				early.Values = append(slices.Clone(early.Values), op.Key)
			}
			return op != nil
		}, []Checker{Set{}}},
		{"an element twice", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, is(List))
			op.Values = append(slices.Clone(op.Values), op.Values[0])
			return true
		}, []Checker{Set{}}},
	},
	"tokens": {
		{"a token that lives on", func(t *rapid.T, v *Evidence) bool {
			end := place(t, v, is(Revoke))
			op := place(t, v, func(op Op) bool { return op.Action == Use && op.Key == end.Key && op.Call > end.Return })
			if op != nil {
				op.Outcome, op.Status = OK, 200
			}
			return op != nil
		}, []Checker{TokenLife{}}},
		{"a token that is refused for nothing", func(t *rapid.T, v *Evidence) bool {
			op := place(t, v, func(op Op) bool {
				return op.Action == Use && !slices.ContainsFunc(v.Ops, func(r Op) bool {
					return r.Action == Revoke && r.Outcome != Fail && r.Key == op.Key && r.Call <= op.Return
				})
			})
			op.Outcome, op.Status = Fail, 401
			return true
		}, []Checker{TokenLife{}}},
	},
}

// certain are the elements that a list must show.
func certain(v *Evidence, list Op) (out []string) {
	for _, add := range v.Ops {
		if !is(Add)(add) || add.Return >= list.Call {
			continue
		}
		if !slices.ContainsFunc(v.Ops, func(r Op) bool {
			return r.Action == Remove && r.Outcome != Fail && r.Key == add.Key && r.Call <= list.Return
		}) {
			out = append(out, add.Key)
		}
	}
	return out
}

// TestLiesAreCaught: one lie in a lawful history is found by each checker that
// is there for it.
func TestLiesAreCaught(t *testing.T) {
	stories := map[string]func(*rapid.T) Evidence{"registers": registersStory, "a set": setStory, "tokens": tokensStory}
	for kind, list := range lies {
		for _, l := range list {
			t.Run(kind+": "+l.name, func(t *testing.T) {
				t.Parallel()
				dir, planted := t.TempDir(), 0
				rapid.Check(t, func(t *rapid.T) {
					v := stories[kind](t)
					v.Dir = dir
					if !l.plant(t, &v) {
						return
					}
					planted++
					for _, checker := range l.caught {
						if found := checker.Check(v); len(found) == 0 {
							t.Fatalf("%s does not see it\n%s", checker.Name(), told(v))
						}
					}
				})
				if planted < 20 {
					t.Errorf("there was a place in %d stories only", planted)
				}
			})
		}
	}
}
