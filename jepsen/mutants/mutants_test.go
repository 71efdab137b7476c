package mutants

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/kvorum/kvorum/jepsen/cluster"
)

// TestMutantsFit: each edit fits the source as it is now. (That it compiles, the
// command shows that runs them; here it would take minutes.)
func TestMutantsFit(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range All {
		if _, err := m.overlay(root, t.TempDir()); err != nil {
			t.Error(err)
		}
		if len(m.Edits) == 0 || m.Breaks == "" {
			t.Errorf("%s breaks nothing", m.Name)
		}
	}
	if len(All) < 12 {
		t.Errorf("%d mutants are too few", len(All))
	}
}

// TestMutantsHaveTests: each names runs that there are.
func TestMutantsHaveTests(t *testing.T) {
	for _, m := range All {
		for _, id := range m.Tests {
			if !slices.ContainsFunc(cluster.Tests, func(t cluster.Test) bool { return t.ID == id }) {
				t.Errorf("%s is to be caught by %s, and there is none", m.Name, id)
			}
		}
		if len(m.Tests) == 0 {
			t.Errorf("%s is to be caught by nothing", m.Name)
		}
	}
}
