package main

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/kvorum/kvorum/jepsen/cluster"
)

// ledger is what docs/reliability.md remembers of all runs that were reported.
// It lies in the document itself, as a comment: who has the document has it.
type ledger struct {
	// Upto is when the last counted run began: what is older was counted.
	Upto  time.Time           `json:"upto"`
	Total map[string]*account `json:"total"`
	// Last are the runs of the last report that had any.
	Last      map[string]*account `json:"last"`
	Campaigns []campaign          `json:"campaigns"`
	Red       []red               `json:"red"`
	Mutants   []caught            `json:"mutants"`
}

// account sums up the runs of one family.
type account struct {
	Runs     int     `json:"runs"`
	Seconds  float64 `json:"seconds"`
	Ops      int     `json:"ops"`
	Faults   int     `json:"faults"`
	Seen     int     `json:"seen"`
	Unknown  int     `json:"unknown"`
	OutageMS int64   `json:"outage_ms"`
	Held     int     `json:"held"`
	Invalid  int     `json:"invalid"`
	Violated int     `json:"violated"`
}

// campaign is what one report added.
type campaign struct {
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	Revisions  []string  `json:"revisions"`
	Processors int       `json:"processors"`
	account
}

// red is a run that did not hold.
type red struct {
	Again    string          `json:"again"`
	Revision string          `json:"revision"`
	Verdict  cluster.Verdict `json:"verdict"`
	Why      string          `json:"why"`
}

// caught is what became of a mutant; see jepsen/mutants/run.
type caught struct {
	Mutant  string  `json:"mutant"`
	Breaks  string  `json:"breaks"`
	Caught  bool    `json:"caught"`
	Test    string  `json:"test,omitempty"`
	Seed    uint64  `json:"seed,omitempty"`
	Runs    int     `json:"runs"`
	Seconds float64 `json:"seconds"`
}

// The document remembers so many campaigns, and red runs of each verdict; the
// numbers count all.
const (
	maxCampaigns = 40
	maxRed       = 60
)

// count adds the runs that were not counted yet, and tells how many.
func (l *ledger) count(results []cluster.Result) (added int) {
	results = slices.SortedFunc(slices.Values(results), func(a, b cluster.Result) int { return a.At.Compare(b.At) })
	fresh := campaign{Processors: runtime.NumCPU()}
	last := map[string]*account{}
	for _, res := range results {
		if !res.At.After(l.Upto) {
			continue
		}
		if added++; added == 1 {
			fresh.From = res.At
		}
		l.Upto, fresh.To = res.At, res.At
		if !slices.Contains(fresh.Revisions, res.Revision) {
			fresh.Revisions = append(fresh.Revisions, res.Revision)
		}
		of(last, res.Test).add(res)
		of(l.Total, res.Test).add(res)
		fresh.add(res)
		if res.Verdict != cluster.Holds {
			l.Red = append(l.Red, red{res.Again(), res.Revision, res.Verdict, reason(res)})
		}
	}
	if added == 0 {
		return 0
	}
	l.Last = last
	l.Campaigns = append(l.Campaigns, fresh)
	l.Campaigns = l.Campaigns[max(0, len(l.Campaigns)-maxCampaigns):]
	l.Red = newest(l.Red)
	return added
}

func of(all map[string]*account, test string) *account {
	if all[test] == nil {
		all[test] = new(account)
	}
	return all[test]
}

// add counts a run. What one did that showed nothing does not count.
func (a *account) add(res cluster.Result) {
	a.Runs++
	if res.Verdict == cluster.Invalid {
		a.Invalid++
		return
	}
	a.Seconds = math.Round(10*(a.Seconds+res.Seconds)) / 10
	a.Ops += res.Ops
	for name, n := range res.Faults {
		a.Faults += n
		a.Seen += res.Seen[name]
	}
	a.Unknown += int(math.Round(res.Unknown * float64(res.Ops)))
	a.OutageMS = max(a.OutageMS, res.Outage)
	if res.Verdict == cluster.Holds {
		a.Held++
	} else {
		a.Violated++
	}
}

// reason is the first thing that was said about a run.
func reason(res cluster.Result) string {
	text := ""
	switch {
	case len(res.Findings) > 0:
		text = res.Findings[0].Checker + ": " + res.Findings[0].Text
	case len(res.Why) > 0:
		text = res.Why[0]
	}
	if most := 200; len(text) > most {
		text = text[:most] + " ..."
	}
	return text
}

// newest keeps the last red runs of each verdict, in their order.
func newest(all []red) (out []red) {
	n := map[cluster.Verdict]int{}
	for _, r := range slices.Backward(all) {
		if n[r.Verdict]++; n[r.Verdict] <= maxRed {
			out = append(out, r)
		}
	}
	slices.Reverse(out)
	return out
}

// mutants takes what became of each mutant in the end.
func (l *ledger) mutants(list []caught) {
	for _, c := range list {
		i := slices.IndexFunc(l.Mutants, func(old caught) bool { return old.Mutant == c.Mutant })
		if i < 0 {
			l.Mutants = append(l.Mutants, c)
		} else {
			l.Mutants[i] = c
		}
	}
	slices.SortFunc(l.Mutants, func(a, b caught) int { return cmp.Compare(a.Mutant, b.Mutant) })
}
