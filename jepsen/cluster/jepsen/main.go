package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/jepsen/cluster"
	"github.com/kvorum/kvorum/jepsen/disk"
	"github.com/kvorum/kvorum/jepsen/disk/drive"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == disk.Serve {
		os.Exit(drive.Main(os.Args[2:]))
	}
	tests := flag.String("t", "", "tests to run, by id, separated by commas; all if empty")
	seed := flag.Uint64("seed", 0, "seed of the first run; chosen if 0")
	span := flag.Duration("duration", 30*time.Second, "how long clients work under faults in each run")
	runs := flag.Int("runs", 1, "runs of each test")
	binary := flag.String("bin", "out/faults/kvorum", "the program, built with the tag 'faults'")
	out := flag.String("out", "out", "folder for results and for what is kept of failed runs")
	document := flag.String("report", "", "make no run, but add those that are in the folder's jepsen.jsonl and were not reported yet to this document")
	flag.Parse()
	if *document != "" {
		added, err := report(*document, *out)
		end(false, err)
		fmt.Printf("%d runs added to %s\n", added, *document)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bad, err := all(ctx, plan{pick(*tests), *seed, *span, *runs, *binary, *out})
	end(bad, err)
}

// end ends with what happened, if it is bad.
func end(bad bool, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "jepsen:", err)
		os.Exit(1)
	}
	if bad {
		os.Exit(2)
	}
}

// pick gives the tests that are asked for.
func pick(ids string) (out []cluster.Test) {
	want := strings.FieldsFunc(ids, func(r rune) bool { return r == ',' })
	for _, t := range cluster.Tests {
		if len(want) == 0 || slices.Contains(want, t.ID) {
			out = append(out, t)
		}
	}
	return out
}

type plan struct {
	tests  []cluster.Test
	seed   uint64
	span   time.Duration
	runs   int
	binary string
	out    string
}

// all does every run and tells whether one of them shows that a promise is
// broken.
func all(ctx context.Context, p plan) (bad bool, err error) {
	if len(p.tests) == 0 {
		return false, fmt.Errorf("there is no such test")
	}
	if p.binary, err = filepath.Abs(p.binary); err != nil {
		return false, err
	}
	if p.out, err = filepath.Abs(p.out); err != nil {
		return false, err
	}
	if err := os.MkdirAll(p.out, 0o755); err != nil {
		return false, err
	}
	lines, err := os.OpenFile(filepath.Join(p.out, "jepsen.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return false, err
	}
	defer lines.Close()
	seed := p.seed
	if seed == 0 {
		seed = rand.Uint64N(1e9) + 1
	}
	for i := range p.runs {
		for _, t := range p.tests {
			if ctx.Err() != nil {
				return bad, ctx.Err()
			}
			res, err := p.one(ctx, t, seed+uint64(i))
			if err != nil {
				return bad, fmt.Errorf("%s SEED=%d: %w", t.ID, seed+uint64(i), err)
			}
			bad = bad || res.Verdict == cluster.Violated
			if err := json.NewEncoder(lines).Encode(res); err != nil {
				return bad, err
			}
		}
	}
	return bad, nil
}

// one does a run in a folder of its own, which goes if there is nothing to see.
func (p plan) one(ctx context.Context, t cluster.Test, seed uint64) (cluster.Result, error) {
	dir := filepath.Join(p.out, "jepsen", fmt.Sprintf("%s-%d", t.ID, seed))
	if err := os.RemoveAll(dir); err != nil {
		return cluster.Result{}, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cluster.Result{}, err
	}
	res, err := cluster.Run(ctx, t, cluster.Options{Binary: p.binary, Seed: seed, Duration: p.span, Dir: dir, Clock: clock.Real{}, Prefix: "kvjep"})
	if err != nil {
		return res, err
	}
	fmt.Println(res)
	if res.Verdict == cluster.Holds {
		return res, os.RemoveAll(dir)
	}
	return res, nil
}
