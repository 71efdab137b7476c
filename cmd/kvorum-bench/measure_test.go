package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/model"
)

// TestMain lets the test binary be a node, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == nodeArgument {
		runNode(os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

func TestWorkCountsAndFails(t *testing.T) {
	d, err := work(4, 100, 0, func(context.Context, int) error { return nil })
	if err != nil || d.Ops != 100 || d.Seconds <= 0 {
		t.Errorf("a number of operations: %+v, %v", d, err)
	}
	d, err = work(4, 0, 10*time.Millisecond, func(context.Context, int) error { return nil })
	if err != nil || d.Ops == 0 || d.Seconds < 0.01 {
		t.Errorf("a span: %+v, %v", d, err)
	}
	broken := errors.New("broken")
	if _, err := work(4, 100, 0, func(context.Context, int) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
}

func TestARatioIsThatOfTurns(t *testing.T) {
	// The machine was slow in the second turn: the medians of the rates alone
	// would say 3.
	r := compared("x", "ops/s", "higher", "peer", []float64{10, 1, 30}, []float64{5, 2, 60})
	if r.Value != 10 || r.PeerValue != 5 || r.Ratio != 0.5 {
		t.Errorf("%+v", r)
	}
	if got := median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("median = %v", got)
	}
}

func TestIDsAreNewAndOfTheirForm(t *testing.T) {
	ids, err := newIDs(4)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 4 {
		id := ids.take()
		if seen[id] || !model.IsUUID(id) {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
}

// results measures some rows and gives the lines that were written.
func results(t *testing.T, names ...string) map[string]row {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "bench.jsonl")
	if err := run(options{only: names, data: dir, out: out, turns: 1, seconds: 0.2}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := map[string]row{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		got[r.Name] = r
	}
	return got
}

func TestRowsOfBothSides(t *testing.T) {
	if testing.Short() {
		t.Skip("starts twelve nodes")
	}
	names := []string{"propose_single_c16", "create_c256", "read_leader_c64", "read_follower_c64", "failover_kill_p50"}
	got := results(t, names...)
	for _, name := range names {
		r, ok := got[name]
		if !ok || r.Value <= 0 || r.PeerValue <= 0 || r.Ratio <= 0 || r.Unit == "" || r.Better == "" || r.Peer == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if len(got) != len(names) {
		t.Errorf("rows: %+v", got)
	}
}

func TestAnUnknownRowIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := run(options{only: []string{"propose_c17"}, data: dir, out: filepath.Join(dir, "x"), turns: 1, seconds: 1}); err == nil {
		t.Error("nothing was measured, and nobody complained")
	}
}
