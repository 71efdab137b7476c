package cluster

import "testing"

func TestOrder(t *testing.T) {
	for name, c := range map[string]struct {
		ops  []string
		want []string
	}{
		"nothing":               {},
		"upwards":               {ops: []string{"write x w1 0-1 ok @5", "read x w1 2-3 ok @5", "write x w2 4-5 ok @6"}},
		"at one time":           {ops: []string{"write x w1 0-10 ok @5", "read x new-x 1-9 ok @4", "read x w1 10-11 ok @4"}},
		"failures do not count": {ops: []string{"write x w1 0-1 fail @9", "write x w2 0-1 info @9", "read x new-x 2-3 ok @5"}},
		"no index":              {ops: []string{"read x w1 0-1 ok @5", "read x w1 2-3 ok", "read x w1 4-5 ok @5"}},
		"backwards": {ops: []string{"write x w1 0-1 ok @5", "read y new-y 3-4 ok @4"},
			want: []string{"write at c1 had index 5, and read at c1, which began 2000 us later, has 4"}},
		"backwards after a long one": {ops: []string{"write x w1 0-20 ok @5", "read x w1 1-2 ok @9", "read x w1 3-30 ok @8"},
			want: []string{"has 8"}},
		"the order of the lines counts for nothing": {ops: []string{"read y new-y 3-4 ok @4", "write x w1 0-1 ok @5"}, want: []string{"has 4"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := Order{}.Check(Evidence{Ops: story(t, c.ops...)})
			verdicts(t, found, c.want...)
			for _, f := range found {
				if len(f.Ops) != 2 {
					t.Errorf("it names %v", f.Ops)
				}
			}
		})
	}
}

// TestFindingsAreFew: a checker says enough with the first ones.
func TestFindingsAreFew(t *testing.T) {
	lines := []string{"write x w1 0-1 ok @900"}
	for range 3 * maxFindings {
		lines = append(lines, "read x w1 2-3 ok @5")
	}
	if found := (Order{}).Check(Evidence{Ops: story(t, lines...)}); len(found) != maxFindings {
		t.Errorf("%d findings", len(found))
	}
}
