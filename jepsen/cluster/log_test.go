package cluster

import (
	"testing"
)

func TestSameLog(t *testing.T) {
	whole := []string{"1 cluster.init/1 -", "2 a/1 r2", "5 b/1 r5", "6 c/1 r6"}
	for name, c := range map[string]struct {
		logs    map[string][]string
		settled uint64
		last    uint64 // of the longest
		length  int
		want    []string
	}{
		"none":                                 {settled: 6},
		"equal":                                {logs: map[string][]string{"c1": whole, "c2": whole, "c3": whole}, settled: 6, last: 6, length: 4},
		"one is compacted":                     {logs: map[string][]string{"c1": whole[2:], "c2": whole}, settled: 6, last: 6, length: 4},
		"one was away, and got a snapshot":     {logs: map[string][]string{"c1": whole, "c2": {"1 cluster.init/1 -", "2 x/1 r9"}}, settled: 6, last: 6, length: 4},
		"one stopped first":                    {logs: map[string][]string{"c1": whole[:3], "c2": whole}, settled: 5, last: 5, length: 3},
		"what came after all was well differs": {logs: map[string][]string{"c1": {"5 b/1 r5", "6 x/1 r9"}, "c2": whole}, settled: 5, last: 5, length: 3},
		"the state's index is no command's":    {logs: map[string][]string{"c1": whole[:3], "c2": whole[:3]}, settled: 9, last: 5, length: 3},
		"they never settled":                   {logs: map[string][]string{"c1": whole[:3], "c2": whole}, last: 6, length: 4},
		"another request": {logs: map[string][]string{"c1": whole, "c2": {"2 a/1 r2", "5 b/1 r4", "6 c/1 r6"}}, settled: 6, last: 6, length: 4,
			want: []string{"index 5 is b/1 of term 1 on c1, and b/1 of term 1 on c2"}},
		"another command":                          {logs: map[string][]string{"c1": whole, "c2": {"6 x/1 r6"}}, settled: 6, last: 6, length: 4, want: []string{"index 6 is c/1"}},
		"another one, though a node stopped first": {logs: map[string][]string{"c1": {"2 a/1 r2", "5 b/1 r4"}, "c2": whole}, settled: 5, last: 5, length: 3, want: []string{"index 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			logs := map[string][]LogEntry{}
			for node, lines := range c.logs {
				logs[node] = diary(t, lines...)
			}
			longest, found := sameLog(logs, c.settled)
			verdicts(t, found, c.want...)
			if len(longest) != c.length || c.length > 0 && longest[c.length-1].Index != c.last {
				t.Errorf("the longest has %d entries: %+v", len(longest), longest)
			}
		})
	}
}

// TestSameLogLooksAtAll: two entries may differ in what is not their name.
func TestSameLogLooksAtAll(t *testing.T) {
	for name, change := range map[string]func(*LogEntry){
		"term":    func(e *LogEntry) { e.Term++ },
		"kind":    func(e *LogEntry) { e.Kind = "x/1" },
		"request": func(e *LogEntry) { e.Request = "r9" },
		"body":    func(e *LogEntry) { e.Body = renaming("x", "w9") },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := diary(t, "1 cluster.init/1 -", "5 server.update/1 r1 x w1"), diary(t, "1 cluster.init/1 -", "5 server.update/1 r1 x w1")
			change(&b[1])
			_, found := sameLog(map[string][]LogEntry{"c1": a, "c2": b}, 5)
			verdicts(t, found, "index 5")
		})
	}
}
