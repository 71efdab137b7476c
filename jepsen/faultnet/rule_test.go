package faultnet

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

func TestRulesAreChecked(t *testing.T) {
	for _, row := range []struct {
		name string
		m    Match
		f    Fault
		ok   bool
	}{
		{"none", Match{}, Fault{}, true},
		{"all", Match{TCP, 1, 2, "raft"}, Fault{true, 1, true, 2, 3, true, 75 * time.Millisecond, 50 * time.Millisecond, Always, time.Second, 1000, 4096}, true},
		{"protocol", Match{Proto: "sctp"}, Fault{Cut: true}, false},
		{"alpn without tcp", Match{ALPN: "raft"}, Fault{Cut: true}, false},
		{"negative share", Match{}, Fault{Drop: -1}, false},
		{"share beyond all", Match{}, Fault{Reorder: Always + 1}, false},
		{"negative delay", Match{}, Fault{Delay: -1}, false},
		{"delay too long", Match{}, Fault{Delay: MaxDelay + 1}, false},
		{"jitter beyond the delay", Match{}, Fault{Delay: 1, Jitter: 2}, false},
		{"negative rate", Match{}, Fault{Rate: -1}, false},
		{"queue too small for a packet", Match{}, Fault{Rate: 1, Queue: 1}, false},
		{"queue too large", Match{}, Fault{Rate: 1, Queue: maxQueue + 1}, false},
		{"forge alone", Match{}, Fault{Forge: true}, false},
		{"late alone", Match{}, Fault{Late: 1}, false},
		{"queue alone", Match{}, Fault{Queue: 4096}, false},
	} {
		if _, err := (Rule{From: "a", To: "b", Match: row.m, Fault: row.f}).normal(); row.ok != (err == nil) || err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	for _, pair := range [][2]string{{"", "b"}, {"a", ""}, {"a", "a"}} {
		if _, err := (Rule{From: pair[0], To: pair[1]}).normal(); !errs.Is(err, errs.Invalid) {
			t.Errorf("pair %v: %v", pair, err)
		}
	}
}

func TestRulesReadWell(t *testing.T) {
	r := Rule{From: "c1", To: "c2", Match: Match{Proto: TCP, SrcPort: 8770, ALPN: "raft"},
		Fault: Fault{Drop: 5 * Percent, Duplicate: Percent / 2, Delay: 75 * time.Millisecond, Jitter: 50 * time.Millisecond, Rate: 125000}}
	const want = "c1→c2 tcp from port 8770 alpn raft drop 5% duplicate 0.5000% delay 75ms±50ms rate 125000 B/s"
	if got := r.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Rule
	if err := json.Unmarshal(text, &back); err != nil || back != r {
		t.Errorf("%s reads as %+v, %v", text, back, err)
	}
}

func TestGroups(t *testing.T) {
	show := func(rules []Rule) (all []string) {
		for _, r := range rules {
			all = append(all, r.String())
		}
		return all
	}
	for _, row := range []struct {
		name string
		got  []Rule
		want []string
	}{
		{"one way", OneWay([]string{"a", "b"}, []string{"b", "c"}, Match{}, Fault{Hold: true}), []string{"a→b hold", "a→c hold", "b→c hold"}},
		{"between", Between([]string{"a"}, []string{"b"}, Match{Proto: TCP, DstPort: 80}, Fault{Drop: Percent}),
			[]string{"a→b tcp to port 80 drop 1%", "b→a tcp from port 80 drop 1%"}},
		{"partition", Partition([]string{"a"}, []string{"b", "c"}), []string{"a→b cut", "a→c cut", "b→a cut", "c→a cut"}},
		{"no partition", Partition([]string{"a", "b"}), nil},
	} {
		if got := show(row.got); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
