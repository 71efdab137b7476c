package gossip

import (
	"reflect"
	"testing"
)

// TestWhatMembersMaySay is the whole list of it.
func TestWhatMembersMaySay(t *testing.T) {
	f := &filter{roster: newRoster(10)}
	f.roster.add("n1")
	known := intent{LTime: 7, Node: "n1"}
	cases := []struct {
		name string
		b    []byte
		want bool
	}{
		{"a member comes", message(t, joinIntent, known), true},
		{"a member goes", message(t, leaveIntent, known), true},
		{"a stranger comes", message(t, joinIntent, intent{Node: "nobody"}), false},
		{"a stranger goes", message(t, leaveIntent, intent{Node: "nobody"}), false},
		{"forget a member", message(t, leaveIntent, intent{Node: "n1", Prune: true}), false},
		{"user event", message(t, 3, known), false},
		{"query", message(t, 4, known), false},
		{"answer to a query", message(t, 5, known), false},
		{"relay", message(t, 9, known), false},
		{"unknown kind", message(t, 200, known), false},
		{"nothing", nil, false},
		{"a kind alone", []byte{leaveIntent}, false},
		{"garbage", []byte{joinIntent, 0xff, 0xff}, false},
		{"another type", message(t, joinIntent, []string{"n1"}), false},
	}
	for _, c := range cases {
		if got := f.fit(c.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestListsAreCleaned: of strangers and of user events, so that neither grows
// with what others make up.
func TestListsAreCleaned(t *testing.T) {
	f := &filter{roster: newRoster(10)}
	f.roster.add("n1")
	f.roster.add("n2")
	full := struct {
		LTime        uint64
		StatusLTimes map[string]uint64
		LeftMembers  []string
		EventLTime   uint64
		Events       []any
		QueryLTime   uint64
	}{9, map[string]uint64{"n1": 1, "n2": 2, "nobody": 3}, []string{"n2", "nobody"}, 5, []any{map[string]any{"LTime": 4}}, 6}
	b, ok := f.clean(message(t, pushPull, full))
	if !ok || b[0] != pushPull {
		t.Fatalf("refused: %v", b)
	}
	var got map[string]any
	if err := decode(b[1:], &got); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"Events", "EventLTime", "QueryLTime"} {
		if _, ok := got[gone]; ok {
			t.Errorf("%s is still there", gone)
		}
	}
	var kept exchange
	if err := decode(b[1:], &kept); err != nil {
		t.Fatal(err)
	}
	want := exchange{LTime: 9, StatusLTimes: map[string]uint64{"n1": 1, "n2": 2}, LeftMembers: []string{"n2"}}
	if !reflect.DeepEqual(kept, want) {
		t.Errorf("kept %+v, want %+v", kept, want)
	}
	for _, bad := range [][]byte{nil, {pushPull}, {pushPull, 0xff}, message(t, joinIntent, full), message(t, pushPull, "text")} {
		if _, ok := f.clean(bad); ok {
			t.Errorf("took %v", bad)
		}
	}
}
