package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kvorum/kvorum/raftnode"
	"github.com/kvorum/kvorum/raftnode/barepeer"
)

// rows are the measurements: a name and how many callers propose at once.
var rows = []struct {
	name    string
	callers int
}{
	{"propose_c1", 1},
	{"propose_c16", 16},
	{"propose_c256", 256},
}

type options struct {
	only    []string
	data    string
	out     string
	turns   int
	seconds float64
}

func main() {
	var o options
	names := flag.String("row", os.Getenv("ROW"), "measure only these rows, separated by commas (default: $ROW, else all)")
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
	dir, err := os.MkdirTemp(o.data, "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ours, closeOurs, err := openOurs(filepath.Join(dir, "ours"))
	if err != nil {
		return err
	}
	defer closeOurs()
	peer, closePeer, err := openPeer(filepath.Join(dir, "peer"))
	if err != nil {
		return err
	}
	defer closePeer()
	for _, r := range rows {
		if len(o.only) > 0 && !slices.Contains(o.only, r.name) {
			continue
		}
		span := time.Duration(o.seconds * float64(time.Second))
		result, err := compare(r.name, r.callers, o.turns, span, ours, peer)
		if err != nil {
			return err
		}
		if err := report(o.out, result); err != nil {
			return err
		}
	}
	return nil
}

// report prints a row for people and appends it for machines.
func report(path string, r row) error {
	fmt.Printf("%-14s %10.0f %s   %s %10.0f   ratio %.2f\n", r.Name, r.Value, r.Unit, r.Peer, r.PeerValue, r.Ratio)
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

// openOurs starts a cluster of one with the workload's state machine.
func openOurs(dir string) (side, func() error, error) {
	w := newWorkload()
	cfg := raftnode.Config{Dir: dir, NodeID: "n1", ClusterID: "bench", Machine: w.machine()}
	if err := raftnode.Bootstrap(cfg, []raftnode.Server{{ID: "n1", Address: "n1"}}); err != nil {
		return nil, nil, err
	}
	n, err := raftnode.Open(cfg)
	if err != nil {
		return nil, nil, err
	}
	for role, changed := n.WatchRole(); role.State != raftnode.Leader; role, changed = n.WatchRole() {
		<-changed
	}
	propose := func(ctx context.Context, data []byte) error {
		out := n.Propose(ctx, data)
		if out.Verdict != raftnode.Done {
			return fmt.Errorf("%v: %w", out.Verdict, out.Err)
		}
		return nil
	}
	err = w.prepare(func(data []byte) error { return propose(context.Background(), data) })
	if err != nil {
		n.Close()
		return nil, nil, err
	}
	return func(ctx context.Context, caller int, i uint64) error {
		return propose(ctx, w.command(caller, i))
	}, n.Close, nil
}

// openPeer starts the peer. Its entries carry nothing, and are as long as ours
// are in the log.
func openPeer(dir string) (side, func() error, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	p, err := barepeer.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	w := newWorkload()
	return func(_ context.Context, caller int, i uint64) error {
		command := w.command(caller, i)
		return p.Propose(append(command, make([]byte, raftnode.EntryOverhead)...))
	}, p.Close, nil
}
