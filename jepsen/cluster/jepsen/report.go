package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/jepsen/cluster"
)

// What lies between the marks is written by the report, and nothing else is.
const (
	beginMark = "<!-- results: begin -->\n"
	endMark   = "<!-- results: end -->\n"
	stateMark = "<!-- state: "
)

// report adds the runs of out that were not counted yet to a document, and
// tells how many there were.
func report(path, out string) (int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	head, rest, begun := strings.Cut(string(b), beginMark)
	old, tail, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return 0, fmt.Errorf("%s has no place for results: it lies between %q and %q", path, strings.TrimSpace(beginMark), strings.TrimSpace(endMark))
	}
	l, err := remembered(old)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	results, err := lines[cluster.Result](filepath.Join(out, "jepsen.jsonl"))
	if err != nil {
		return 0, err
	}
	mutants, err := lines[caught](filepath.Join(out, "mutants.jsonl"))
	if err != nil {
		return 0, err
	}
	added := l.count(results)
	l.mutants(mutants)
	text, err := l.text()
	if err != nil {
		return 0, err
	}
	return added, os.WriteFile(path, []byte(head+beginMark+text+endMark+tail), 0o644)
}

// remembered reads the ledger out of the results of an earlier report; without
// one it is empty.
func remembered(text string) (*ledger, error) {
	l := &ledger{Total: map[string]*account{}, Last: map[string]*account{}}
	_, rest, found := strings.Cut(text, stateMark)
	if !found {
		return l, nil
	}
	state, _, _ := strings.Cut(rest, " -->\n")
	if err := json.Unmarshal([]byte(state), l); err != nil {
		return nil, fmt.Errorf("what was remembered of earlier runs is not readable: %w", err)
	}
	return l, nil
}

// lines reads a file of JSON, a value a line; one that is not there is empty.
func lines[T any](path string) (out []T, err error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		out = append(out, v)
	}
	return out, s.Err()
}

// text is what people read of a ledger, and the ledger.
func (l *ledger) text() (string, error) {
	state, err := json.Marshal(l) // it escapes < and >, so the comment cannot end in it
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s -->\n\n", stateMark, state)
	if len(l.Campaigns) == 0 {
		b.WriteString("No run was reported yet.\n\n")
	} else {
		c := l.Campaigns[len(l.Campaigns)-1]
		fmt.Fprintf(&b, "### The last runs\n\nFrom %s to %s (UTC), %s, on a machine of %d processors that all nodes share.\n\n", day(c), c.To.Format("15:04"), revisions(c), c.Processors)
		table(&b, l.Last)
		b.WriteString("### All runs so far\n\n")
		table(&b, l.Total)
		l.reds(&b)
		l.history(&b)
	}
	l.caught(&b)
	return b.String(), nil
}

func day(c campaign) string { return c.From.Format("2006-01-02 15:04") }

func revisions(c campaign) string { return "revision " + strings.Join(c.Revisions, ", ") }

const columns = "runs | minutes | operations | faults | with an effect | unknown | longest outage | ok | INVALID | VIOLATED |\n"

func table(b *strings.Builder, all map[string]*account) {
	b.WriteString("| family | " + columns + "| --- |" + strings.Repeat(" ---: |", 10) + "\n")
	var sum account
	for _, id := range families(all) {
		fmt.Fprintf(b, "| %s %s\n", id, all[id].row())
		sum.plus(*all[id])
	}
	fmt.Fprintf(b, "| together %s\n\n", sum.row())
}

// families are the ids, in the order of the harness; what is there no more
// comes last.
func families(all map[string]*account) (out []string) {
	for _, t := range cluster.Tests {
		if all[t.ID] != nil {
			out = append(out, t.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func (a *account) plus(o account) {
	a.Runs += o.Runs
	a.Seconds += o.Seconds
	a.Ops += o.Ops
	a.Faults += o.Faults
	a.Seen += o.Seen
	a.Unknown += o.Unknown
	a.OutageMS = max(a.OutageMS, o.OutageMS)
	a.Held += o.Held
	a.Invalid += o.Invalid
	a.Violated += o.Violated
}

func (a *account) row() string {
	return fmt.Sprintf("| %d | %.1f | %d | %d | %d | %.2f %% | %.1f s | %d | %d | %d |", a.Runs, a.Seconds/60, a.Ops, a.Faults, a.Seen,
		100*float64(a.Unknown)/float64(max(1, a.Ops)), float64(a.OutageMS)/1000, a.Held, a.Invalid, a.Violated)
}

// reds lists the runs that did not hold, with what makes such a run again.
func (l *ledger) reds(b *strings.Builder) {
	for _, v := range []cluster.Verdict{cluster.Violated, cluster.Invalid} {
		title := map[cluster.Verdict]string{cluster.Violated: "Runs that broke a promise", cluster.Invalid: "Runs that showed nothing"}[v]
		list := slices.DeleteFunc(slices.Clone(l.Red), func(r red) bool { return r.Verdict != v })
		fmt.Fprintf(b, "### %s\n\n", title)
		if len(list) == 0 {
			b.WriteString("None.\n\n")
			continue
		}
		if len(list) == maxRed {
			fmt.Fprintf(b, "The last %d:\n\n", maxRed)
		}
		for _, r := range list {
			fmt.Fprintf(b, "* `%s` at %s: %s\n", r.Again, r.Revision, plain(r.Why))
		}
		b.WriteString("\n")
	}
}

// plain keeps a text from being more than text in a document.
func plain(text string) string {
	return strings.NewReplacer("\n", " ", "|", "\\|", "<", "&lt;", "`", "'").Replace(text)
}

// history lists what each report added.
func (l *ledger) history(b *strings.Builder) {
	b.WriteString("### Reports\n\n| from (UTC) | revision | " + columns + "| --- | --- |" + strings.Repeat(" ---: |", 10) + "\n")
	for _, c := range l.Campaigns {
		fmt.Fprintf(b, "| %s | %s %s\n", day(c), strings.Join(c.Revisions, ", "), c.row())
	}
	b.WriteString("\n")
}

// caught lists the mutants.
func (l *ledger) caught(b *strings.Builder) {
	if len(l.Mutants) == 0 {
		return
	}
	b.WriteString("### Mistakes made on purpose\n\n| mutant | breaks | caught | by | runs | seconds |\n| --- | --- | --- | --- | ---: | ---: |\n")
	for _, m := range l.Mutants {
		yes, by := "MISSED", ""
		if m.Caught {
			yes, by = "yes", fmt.Sprintf("%s, SEED=%d", m.Test, m.Seed)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %d | %.0f |\n", m.Mutant, plain(m.Breaks), yes, by, m.Runs, m.Seconds)
	}
	b.WriteString("\n")
}
