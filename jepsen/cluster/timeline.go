package cluster

import (
	_ "embed" // the page
	"fmt"
	"html/template"
	"os"
	"slices"
)

//go:embed timeline.html
var timelineText string

var timelinePage = template.Must(template.New("timeline").Parse(timelineText))

// timeline is a run as somebody looks at it who wants to know what went wrong:
// a page that needs nothing but itself and a browser.
type timeline struct {
	Result
	Promise string
	// Again is the command that makes such a run again.
	Again string
	// Span is how long the history is, in seconds, as all places on the page are.
	Span     float64
	Judged   []judgement
	Drawn    choice
	Load     []bucket
	Marks    []bar
	Faults   [][]bar
	Nodes    []lane
	Clients  []lane
	Explains []string // files beside the page
}

// judgement is what one checker found.
type judgement struct {
	Checker  string
	Findings []foundAt
}

// foundAt is a finding with the operations that it names.
type foundAt struct {
	Text, File string
	Ops        []named
}

// named is an operation that a finding names, and whether it is on the page.
type named struct {
	Number int
	Drawn  bool
}

// lane is one row of the page.
type lane struct {
	Name string
	Thin bool // one of many, of clients that a fault has brought
	Bars []bar
	// Hit (of a control node) are the faults that were done to it.
	Hit []bar
}

// bar is something that lasts. From and To are seconds.
type bar struct {
	From, To float64
	Class    string
	Number   int
	Key      string
	Text     string // in the bar
	Detail   string // beside the page, line by line
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// saveTimeline draws a run.
func saveTimeline(path string, t Test, res Result, v Evidence) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := timelinePage.Execute(f, draw(t, res, v)); err != nil {
		_ = f.Close()
		return fmt.Errorf("timeline: %w", err)
	}
	return f.Close()
}

// draw lays a run out.
func draw(t Test, res Result, v Evidence) timeline {
	p := timeline{Result: res, Promise: t.Promise, Again: res.Again()}
	p.Span = seconds(end(v))
	p.Drawn = choose(v.Ops, pointedAt(res.Findings), maxDrawn)
	shown := map[int]bool{}
	for _, op := range p.Drawn.Ops {
		shown[op.Number] = true
	}
	p.Judged = judged(res.Findings, shown)
	p.Load = load(v.Ops, p.Span)
	p.Marks = marks(p.Drawn)
	p.Clients = clientLanes(p.Drawn)
	faults := faultBars(v.Events, p.Span)
	p.Faults = stack(faults)
	p.Nodes = nodeLanes(v.Events, faults, p.Span)
	p.Explains = v.files()
	return p
}

// end is when the last thing of a run happened.
func end(v Evidence) (last int64) {
	for _, op := range v.Ops {
		last = max(last, op.Return)
	}
	for _, e := range v.Events {
		last = max(last, e.At)
	}
	return max(last, 1)
}

// pointedAt are the operations that findings name.
func pointedAt(all []Finding) map[int]bool {
	out := map[int]bool{}
	for _, f := range all {
		for _, n := range f.Ops {
			out[n] = true
		}
	}
	return out
}

// judged sorts findings by their checker, in the order in which they came.
func judged(all []Finding, shown map[int]bool) (out []judgement) {
	for _, f := range all {
		i := slices.IndexFunc(out, func(j judgement) bool { return j.Checker == f.Checker })
		if i < 0 {
			i = len(out)
			out = append(out, judgement{Checker: f.Checker})
		}
		at := foundAt{Text: f.Text, File: f.File}
		for _, n := range f.Ops {
			at.Ops = append(at.Ops, named{n, shown[n]})
		}
		out[i].Findings = append(out[i].Findings, at)
	}
	return out
}

// marks are the named operations once more, to be seen across all lanes.
func marks(c choice) (out []bar) {
	for _, op := range c.Ops {
		if c.named[op.Number] {
			out = append(out, bar{From: seconds(op.Call), To: seconds(op.Return), Number: op.Number, Text: fmt.Sprintf("#%d", op.Number)})
		}
	}
	return out
}

// Headline says in a line how the run was.
func (p timeline) Headline() string {
	done, seen := 0, 0
	for name, n := range p.Result.Faults {
		done += n
		seen += p.Seen[name]
	}
	return fmt.Sprintf("%d operations in %.0f s, %d of them done, %.2f %% with an unknown outcome; longest outage %.1f s; %d faults, %d with an effect",
		p.Result.Ops, p.Seconds, p.OKs, 100*p.Unknown, float64(p.Outage)/1000, done, seen)
}
