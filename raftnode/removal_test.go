package raftnode

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kvorum/kvorum/internal/errs"
)

func TestRemovable(t *testing.T) {
	// a asks; a capital votes, * answers, and ! leads.
	for _, row := range []struct{ members, id, says string }{
		{"A*! B* C*", "c", ""},
		{"A*! B* C", "c", ""}, // the dead one
		{"A*! B C*", "c", "Of the other 2"},
		{"A*! B C", "c", "Of the other 2 control nodes that vote 1 answer, and without it 2 must"},
		{"A*! B*", "b", ""},
		{"A*! B", "b", ""},
		{"A* B*! C* D E", "e", ""}, // three of four are left
		{"A* B*! C* D E", "c", "Of the other 4"},
		{"A* B*! C*", "d", ""},     // raft does not know it
		{"A* B*! C c2*", "c2", ""}, // it does not vote
		{"A* B*! C*", "a", "this node itself"},
		{"A* B*! C*", "b", "It leads"},
		{"A*! B* C*", "a", "It leads"},
	} {
		var have []Member
		answers, leader := map[string]bool{}, ""
		for w := range strings.FieldsSeq(row.members) {
			name := strings.TrimRight(w, "*!")
			id := strings.ToLower(name)
			have = append(have, Member{ID: id, Voter: id != name})
			answers[id] = strings.Contains(w, "*")
			if strings.Contains(w, "!") {
				leader = id
			}
		}
		err := removable(row.id, "a", leader, have, answers)
		if (err == nil) != (row.says == "") || err != nil && (!errs.Is(err, errs.Conflict) || !strings.Contains(errs.Message(err), row.says)) {
			t.Errorf("%s without %s: %v, want %q", row.members, row.id, err, row.says)
		}
		if err := removable(row.id, "a", "", have, answers); !errs.Is(err, errs.Unavailable) {
			t.Errorf("without a leader: %v", err)
		}
	}
}

// TestRemovableAsks: who is cut off does not count, and does not hold up the
// answer for ever.
func TestRemovableAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		l, f := r.leader(), r.follower()
		var third *member
		for _, m := range r.members {
			if m != l && m != f {
				third = m
			}
		}
		if err := f.node.Removable(t.Context(), third.id); err != nil {
			t.Errorf("all are there: %v", err)
		}
		r.partition(third, true)
		if err := f.node.Removable(t.Context(), third.id); err != nil {
			t.Errorf("the one that is away: %v", err)
		}
		if err := l.node.Removable(t.Context(), f.id); !errs.Is(err, errs.Conflict) {
			t.Errorf("one of the two that are left: %v", err)
		}
		r.partition(third, false)
	})
}

func TestHandOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 3, nil)
		l, f := r.leader(), r.follower()
		for _, id := range []string{l.id, "stranger"} {
			if err := l.node.HandOver(id); !errs.Is(err, errs.Conflict) {
				t.Errorf("to %s: %v", id, err)
			}
		}
		if err := f.node.HandOver(""); !errs.Is(err, errs.Conflict) {
			t.Errorf("by one that does not lead: %v", err)
		}
		r.settle()
		eventually(t, "the lead to move", func() bool { return l.node.HandOver(f.id) == nil || r.leader() == f })
		eventually(t, "the named one to lead", func() bool { return r.leader() == f })
		r.settle()
		if err := f.node.HandOver(""); err != nil {
			t.Errorf("to anybody: %v", err)
		}
		eventually(t, "another one to lead", func() bool { return r.leader() != f })
	})
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 1, nil)
		if err := r.leader().node.HandOver(""); !errs.Is(err, errs.Conflict) || !strings.Contains(errs.Message(err), "no other") {
			t.Errorf("alone: %v", err)
		}
	})
}
