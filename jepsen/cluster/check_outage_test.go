package cluster

import (
	"slices"
	"testing"
	"time"
)

func TestOutages(t *testing.T) {
	for name, c := range map[string]struct {
		ops     []string
		longest time.Duration
		unknown float64
	}{
		"nothing":                  {},
		"no gap":                   {ops: []string{"read x a 0-1 ok", "read x a 98-99 ok", "read x a 97-100 ok"}, longest: 98 * time.Millisecond},
		"what fails is no success": {ops: []string{"read x a 0-10 ok", "read x - 11-50 fail", "read x - 11-50 info", "read x a 11-100 ok"}, longest: 90 * time.Millisecond, unknown: 0.25},
		"to the end":               {ops: []string{"read x a 0-10 ok", "read x - 11-99 info"}, longest: 90 * time.Millisecond, unknown: 0.5},
		"over the end":             {ops: []string{"read x a 0-10 ok", "read x a 11-130 ok"}, longest: 120 * time.Millisecond},
		"nobody asks any more":     {ops: []string{"read x a 0-95 ok", "read x a 900-901 ok"}, longest: 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			longest, unknown := outages(Evidence{Ops: story(t, c.ops...), Until: 100 * int64(time.Millisecond)})
			if longest != c.longest || unknown != c.unknown {
				t.Errorf("%v and %v, want %v and %v", longest, unknown, c.longest, c.unknown)
			}
		})
	}
}

func TestInOrder(t *testing.T) {
	ops := story(t, "read x a 5-6 ok", "read x a 1-9 ok", "read x a 3-4 ok")
	var got []int
	for _, op := range inOrder(ops) {
		got = append(got, op.Number)
	}
	if !slices.Equal(got, []int{2, 3, 1}) || ops[0].Number != 1 {
		t.Errorf("%v of %+v", got, ops)
	}
}

func TestFailover(t *testing.T) {
	kill := Event{At: 1e9, Name: "kill leader", On: []string{"c1"}, Begins: true}
	stop := Event{At: 1e9, Name: "stop leader", On: []string{"c1"}, Begins: true}
	for name, c := range map[string]struct {
		event Event
		until int64
		ops   []string
		want  []string
	}{
		"nothing was done":             {until: 60e9, ops: []string{"write x a 0-1 ok"}},
		"soon":                         {event: kill, until: 60e9, ops: []string{"write x a 0-900 ok", "write x b 1000-6900 ok", "write x c 7000-12000 ok", "write x d 1000-14000 ok"}},
		"a stop is soon":               {event: stop, until: 60e9, ops: []string{"write x a 0-900 ok", "write x b 1000-2900 ok", "write x c 3000-4800 ok", "write x d 3000-6000 ok"}},
		"late":                         {event: kill, until: 60e9, ops: []string{"write x a 0-900 ok", "write x b 1000-7100 ok", "write x d 1000-13100 ok"}, want: []string{"kill leader on [c1] at 1.0 s: no write was acknowledged for 6.1s; the bound is 6s"}},
		"late, later":                  {event: kill, until: 60e9, ops: []string{"write x a 0-1100 ok", "write x b 1000-7200 ok", "write x d 1000-13100 ok"}, want: []string{"6.1s"}},
		"a stop is late":               {event: stop, until: 60e9, ops: []string{"write x b 1000-3100 ok", "write x d 1000-5000 ok"}, want: []string{"2.1s; the bound is 2s"}},
		"reads do not count":           {event: stop, until: 60e9, ops: []string{"read x b 1000-2000 ok", "write x b 1000-3100 ok", "write x d 1000-5000 ok"}, want: []string{"2.1s"}},
		"failures do not count":        {event: stop, until: 60e9, ops: []string{"write x b 1000-2000 fail", "write x b 1000-2000 info", "write x b 1000-3100 ok", "write x d 1000-5000 ok"}, want: []string{"2.1s"}},
		"never":                        {event: kill, until: 60e9, ops: []string{"write x a 0-1000 ok"}, want: []string{"for 12s"}},
		"never, as far as it is known": {event: kill, until: 6e9, ops: []string{"write x a 0-1000 ok"}},
		"done after the clients were told to stop": {event: kill, until: 6e9, ops: []string{"write x a 0-1000 ok", "write x b 1000-20000 ok"}},
		"the end of a fault is none":               {event: Event{At: 1e9, Name: "kill leader", Ends: true}, until: 60e9, ops: []string{"write x a 0-1000 ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			verdicts(t, Failover{}.Check(Evidence{Ops: story(t, c.ops...), Events: []Event{c.event}, Until: c.until}), c.want...)
		})
	}
}
