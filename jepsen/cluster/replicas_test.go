package cluster

import (
	"errors"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cloud"
)

func TestReplicas(t *testing.T) {
	r := newReplicas()
	for _, s := range []struct {
		node  string
		index uint64
		hash  string
	}{{"c1", 5, "a"}, {"c1", 5, "a"}, {"c2", 5, "a"}, {"c3", 6, "b"}, {"c1", 6, "b"}} {
		r.saw(s.node, s.index, s.hash)
	}
	verdicts(t, r.found.list)
	if r.compared != 2 {
		t.Errorf("compared %d times", r.compared)
	}
	r.saw("c2", 6, "x")
	verdicts(t, r.found.list, "at index 6, c3 has hash b and c2 has x")
}

// TestRolesAreNotedOnce: a change is an event, and a node that says nothing is
// one from when it was asked.
func TestRolesAreNotedOnce(t *testing.T) {
	fake := clock.NewFake(time.Unix(0, 0))
	h := NewHistory(fake)
	role := roleOf{node: "c1", history: h}
	leader, follower := cloud.Health{Role: "leader", Term: 2}, cloud.Health{Role: "follower", Term: 3}
	for _, look := range []struct {
		asked int64
		s     cloud.Health
		err   error
	}{{1, leader, nil}, {2, leader, nil}, {3, cloud.Health{}, errors.New("no answer")}, {4, cloud.Health{}, errors.New("no answer")}, {5, follower, nil}, {6, cloud.Health{Role: "follower", Term: 4}, nil}} {
		fake.Advance(time.Second)
		role.saw(look.asked, look.s, look.err)
	}
	want := []Event{{At: 1e9, Role: "leader", Term: 2}, {At: 3, Role: Silent}, {At: 5e9, Role: "follower", Term: 3}, {At: 6e9, Role: "follower", Term: 4}}
	got := h.Events()
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, e := range got {
		if e.At != want[i].At || e.Role != want[i].Role || e.Term != want[i].Term || len(e.On) != 1 || e.On[0] != "c1" || e.Begins || e.Ends {
			t.Errorf("%d: %+v", i, e)
		}
	}
}
