package cluster

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// faultBars gives each fault from its begin to its end; one that did not end
// lasts as long as the run. A remark is a bar without a length.
func faultBars(events []Event, span float64) (out []bar) {
	open := map[string][]int{} // by name and machines, the bars without an end
	for _, e := range byTime(events) {
		who := e.Name + " " + strings.Join(e.On, " ")
		switch begun := open[who]; {
		case e.Role != "":
		case e.Begins:
			open[who] = append(begun, len(out))
			out = append(out, faultBar(e, seconds(e.At), span))
		case e.Ends && len(begun) > 0:
			b := &out[begun[0]]
			open[who] = begun[1:]
			b.To = seconds(e.At)
			b.effect(e.Text)
		default:
			b := faultBar(e, seconds(e.At), seconds(e.At))
			b.effect(e.Text)
			out = append(out, b)
		}
	}
	return out
}

func faultBar(e Event, from, to float64) bar {
	return bar{From: from, To: to, Class: "fault", Key: strings.Join(e.On, " "), Text: e.Name + ": " + strings.Join(e.On, " ")}
}

// effect notes what a fault's end told; a fault without an effect looks like
// one.
func (b *bar) effect(text string) {
	b.Detail = fmt.Sprintf("%s\n%.3f s to %.3f s: %.3f s\neffect: %s", b.Text, b.From, b.To, b.To-b.From, text)
	if text == "" {
		b.Class += " vain"
		b.Detail += "none that was seen"
		return
	}
	b.Text += " (" + text + ")"
}

func byTime(events []Event) []Event {
	return slices.SortedStableFunc(slices.Values(events), func(a, b Event) int { return cmp.Compare(a.At, b.At) })
}

// stack puts bars that overlap into rows below each other.
func stack(bars []bar) (rows [][]bar) {
	for _, b := range bars {
		i := slices.IndexFunc(rows, func(row []bar) bool { return row[len(row)-1].To <= b.From })
		if i < 0 {
			i = len(rows)
			rows = append(rows, nil)
		}
		rows[i] = append(rows[i], b)
	}
	return rows
}

// nodeLanes shows what each control node was seen to be, and which faults were
// done to it.
func nodeLanes(events []Event, faults []bar, span float64) (out []lane) {
	for _, e := range byTime(events) {
		if e.Role == "" || len(e.On) != 1 {
			continue
		}
		i := slices.IndexFunc(out, func(l lane) bool { return l.Name == e.On[0] })
		if i < 0 {
			i = len(out)
			out = append(out, lane{Name: e.On[0], Hit: hits(faults, e.On[0])})
		}
		l := &out[i]
		if n := len(l.Bars); n > 0 {
			l.Bars[n-1].To = seconds(e.At)
		}
		text := e.Role
		if e.Term > 0 {
			text += fmt.Sprintf(" in term %d", e.Term)
		}
		l.Bars = append(l.Bars, bar{From: seconds(e.At), To: span, Class: "role " + e.Role, Text: text})
	}
	for i := range out {
		for j := range out[i].Bars {
			b := &out[i].Bars[j]
			b.Detail = fmt.Sprintf("%s: %s\n%.3f s to %.3f s, as seen from outside", out[i].Name, b.Text, b.From, b.To)
		}
	}
	slices.SortFunc(out, func(a, b lane) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// hits are the faults that were done to a machine.
func hits(faults []bar, name string) (out []bar) {
	for _, b := range faults {
		if slices.Contains(strings.Fields(b.Key), name) {
			out = append(out, b)
		}
	}
	return out
}

// bucket counts what ended within a piece of the run, in thousandths of the
// fullest one's.
type bucket struct {
	bar
	OK, Fail, Info int
}

// load shows all operations, drawn or not: a gap in it is an outage.
func load(ops []Op, span float64) []bucket {
	const most = 600
	width := max(0.1, span/most)
	list := make([]bucket, int(span/width)+1)
	for _, op := range ops {
		b := &list[int(seconds(op.Return)/width)]
		switch op.Outcome {
		case OK:
			b.OK++
		case Fail:
			b.Fail++
		case Info:
			b.Info++
		}
	}
	full := 1
	for i := range list {
		b := &list[i]
		full = max(full, b.OK+b.Fail+b.Info)
		b.From, b.To = float64(i)*width, float64(i+1)*width
		b.Detail = fmt.Sprintf("%.1f s to %.1f s\n%d ok, %d fail, %d info", b.From, b.To, b.OK, b.Fail, b.Info)
	}
	for i := range list {
		b := &list[i]
		b.OK, b.Fail, b.Info = 1000*b.OK/full, 1000*b.Fail/full, 1000*b.Info/full
	}
	return slices.DeleteFunc(list, func(b bucket) bool { return b.OK+b.Fail+b.Info == 0 })
}

// files are those beside the page that explain more.
func (v Evidence) files() (out []string) {
	for _, pattern := range []string{"*.jsonl", "nodes/*/*.log"} {
		found, err := filepath.Glob(filepath.Join(v.Dir, pattern))
		if err != nil {
			continue // the patterns are good
		}
		for _, path := range found {
			if rest, err := filepath.Rel(v.Dir, path); err == nil {
				out = append(out, rest)
			}
		}
	}
	return out
}
