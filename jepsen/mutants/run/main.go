package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
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
	"github.com/kvorum/kvorum/jepsen/mutants"
)

// tries is how often each of a mutant's tests is run before it counts as
// missed.
const tries = 3

func main() {
	if len(os.Args) > 1 && os.Args[1] == disk.Serve {
		os.Exit(drive.Main(os.Args[2:]))
	}
	only := flag.String("m", "", "mutants, by name, separated by commas; all if empty")
	span := flag.Duration("duration", 20*time.Second, "how long clients work under faults in each run")
	seed := flag.Uint64("seed", 1, "seed of the first run of each")
	out := flag.String("out", "out", "folder for results and programs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	missed, err := hunt(ctx, strings.FieldsFunc(*only, func(r rune) bool { return r == ',' }), *span, *seed, *out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
	if missed > 0 {
		fmt.Printf("%d mutants were not caught\n", missed)
		os.Exit(2)
	}
}

// catch is what became of one mutant.
type catch struct {
	Mutant  string  `json:"mutant"`
	Breaks  string  `json:"breaks"`
	Caught  bool    `json:"caught"`
	Test    string  `json:"test,omitempty"`
	Seed    uint64  `json:"seed,omitempty"`
	Runs    int     `json:"runs"`
	Seconds float64 `json:"seconds"`
	By      string  `json:"by,omitempty"`
}

func hunt(ctx context.Context, only []string, span time.Duration, seed uint64, out string) (missed int, err error) {
	if out, err = filepath.Abs(out); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return 0, err
	}
	lines, err := os.OpenFile(filepath.Join(out, "mutants.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer lines.Close()
	for _, m := range mutants.All {
		if len(only) > 0 && !slices.Contains(only, m.Name) {
			continue
		}
		c, err := one(ctx, m, span, seed, out)
		if err != nil {
			return missed, err
		}
		fmt.Printf("%-30s %-8s %-4s %2d runs %4.0f s  %s\n", c.Mutant, map[bool]string{true: "caught", false: "MISSED"}[c.Caught], c.Test, c.Runs, c.Seconds, c.By)
		if !c.Caught {
			missed++
		}
		if err := json.NewEncoder(lines).Encode(c); err != nil {
			return missed, err
		}
	}
	return missed, nil
}

// one runs a mutant's tests until one of them finds something.
func one(ctx context.Context, m mutants.Mutant, span time.Duration, seed uint64, out string) (catch, error) {
	watch := clock.Real{}
	began := watch.Mono()
	c := catch{Mutant: m.Name, Breaks: m.Breaks}
	binary := filepath.Join(out, "mutant")
	if err := m.Build(ctx, ".", binary); err != nil {
		return c, err
	}
	defer os.Remove(binary)
	for i := range uint64(tries) {
		for _, id := range m.Tests {
			t := cluster.Tests[slices.IndexFunc(cluster.Tests, func(t cluster.Test) bool { return t.ID == id })]
			dir := filepath.Join(out, "mutants", m.Name)
			if err := os.RemoveAll(dir); err != nil {
				return c, err
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return c, err
			}
			c.Runs++
			res, err := cluster.Run(ctx, t, cluster.Options{Binary: binary, Seed: seed + i, Duration: span, Dir: dir, Clock: watch, Prefix: "kvmut"})
			if err != nil {
				return c, fmt.Errorf("%s: %s SEED=%d: %w", m.Name, id, seed+i, err)
			}
			c.Seconds = (watch.Mono() - began).Seconds()
			if res.Verdict == cluster.Violated {
				c.Caught, c.Test, c.Seed = true, id, res.Seed
				c.By = res.Findings[0].Checker + ": " + res.Findings[0].Text
				return c, os.RemoveAll(dir)
			}
		}
	}
	return c, nil
}
