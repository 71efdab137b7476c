package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type options struct {
	only    []string
	bin     string
	data    string
	out     string
	turns   int
	seconds float64
}

// wants tells whether one of the rows was asked for.
func (o options) wants(rows ...string) bool {
	return len(o.only) == 0 || slices.ContainsFunc(rows, func(r string) bool { return slices.Contains(o.only, r) })
}

func main() {
	var o options
	names := flag.String("row", os.Getenv("ROW"), "measure only these rows, separated by commas (default: $ROW, else all)")
	flag.StringVar(&o.bin, "bin", "bin/kvorum", "the program, for the rows that measure a process")
	flag.StringVar(&o.data, "data", "out", "folder on the disk to measure; a temporary folder is made in it")
	flag.StringVar(&o.out, "out", filepath.Join("out", "bench.jsonl"), "file that result lines are appended to")
	flag.IntVar(&o.turns, "turns", 3, "how often each side is measured; the median counts")
	flag.Float64Var(&o.seconds, "seconds", 3, "length of one measurement")
	flag.Parse()
	if *names != "" {
		o.only = strings.Split(*names, ",")
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "kvorum-bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.turns < 1 || o.seconds <= 0 {
		return fmt.Errorf("at least one turn of some seconds is needed")
	}
	if err := os.MkdirAll(o.data, 0o755); err != nil {
		return err
	}
	for _, r := range proposeRows {
		if !o.wants(r.name) {
			continue
		}
		result, err := sideBySide(o, r.name, r.callers, r.load())
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		if err := report(o.out, result); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		rows []string
		do   func(options) ([]row, error)
	}{
		{[]string{"dev_ready", "rss_empty"}, devReady},
		{[]string{"http_create_c16"}, httpCreate},
		{[]string{"rss_100k"}, rss100k},
	} {
		if !o.wants(m.rows...) {
			continue
		}
		results, err := m.do(o)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(m.rows, ", "), err)
		}
		for _, r := range results {
			if err := report(o.out, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// report prints a row for people and appends it for machines.
func report(path string, r row) error {
	fmt.Printf("%-16s %10.0f %-6s", r.Name, r.Value, r.Unit)
	if r.Peer != "" {
		fmt.Printf("  %s %10.0f  ratio %.2f", r.Peer, r.PeerValue, r.Ratio)
	}
	fmt.Println()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
