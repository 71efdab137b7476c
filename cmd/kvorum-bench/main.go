package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type options struct {
	only    []string
	bin     string
	data    string
	out     string
	profile string
	turns   int
	seconds float64
}

func (o options) span() time.Duration { return time.Duration(o.seconds * float64(time.Second)) }

// wants tells whether one of the rows was asked for.
func (o options) wants(rows ...string) bool {
	return len(o.only) == 0 || slices.ContainsFunc(rows, func(r string) bool { return slices.Contains(o.only, r) })
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == nodeArgument {
		runNode(os.Stdin, os.Stdout)
		return
	}
	var o options
	names := flag.String("row", os.Getenv("ROW"), "measure only these rows, separated by commas (default: $ROW, else all)")
	flag.StringVar(&o.bin, "bin", "bin/kvorum", "the program, for the rows that measure a process")
	flag.StringVar(&o.data, "data", "out", "folder on the disk to measure; a temporary folder is made in it")
	flag.StringVar(&o.out, "out", filepath.Join("out", "bench.jsonl"), "file that result lines are appended to")
	flag.StringVar(&o.profile, "profile", "", "folder for CPU profiles of our leader, a file a row")
	flag.IntVar(&o.turns, "turns", 15, "how often each side is measured; the median counts")
	flag.Float64Var(&o.seconds, "seconds", 1, "length of one measurement")
	flag.Parse()
	if *names != "" {
		o.only = strings.Split(*names, ",")
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "kvorum-bench:", err)
		os.Exit(1)
	}
}

// group is some rows that are measured together.
type group struct {
	rows []string
	do   func(options) ([]row, error)
}

func groups() []group {
	list := []group{}
	for _, p := range proposeRows {
		list = append(list, group{[]string{p.name}, p.measure})
	}
	return append(list,
		group{[]string{"read_leader_c64", "read_follower_c64"}, reads},
		group{[]string{"failover_kill_p50"}, failover},
		group{[]string{"dev_ready", "rss_empty"}, devReady},
		group{[]string{"http_create_c16"}, httpCreate},
		group{[]string{"rss_100k"}, rss100k},
	)
}

func run(o options) error {
	if o.turns < 1 || o.seconds <= 0 {
		return fmt.Errorf("at least one turn of some seconds is needed")
	}
	for _, dir := range []string{o.data, o.profile} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	known := 0
	for _, g := range groups() {
		if !o.wants(g.rows...) {
			continue
		}
		known++
		results, err := g.do(o)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(g.rows, ", "), err)
		}
		for _, r := range results {
			if err := report(o.out, r); err != nil {
				return err
			}
		}
	}
	if known == 0 {
		return fmt.Errorf("no row is named %s", strings.Join(o.only, ","))
	}
	return nil
}

// report prints a row for people and appends it for machines.
func report(path string, r row) error {
	fmt.Printf("%-18s %10.0f %-6s", r.Name, r.Value, r.Unit)
	if r.Peer != "" {
		fmt.Printf("  %10.0f %s  ratio %.2f", r.PeerValue, r.Peer, r.Ratio)
	}
	fmt.Println(r.note)
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
