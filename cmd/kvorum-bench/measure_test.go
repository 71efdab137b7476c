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
)

func TestMeasureCountsAndFails(t *testing.T) {
	rate, err := measure(4, 10*time.Millisecond, func(context.Context, int, uint64) error { return nil })
	if err != nil || rate <= 0 {
		t.Errorf("rate %v, %v", rate, err)
	}
	broken := errors.New("broken")
	if _, err := measure(4, time.Millisecond, func(context.Context, int, uint64) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("median = %v", got)
	}
}

func TestRunWritesOneLineForEachRow(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "bench.jsonl")
	if err := run(options{only: []string{"propose_c16"}, data: dir, out: out, turns: 1, seconds: 0.2}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	var got []row
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if len(got) != 1 || got[0].Name != "propose_c16" || got[0].Value <= 0 || got[0].Ratio <= 0 || got[0].Better != "higher" {
		t.Errorf("rows: %+v", got)
	}
}
