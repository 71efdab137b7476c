package cluster

import "testing"

func TestSet(t *testing.T) {
	for name, c := range map[string]struct {
		ops  []string
		want []string
	}{
		"nothing":                               {},
		"a whole life":                          {ops: []string{"list - first 0-1 ok", "add a - 2-3 ok", "list - a,first 4-5 ok", "remove a - 6-7 ok", "list - first 8-9 ok"}},
		"at one time, either way":               {ops: []string{"add a - 0-10 ok", "list - a 1-2 ok", "list - - 3-4 ok", "remove a - 11-20 ok", "list - - 12-13 ok", "list - a 14-15 ok"}},
		"an unknown add may be, or not":         {ops: []string{"add a - 0-1 info", "list - a 2-3 ok", "list - - 4-5 ok"}},
		"an unknown removal may be, or not":     {ops: []string{"add a - 0-1 ok", "remove a - 2-3 info", "list - a 4-5 ok", "list - - 6-7 ok"}},
		"a removal that failed":                 {ops: []string{"add a - 0-1 ok", "remove a - 2-3 fail", "list - a 4-5 ok"}},
		"a list without an answer":              {ops: []string{"add a - 0-1 ok", "list - - 2-3 fail", "list - - 4-5 info"}},
		"lost":                                  {ops: []string{"add a - 0-1 ok", "list - - 3-4 ok"}, want: []string{"a was added at c1, and is not listed at c1 2 ms later"}},
		"lost, though its removal failed":       {ops: []string{"add a - 0-1 ok", "remove a - 2-3 fail", "list - - 4-5 ok"}, want: []string{"a was added"}},
		"lost before its removal was asked for": {ops: []string{"add a - 0-1 ok", "list - - 2-3 ok", "remove a - 4-5 ok"}, want: []string{"a was added"}},
		"a ghost":                               {ops: []string{"add a - 0-1 fail", "list - a 2-3 ok"}, want: []string{"the add of a failed (503 ), and it is listed at c1"}},
		"too early":                             {ops: []string{"list - a 0-1 ok", "add a - 2-3 ok"}, want: []string{"a is listed at c1 before anybody added it"}},
		"back from death":                       {ops: []string{"add a - 0-1 ok", "remove a - 2-3 ok", "list - a 5-6 ok"}, want: []string{"a was removed at c1, and is listed at c1 2 ms later"}},
		"twice":                                 {ops: []string{"add a - 0-1 ok", "list - a,b,a 2-3 ok"}, want: []string{"a is listed twice"}},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts(t, Set{}.Check(Evidence{Ops: story(t, c.ops...)}), c.want...)
		})
	}
}
