package cluster

import (
	"os"
	"regexp"
	"testing"
)

// TestFamiliesAreWhole: each family can be run as it stands, under a name of its
// own, and docs/reliability.md says which promise it is about.
func TestFamiliesAreWhole(t *testing.T) {
	b, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range Tests {
		if f.Promise == "" || f.Controls < 1 || f.Clients < 1 || f.Least < 1 || f.Workload == nil || len(f.Checkers) == 0 || len(f.Script.Make) == 0 {
			t.Errorf("%s is not whole: %+v", f.ID, f)
			continue
		}
		if seen[f.ID] {
			t.Errorf("there are two %s", f.ID)
		}
		seen[f.ID] = true
		if !regexp.MustCompile("famil(y|ies)[^.]*`" + f.ID + "`").Match(b) {
			t.Errorf("docs/reliability.md says nothing of family %s", f.ID)
		}
		if f.Workload() == f.Workload() {
			t.Errorf("%s: two runs share a workload", f.ID)
		}
		for _, ms := range [][2]int{f.Pace, f.Script.Calm, f.Script.Storm} {
			if ms[0] < 0 || ms[1] < ms[0] {
				t.Errorf("%s: from %d to %d ms", f.ID, ms[0], ms[1])
			}
		}
		names := map[string]bool{}
		for _, make := range f.Script.Make {
			names[make().Name()] = true
		}
		if names[""] {
			t.Errorf("%s has a fault without a name", f.ID)
		}
	}
}
