package cluster

import (
	"strings"
	"testing"
	"time"
)

// finds is a checker that finds something, or nothing.
type finds []string

func (finds) Name() string { return "finds" }

func (c finds) Check(Evidence) []Finding {
	f := findings{checker: c.Name()}
	for _, text := range c {
		f.add(nil, "%s", text)
	}
	return f.list
}

// wonders is a checker that cannot tell.
type wonders struct{}

func (wonders) Name() string { return "wonders" }

func (wonders) Check(Evidence) []Finding {
	return []Finding{{Checker: "wonders", Text: "who knows", Undecided: true}}
}

// calls makes so many operations of each outcome.
func calls(ok, fail, info int) (out []Op) {
	for outcome, n := range map[Outcome]int{OK: ok, Fail: fail, Info: info} {
		for range n {
			out = append(out, Op{Number: len(out) + 1, Outcome: outcome, Return: 1})
		}
	}
	return out
}

func TestJudge(t *testing.T) {
	seen := func(n ...int) map[string]int {
		out := map[string]int{}
		for i, n := range n {
			out[string(rune('a'+i))] = n
		}
		return out
	}
	for name, c := range map[string]struct {
		ops          []Op
		done, effect map[string]int
		unproven     bool
		checkers     []Checker
		settled      []Finding
		want         Verdict
		why          []string
		found        int
	}{
		"holds":             {ops: calls(200, 50, 5), done: seen(3, 1), effect: seen(1, 1), want: Holds},
		"too little":        {ops: calls(199, 50, 5), done: seen(3), effect: seen(3), want: Invalid, why: []string{"199 operations succeeded, and 200 must"}},
		"too many unknown":  {ops: calls(200, 0, 11), done: seen(3), effect: seen(3), want: Invalid, why: []string{"5.2 % of the outcomes are unknown"}},
		"one fault in vain": {ops: calls(200, 0, 0), done: seen(3, 2), effect: seen(3), want: Invalid, why: []string{`"b" was done 2 times, without any effect`}},
		"all in vain":       {ops: calls(200, 0, 0), done: seen(3), want: Invalid, why: []string{`"a" was done 3 times`, "no fault had an effect"}},
		"no fault":          {ops: calls(200, 0, 0), want: Invalid, why: []string{"no fault had an effect"}},
		"unproven":          {ops: calls(200, 0, 0), done: seen(3), effect: seen(3), unproven: true, want: Invalid, why: []string{`no control node's log says "the words"`}},
		"a finding":         {ops: calls(200, 0, 0), done: seen(3), effect: seen(3), checkers: []Checker{finds{}, finds{"x", "y"}}, want: Violated, found: 2},
		"undecided":         {ops: calls(200, 0, 0), done: seen(3), effect: seen(3), checkers: []Checker{wonders{}}, want: Invalid, why: []string{"wonders: who knows"}},
		"not settled":       {ops: calls(200, 0, 0), done: seen(3), effect: seen(3), settled: []Finding{{Text: "x"}}, checkers: []Checker{finds{"y"}}, want: Violated, found: 2},
		"a finding counts also in a run that shows little": {ops: calls(1, 0, 9), checkers: []Checker{finds{"x"}}, want: Violated, found: 1,
			why: []string{"1 operations succeeded", "90.0 %", "no fault had an effect"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &run{Test: Test{Least: 20, Checkers: c.checkers, Proof: "the words"}, proven: !c.unproven}
			res := Result{Seconds: 10, Faults: c.done, Seen: c.effect}
			res.judge(r, Evidence{Ops: c.ops, Until: int64(3 * time.Second)}, c.settled)
			if res.Verdict != c.want || len(res.Findings) != c.found || len(res.Why) != len(c.why) {
				t.Fatalf("%+v", res)
			}
			for i, why := range res.Why {
				if !strings.Contains(why, c.why[i]) {
					t.Errorf("%q, want %q", why, c.why[i])
				}
			}
			if res.Ops != len(c.ops) || res.Outage == 0 {
				t.Errorf("%d operations, outage of %d ms", res.Ops, res.Outage)
			}
			line := res.String()
			for _, part := range append(c.why, c.want.Shout()) {
				if !strings.Contains(line, part) {
					t.Errorf("%q is not told: %s", part, line)
				}
			}
		})
	}
}
