package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/jepsen/cluster"
)

// shelf is a document and a folder of results.
type shelf struct {
	t         *testing.T
	path, out string
}

func newShelf(t *testing.T) shelf {
	dir := t.TempDir()
	s := shelf{t, filepath.Join(dir, "reliability.md"), dir}
	s.write("reliability.md", "# Promises\n\nWords.\n\n"+beginMark+endMark+"\nMore words.\n")
	return s
}

func (s shelf) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.out, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s shelf) results(list ...cluster.Result) {
	s.t.Helper()
	var b strings.Builder
	for _, res := range list {
		line, err := json.Marshal(res)
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	s.write("jepsen.jsonl", b.String())
}

// report reports, and gives the document and how many runs were added.
func (s shelf) report() (string, int) {
	s.t.Helper()
	n, err := report(s.path, s.out)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := os.ReadFile(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b), n
}

func (s shelf) says(text string, parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.t.Errorf("the document does not say %q:\n%s", part, text)
		}
	}
}

func result(minute int, test string, seed uint64, v cluster.Verdict) cluster.Result {
	return cluster.Result{At: time.Date(2026, 11, 25, 9, minute, 0, 0, time.UTC), Revision: "abc1234", Test: test, Seed: seed, Duration: "1m0s", Seconds: 61.5, Ops: 1000, OKs: 900,
		Faults: map[string]int{"kill": 3, "pause": 2}, Seen: map[string]int{"kill": 3, "pause": 1}, Unknown: 0.012, Outage: int64(1000 * minute), Verdict: v}
}

func TestReportAccumulates(t *testing.T) {
	s := newShelf(t)
	text, n := s.report()
	if n != 0 {
		t.Errorf("%d runs, and there was none", n)
	}
	s.says(text, "No run was reported yet.", "# Promises", "More words.")

	bad := result(3, "T4", 8, cluster.Violated)
	bad.Findings = []cluster.Finding{{Checker: "linearizable", Text: "a | b <-- c\nd"}}
	idle := result(2, "T3", 6, cluster.Invalid)
	idle.Why = []string{"no fault had an effect"}
	first := []cluster.Result{bad, result(1, "T3", 5, cluster.Holds), idle} // in any order
	s.results(first...)
	text, n = s.report()
	if n != 3 {
		t.Errorf("%d runs added", n)
	}
	s.says(text, "From 2026-11-25 09:01 to 09:03 (UTC), revision abc1234",
		"| T3 | 2 | 1.0 | 1000 | 5 | 4 | 1.20 % | 1.0 s | 1 | 1 | 0 |", // what showed nothing does not count,
		"| T4 | 1 | 1.0 | 1000 | 5 | 4 | 1.20 % | 3.0 s | 0 | 0 | 1 |",
		"| together | 3 | 2.0 | 2000 | 10 | 8 | 1.20 % | 3.0 s | 1 | 1 | 1 |",
		"* `make jepsen T=T4 SEED=8 DURATION=1m0s` at abc1234: linearizable: a \\| b &lt;-- c d",
		"* `make jepsen T=T3 SEED=6 DURATION=1m0s` at abc1234: no fault had an effect",
		"| 2026-11-25 09:01 | abc1234 | 3 | 2.0 |", "# Promises", "More words.")
	if strings.Index(text, "| T3 |") > strings.Index(text, "| T4 |") {
		t.Error("families are not in the harness's order")
	}

	again, n := s.report()
	if n != 0 || again != text {
		t.Errorf("reported twice: %d runs added\n%s", n, again)
	}

	s.results(append(first, result(7, "T3", 9, cluster.Holds))...)
	text, n = s.report()
	if n != 1 {
		t.Errorf("%d runs added", n)
	}
	s.says(text, "| T3 | 1 | 1.0 | 1000 | 5 | 4 | 1.20 % | 7.0 s | 1 | 0 | 0 |", "| T3 | 3 | 2.0 | 2000 | 10 | 8 | 1.20 % | 7.0 s | 2 | 1 | 0 |",
		"T=T4 SEED=8", "| 2026-11-25 09:01 |", "| 2026-11-25 09:07 |")

	s.results(result(9, "T3", 10, cluster.Holds)) // the folder was emptied
	text, _ = s.report()
	s.says(text, "| T3 | 4 | 3.1 | 3000 |", "| together | 5 |")
}

func TestReportShowsMutants(t *testing.T) {
	s := newShelf(t)
	s.write("mutants.jsonl", `{"mutant":"b","breaks":"x","caught":false,"runs":9,"seconds":200}
{"mutant":"a","breaks":"y","caught":false,"runs":9,"seconds":300}
{"mutant":"a","breaks":"y","caught":true,"test":"T3","seed":2,"runs":2,"seconds":41.7}
`)
	text, _ := s.report()
	s.says(text, "| a | y | yes | T3, SEED=2 | 2 | 42 |\n| b | x | MISSED |  | 9 | 200 |")
	s.write("mutants.jsonl", "")
	text, _ = s.report()
	s.says(text, "| a | y | yes | T3, SEED=2 |")
}

// TestReportIsBounded: the document forgets old runs' names, never their number.
func TestReportIsBounded(t *testing.T) {
	s := newShelf(t)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []cluster.Result
	for i := range 3 * maxRed {
		res := result(0, "T3", uint64(i), cluster.Invalid)
		res.At = at.Add(time.Duration(i) * time.Minute)
		res.Why = []string{strings.Repeat("why ", 1000)}
		all = append(all, res)
	}
	all[0].Verdict = cluster.Violated
	s.results(all...)
	text, _ := s.report()
	s.says(text, "SEED=0 ", fmt.Sprintf("SEED=%d ", 3*maxRed-1), fmt.Sprintf("| T3 | %d |", 3*maxRed))
	if strings.Contains(text, fmt.Sprintf("SEED=%d ", maxRed)) || len(text) > 100_000 {
		t.Errorf("%d bytes", len(text))
	}
	for i := range 2 * maxCampaigns {
		res := result(0, "T3", 1, cluster.Holds)
		res.At = at.AddDate(1, 0, i)
		s.results(res)
		text, _ = s.report()
	}
	if n := strings.Count(text, "\n| 2027-"); n != maxCampaigns {
		t.Errorf("%d reports are listed", n)
	}
}

func TestReportRefuses(t *testing.T) {
	for name, c := range map[string]struct{ document, results, want string }{
		"no place":       {document: "# Promises\n", want: "has no place for results"},
		"half a place":   {document: beginMark, want: "has no place for results"},
		"broken state":   {document: beginMark + stateMark + "{ -->\n" + endMark, want: "not readable"},
		"broken results": {document: beginMark + endMark, results: "{}\n{\"ops\":\n", want: "jepsen.jsonl, line 2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(t)
			s.write("reliability.md", c.document)
			s.write("jepsen.jsonl", c.results)
			if _, err := report(s.path, s.out); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if b, err := os.ReadFile(s.path); err != nil || string(b) != c.document {
				t.Errorf("the document was changed: %s, %v", b, err)
			}
		})
	}
	s := newShelf(t)
	if _, err := report(filepath.Join(s.out, "nowhere.md"), s.out); err == nil {
		t.Error("reported to nowhere")
	}
}
