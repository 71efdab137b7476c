package cluster

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// node is an element of a page.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

func (e node) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all gives every element below that has the class.
func (e node) all(class string) (out []node) {
	if slices.Contains(strings.Fields(e.attr("class")), class) {
		out = append(out, e)
	}
	for _, c := range e.Children {
		out = append(out, c.all(class)...)
	}
	return out
}

// words is all text below.
func (e node) words() string {
	text := e.Text
	for _, c := range e.Children {
		text += " " + c.words()
	}
	return text
}

var inert = regexp.MustCompile(`(?s)<(style|script)>.*?</(style|script)>`)

// readPage reads a page as a browser would, without its style and script.
func readPage(t *testing.T, path string) (text string, root node) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(inert.ReplaceAllString(string(b), "")))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	if err := d.Decode(&root); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return string(b), root
}

// TestTimelineShowsARun: who debugs sees each operation in its client's lane
// with all that is known of it, what was done and seen meanwhile, and comes
// from a finding to its operations.
func TestTimelineShowsARun(t *testing.T) {
	const evil = `</script><script>alert("x")</script><img src="http://evil">`
	ops := []Op{
		{Number: 1, Client: 0, Node: "c1", Action: Write, Key: "key-1", Values: []string{"w1"}, Call: 1e9, Return: 2e9, Outcome: OK, Index: 7, Request: "req-1", Status: 200},
		{Number: 2, Client: 1, Node: "c2", Action: Read, Key: "key-1", Values: []string{"new-" + evil}, Call: 3e9, Return: 3.5e9, Outcome: OK, Index: 6, Request: "req-2", Status: 200},
		{Number: 3, Client: 10, Node: "c3", Action: Write, Key: "key-2", Values: []string{"w2"}, Call: 3e9, Return: 4e9, Outcome: Info, Error: evil},
		{Number: 4, Client: 0, Node: "c1", Action: Read, Key: "key-2", Call: 4e9, Return: 5e9, Outcome: Fail, Status: 503, Error: "no leader"},
	}
	events := []Event{
		{At: 0.5e9, On: []string{"c1"}, Role: "leader", Term: 2}, {At: 0.6e9, On: []string{"c2"}, Role: "follower", Term: 2},
		{At: 1.5e9, Name: "pause leader", On: []string{"c1"}, Begins: true}, {At: 1.6e9, On: []string{"c1"}, Role: Silent},
		{At: 2.5e9, Name: "pause leader", On: []string{"c1"}, Ends: true, Text: "1 in state T"},
		{At: 2.6e9, Name: "kill one", On: []string{"c2"}, Begins: true}, {At: 2.7e9, Name: "kill one", On: []string{"c2"}, Ends: true},
		{At: 2.65e9, Name: "remark", Text: "it rains"},
		{At: 4.5e9, Name: "partition one", On: []string{"c2"}, Begins: true},
	}
	dir := t.TempDir()
	res := Result{Test: "T3", Seed: 7, Duration: "12s", Verdict: Violated, Why: []string{"too little"}, Ops: 4, Findings: []Finding{
		{Checker: "order by index", Text: "it goes back" + evil, Ops: []int{1, 2}}, {Checker: "linearizable", Text: "key-1 is not", File: "register-key-1.html"}}}
	path := filepath.Join(dir, "timeline.html")
	if err := os.WriteFile(filepath.Join(dir, "history.jsonl"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := saveTimeline(path, Test{ID: "T3", Promise: "P2: reads"}, res, Evidence{Ops: ops, Events: events, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	text, page := readPage(t, path)
	lanes := map[string][]string{}
	for _, row := range page.all("row") {
		name := row.all("name")[0].Text
		for _, b := range row.all("bar") {
			lanes[name] = append(lanes[name], b.attr("class")+"|"+b.attr("style")+"|"+strings.TrimSpace(b.words()))
		}
	}
	for lane, want := range map[string][]string{
		"client 0":  {"bar ok change named|--a:1;--b:2|write w1 c1", "bar fail|--a:4;--b:5|read  c1"},
		"client 1":  {"bar ok named|--a:3;--b:3.5|read new-"},
		"client 10": {"bar info change|--a:3;--b:4|write w2 c3"},
		"faults":    {"bar fault|--a:1.5;--b:2.5|pause leader: c1 (1 in state T)", "bar fault vain|--a:2.6;--b:2.7|kill one: c2", "bar fault|--a:4.5;--b:5|partition one: c2", "bar fault|--a:2.65;--b:2.65|remark:  (it rains)"},
		"c1":        {"bar role leader|--a:0.5;--b:1.6|leader in term 2", "bar role silent|--a:1.6;--b:5|silent", "bar hit|--a:1.5;--b:2.5|"},
		"c2":        {"bar role follower|--a:0.6;--b:5|follower in term 2", "bar hit|--a:2.6;--b:2.7|", "bar hit|--a:4.5;--b:5|"},
	} {
		if len(lanes[lane]) != len(want) {
			t.Errorf("lane %s: %q", lane, lanes[lane])
			continue
		}
		for i := range want {
			if !strings.HasPrefix(lanes[lane][i], want[i]) {
				t.Errorf("lane %s: %q, want %q", lane, lanes[lane][i], want[i])
			}
		}
	}
	bars := page.all("client")
	var details string
	for _, row := range bars {
		for _, b := range row.all("bar") {
			details += b.attr("data-d") + "\n"
		}
	}
	for _, part := range []string{"#1  client 0 at c1: ok", "write key-1", "1.000000 s to 2.000000 s: 1000.000 ms", "value: w1", "HTTP 200, index 7, request req-1", "no leader", evil} {
		if !strings.Contains(details, part) {
			t.Errorf("no operation's details say %q", part)
		}
	}
	for _, part := range []string{"VIOLATED", "P2: reads", "make jepsen T=T3 SEED=7 DURATION=12s", "too little", "order by index: 1", "it goes back", "linearizable: 1", "history.jsonl"} {
		if !strings.Contains(page.words(), part) {
			t.Errorf("the page does not say %q", part)
		}
	}
	for _, link := range []string{`href="#op=1"`, `href="#op=2"`, `id="op=1"`, `id="op=2"`, `href="register-key-1.html"`} {
		if !strings.Contains(text, link) {
			t.Errorf("there is no %s", link)
		}
	}
	if marks := page.all("flag"); len(marks) != 2 || marks[0].Text != "#1" {
		t.Errorf("flags: %+v", marks)
	}
	if strings.Contains(page.words(), "operations are drawn") {
		t.Error("it says that something is left out")
	}
	aloneInTheWorld(t, text, evil)
}

// aloneInTheWorld checks that a page asks nobody for anything, and that what
// nodes answered is text in it.
func aloneInTheWorld(t *testing.T, text, evil string) {
	t.Helper()
	if strings.Contains(text, evil) || strings.Count(text, "<script") != 1 {
		t.Error("an answer became a part of the page")
	}
	for _, outside := range []string{`src=`, `href="http`, `href="//`, `@import`, `url(`, `fetch(`} {
		if i := strings.Index(strings.ReplaceAll(text, `src=&#34;`, ""), outside); i >= 0 {
			t.Errorf("the page asks for something: %.80s", text[i:])
		}
	}
}

// busy is a history of one operation every 10 ms.
func busy(n int) (out []Op) {
	for i := range n {
		out = append(out, Op{Number: i + 1, Client: i % 5, Action: Read, Call: int64(i) * 1e7, Return: int64(i)*1e7 + 5e6, Outcome: OK})
	}
	return out
}

func TestChoose(t *testing.T) {
	for name, c := range map[string]struct {
		ops   int
		named []int
		limit int
		drawn int
		// all are drawn from the one to the other.
		from, to int
		left     string
	}{
		"all fit":                    {ops: 1000, named: []int{500}, limit: 1000, drawn: 1000, from: 1, to: 1000},
		"nothing is named":           {ops: 10_000, limit: 1000, drawn: 1000, left: "1000 of 10000 operations are drawn: 1000 of the 10000, evenly. All of them are in history.jsonl."},
		"around one":                 {ops: 10_000, named: []int{5000}, limit: 1000, drawn: 1000, from: 4801, to: 5199, left: "all 401 within 2 s of those that findings name, and 599 of the other 9599, evenly"},
		"around two":                 {ops: 10_000, named: []int{100, 9000}, limit: 1000, drawn: 1000, from: 8801, to: 9199, left: "all 701 within 2 s"},
		"too many around":            {ops: 10_000, named: []int{5000}, limit: 100, drawn: 100, from: 4952, to: 5048, left: "the 100 nearest of the 401 within 2 s of those that findings name, and 0 of the other 9599"},
		"none":                       {limit: 10},
		"it names what is not there": {ops: 100, named: []int{1000}, limit: 10, drawn: 10, left: "10 of 100"},
	} {
		t.Run(name, func(t *testing.T) {
			named := map[int]bool{}
			for _, n := range c.named {
				named[n] = true
			}
			got := choose(busy(c.ops), named, c.limit)
			if len(got.Ops) != c.drawn || !strings.Contains(got.Left, c.left) || (got.Left == "") != (c.left == "") {
				t.Errorf("%d drawn; %q", len(got.Ops), got.Left)
			}
			at := map[int]bool{}
			for i, op := range got.Ops {
				at[op.Number] = true
				if i > 0 && op.Call < got.Ops[i-1].Call {
					t.Errorf("#%d is out of order", op.Number)
				}
			}
			if len(at) != len(got.Ops) {
				t.Error("something is drawn twice")
			}
			for n := max(1, c.from); n <= c.to; n++ {
				if !at[n] {
					t.Errorf("#%d is left out", n)
				}
			}
		})
	}
}

// TestChooseAroundALongOne: what ran while a named operation waited is near it.
func TestChooseAroundALongOne(t *testing.T) {
	ops := busy(10_000)
	ops = append(ops, Op{Number: 20_000, Client: 9, Action: Write, Call: 20e9, Return: 32e9, Outcome: Info})
	got := choose(ops, map[int]bool{20_000: true}, 1800)
	around := 0
	for _, op := range got.Ops {
		if op.Call >= 18.01e9 && op.Return <= 33.99e9 {
			around++
		}
	}
	if first, last := got.Ops[0], got.Ops[len(got.Ops)-1]; around < 1590 || first.Number != 1 || last.Number < 9900 {
		t.Errorf("%d around it, from #%d to #%d", around, first.Number, last.Number)
	}
}

// TestTimelineIsBounded: a long run makes a page that a browser can show.
func TestTimelineIsBounded(t *testing.T) {
	ops := busy(40_000)
	for i := range ops {
		ops[i].Values = []string{strings.Repeat("v", 5000)}
		ops[i].Error = strings.Repeat("e", 5000)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "timeline.html")
	res := Result{Findings: []Finding{{Checker: "x", Text: "y", Ops: []int{7}}}}
	if err := saveTimeline(path, Test{}, res, Evidence{Ops: ops, Dir: dir}); err != nil {
		t.Fatal(err)
	}
	text, page := readPage(t, path)
	if n := strings.Count(text, `id="op=`); n != maxDrawn {
		t.Errorf("%d operations are drawn", n)
	}
	if len(text) > 16<<20 {
		t.Errorf("%d bytes", len(text))
	}
	if !strings.Contains(page.words(), fmt.Sprintf("%d of 40000 operations are drawn", maxDrawn)) {
		t.Error("it does not say what is left out")
	}
	if n := len(page.all("heap")); n < 100 || n > 700 {
		t.Errorf("%d pieces of load", n)
	}
}

func TestStack(t *testing.T) {
	rows := stack([]bar{{From: 0, To: 10}, {From: 1, To: 2}, {From: 2, To: 3}, {From: 2.5, To: 4}, {From: 10, To: 11}})
	var got []int
	for _, row := range rows {
		got = append(got, len(row))
	}
	if !slices.Equal(got, []int{2, 2, 1}) {
		t.Errorf("%+v", rows)
	}
}
