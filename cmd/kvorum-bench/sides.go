package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/raftnode"
	"github.com/kvorum/kvorum/raftnode/barepeer"
)

// proposeRows are measured side by side with the bare library.
var proposeRows = []struct {
	name    string
	callers int
	load    func() workload
}{
	{"propose_c1", 1, func() workload { return &updates{} }},
	{"propose_c16", 16, func() workload { return &updates{} }},
	{"propose_c256", 256, func() workload { return &updates{} }},
	{"create_c256", 256, func() workload { return creates{} }},
}

// sideBySide measures one row on two fresh clusters of one, taking turns.
func sideBySide(o options, name string, callers int, w workload) (row, error) {
	dir, err := os.MkdirTemp(o.data, "bench-")
	if err != nil {
		return row{}, err
	}
	defer os.RemoveAll(dir)
	ours, closeOurs, err := openOurs(filepath.Join(dir, "ours"), w)
	if err != nil {
		return row{}, err
	}
	defer closeOurs()
	peer, closePeer, err := openPeer(filepath.Join(dir, "peer"), w)
	if err != nil {
		return row{}, err
	}
	defer closePeer()
	return compare(name, callers, o.turns, time.Duration(o.seconds*float64(time.Second)), ours, peer)
}

// openOurs starts a cluster of one with the real state machine.
func openOurs(dir string, w workload) (side, func() error, error) {
	cfg := raftnode.Config{Dir: dir, NodeID: "n1", ClusterID: "bench", Machine: replica{fsm.New(false)}}
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
		if res, ok := out.Result.(fsm.Result); !ok || res.Err != nil {
			return fmt.Errorf("refused: %v", out.Result)
		}
		return nil
	}
	if err := w.prepare(func(data []byte) error { return propose(context.Background(), data) }); err != nil {
		n.Close()
		return nil, nil, err
	}
	return func(ctx context.Context, caller int, i uint64) error {
		return propose(ctx, w.command(caller, i))
	}, n.Close, nil
}

// openPeer starts the peer. Its entries are the same commands, as long as ours
// are in the log; it only counts them.
func openPeer(dir string, w workload) (side, func() error, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	p, err := barepeer.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	return func(_ context.Context, caller int, i uint64) error {
		return p.Propose(append(w.command(caller, i), make([]byte, raftnode.EntryOverhead)...))
	}, p.Close, nil
}
