package raftnode

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestNextChange(t *testing.T) {
	// Members: a lower-case letter follows, a capital votes, * has caught up.
	parse := func(text string) (have []Member, caught map[string]bool) {
		caught = map[string]bool{}
		for _, w := range strings.Fields(text) {
			name := strings.TrimSuffix(w, "*")
			id := strings.ToLower(name)
			have = append(have, Member{ID: id, Address: id, Voter: id != name})
			caught[id] = strings.HasSuffix(w, "*")
		}
		return have, caught
	}
	for _, tc := range []struct{ want, have, change string }{
		{"a", "A", ""},
		{"a b", "A", "add b"},
		{"a b", "A b", ""},
		{"a b", "A b*", ""}, // two voters are worse than one
		{"a b c", "A b*", "add c"},
		{"a b c", "A b* c", ""},
		{"a b c", "A b* c*", "promote b"},
		{"a b c", "A B c*", "promote c"},
		{"a b c", "A B C", ""},
		{"a b c d", "A B C d*", ""},
		{"a b c d e", "A B C d* e*", "promote d"},
		{"a b c d e", "A B C D e*", "promote e"},
		{"a b c d e f", "A B C D E f*", ""},
		{"a b", "A B C", "remove c"},
		{"b c", "A B C", "remove a"},
		{"a b d", "A B C d*", "promote d"},
		{"a b d", "A B D C", "remove c"},
		{"", "A", ""},
	} {
		have, caught := parse(tc.have)
		var want []Server
		for _, id := range strings.Fields(tc.want) {
			want = append(want, Server{ID: id, Address: id})
		}
		got := ""
		switch c := nextChange(want, have, func(m Member) bool { return caught[m.ID] }); {
		case c.add != nil:
			got = "add " + c.add.ID
		case c.promote != nil:
			got = "promote " + c.promote.ID
		case c.remove != nil:
			got = "remove " + c.remove.ID
		}
		if got != tc.change {
			t.Errorf("want %q, have %q: %q, not %q", tc.want, tc.have, got, tc.change)
		}
	}
}

// TestClusterGrows: one node becomes three; then the first dies, and the
// others go on. A node that is not wanted any more goes.
func TestClusterGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRack(t, 1, nil)
		r.do("alone")
		want := []Server{{ID: "n1", Address: "n1"}}
		for i := 2; i <= 3; i++ {
			id := fmt.Sprintf("n%d", i)
			m := r.newMember(id, nil)
			r.mu.Lock()
			r.members = append(r.members, m)
			r.mu.Unlock()
			r.open(m, nil)
			want = append(want, Server{ID: id, Address: id})
		}
		var wanted atomic.Pointer[[]Server]
		wanted.Store(&want)
		never := make(chan struct{})
		for _, m := range r.members {
			go func() {
				_ = m.node.RunAsLeader(t.Context(), func(ctx context.Context, _ uint64) error {
					m.node.KeepMembers(ctx, func() []Server { return *wanted.Load() }, func() <-chan struct{} { return never })
					return nil
				})
			}()
		}
		voters := func(n int) func() bool {
			return func() bool {
				for _, m := range r.members {
					if !m.cut.Load() && m.node.Role().State == Leader {
						return m.node.Stats().Voters == n
					}
				}
				return false
			}
		}
		eventually(t, "three voters", voters(3))
		if rows := r.settle(); rows[0].Data != "alone" {
			t.Errorf("new nodes know %v", rows)
		}
		first := r.members[0]
		r.partition(first, true)
		r.do("without the first")
		r.partition(first, false)
		r.settle()
		l := r.leader()
		var rest []Server
		for _, s := range want {
			if s.ID == l.id || len(rest) == 0 || rest[0].ID == l.id {
				rest = append(rest, s)
			}
		}
		rest = rest[:2]
		wanted.Store(&rest)
		eventually(t, "two voters", voters(2))
		r.do("as two")
		pause(t, 2*time.Second)
	})
}
