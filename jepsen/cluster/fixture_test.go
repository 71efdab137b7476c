package cluster

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// story reads a history as text, an operation a line: what, key, values
// (separated by commas, or -), from-to in milliseconds, the outcome, and the
// index if there is one. Operations are numbered from 1, and each is of a
// client of its own.
//
//	write x w1 10-20 ok @5
func story(t *testing.T, lines ...string) (out []Op) {
	t.Helper()
	for i, line := range lines {
		w := strings.Fields(line)
		if len(w) < 5 || len(w) > 6 {
			t.Fatalf("%q is no operation", line)
		}
		from, to, _ := strings.Cut(w[3], "-")
		op := Op{Number: i + 1, Client: i, Node: "c1", Action: Action(w[0]), Key: w[1], Call: milliseconds(t, from), Return: milliseconds(t, to), Outcome: Outcome(w[4])}
		if w[2] != "-" {
			op.Values = strings.Split(w[2], ",")
		}
		if op.Outcome == Fail {
			op.Status = 503
		}
		if len(w) == 6 {
			index, err := strconv.ParseUint(strings.TrimPrefix(w[5], "@"), 10, 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			op.Index = index
		}
		out = append(out, op)
	}
	return out
}

func milliseconds(t *testing.T, text string) int64 {
	t.Helper()
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return ms * int64(time.Millisecond)
}

// diary reads a log as text, an entry a line: index, kind, request, and of a
// server.update/1 the server and its name.
//
//	5 server.update/1 r1 x w1
func diary(t *testing.T, lines ...string) (out []LogEntry) {
	t.Helper()
	for _, line := range lines {
		w := strings.Fields(line)
		index, err := strconv.ParseUint(w[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		e := LogEntry{Index: index, Term: 1, Kind: w[1], Body: json.RawMessage(`{}`)}
		if len(w) > 2 {
			e.Request = w[2]
		}
		if len(w) == 5 {
			e.Body = renaming(w[3], w[4])
		}
		out = append(out, e)
	}
	return out
}

func renaming(server, name string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"name":%q}`, server, name))
}

// verdicts checks that a checker finds exactly what is wanted: each want is a
// part of one finding, in order.
func verdicts(t *testing.T, found []Finding, want ...string) {
	t.Helper()
	if len(found) != len(want) {
		t.Errorf("%d findings, want %d: %+v", len(found), len(want), found)
		return
	}
	for i, f := range found {
		if !strings.Contains(f.Text, want[i]) {
			t.Errorf("finding %d is %q, want %q", i, f.Text, want[i])
		}
	}
}
