package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/raftnode"
	"github.com/kvorum/kvorum/raftnode/barepeer"
)

// The two sides.
const (
	ours = "kvorum"
	bare = "hashicorp/raft"
)

// engine is a node of one of the sides.
type engine interface {
	// propose gets an encoded command through the log.
	propose(ctx context.Context, data []byte) error
	// read does a linearizable read.
	read(ctx context.Context) error
	// leads tells whether this node leads, and whether it knows a leader.
	leads() (leads, known bool)
	// applied is how far this node is.
	applied() uint64
	close() error
}

// setup names a node and its cluster.
type setup struct {
	Side string            `json:"side"`
	Dir  string            `json:"dir"`
	ID   string            `json:"id"`
	All  []raftnode.Server `json:"all"`
	// Fresh nodes are made before they start; the first one makes the cluster.
	Fresh bool `json:"fresh"`
}

func (s setup) open(w *wire) (engine, error) {
	if s.Side == bare {
		p, err := barepeer.Open(barepeer.Config{Dir: s.Dir, ID: s.ID, Servers: s.All, Stream: w.stream()})
		return &bareNode{p}, err
	}
	m := fsm.New(false)
	cfg := raftnode.Config{Dir: s.Dir, NodeID: s.ID, ClusterID: "bench", Machine: replica{m}, Stream: w.stream(), Peers: w.peers()}
	for _, x := range s.All {
		if x.ID == s.ID {
			cfg.Address = x.Address
		}
	}
	var err error
	switch {
	case s.Fresh && s.All[0].ID == s.ID:
		err = raftnode.Bootstrap(cfg, s.All)
	case s.Fresh:
		err = raftnode.Prepare(cfg)
	}
	if err != nil {
		return nil, err
	}
	n, err := raftnode.Open(cfg)
	if err != nil {
		return nil, err
	}
	w.answer(n)
	return &ourNode{n, m}, nil
}

// ourNode is raftnode with the real state machine.
type ourNode struct {
	*raftnode.Node
	machine *fsm.Machine
}

func (n *ourNode) propose(ctx context.Context, data []byte) error {
	out := n.Propose(ctx, data)
	if out.Verdict != raftnode.Done {
		return fmt.Errorf("%v: %w", out.Verdict, out.Err)
	}
	if res, ok := out.Result.(fsm.Result); !ok || res.Err != nil {
		return fmt.Errorf("refused: %v", out.Result)
	}
	return nil
}

func (n *ourNode) read(ctx context.Context) error {
	if _, err := n.ReadBarrier(ctx); err != nil {
		return err
	}
	if n.machine.View().Cluster() == nil {
		return fmt.Errorf("the state has no cluster")
	}
	return nil
}

func (n *ourNode) leads() (leads, known bool) {
	r := n.Role()
	return r.State == raftnode.Leader, r.LeaderID != ""
}

func (n *ourNode) applied() uint64 { return n.AppliedIndex() }
func (n *ourNode) close() error    { return n.Close() }

// bareNode is the library with a state machine that only counts.
type bareNode struct{ *barepeer.Peer }

// propose makes the entry as long as ours is in the log, where it has a header.
func (n *bareNode) propose(_ context.Context, data []byte) error {
	entry := make([]byte, raftnode.EntryOverhead, raftnode.EntryOverhead+len(data))
	return n.Propose(append(entry, data...))
}

func (n *bareNode) read(context.Context) error {
	_, err := n.Read()
	return err
}

func (n *bareNode) leads() (leads, known bool) { return n.Leads() }
func (n *bareNode) applied() uint64            { return n.Applied() }
func (n *bareNode) close() error               { return n.Close() }

// replica fits the real state machine to the log.
type replica struct{ *fsm.Machine }

// ApplyBatch implements raftnode.StateMachine.
func (r replica) ApplyBatch(entries []raftnode.Entry) (out []any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	in := make([]fsm.Entry, len(entries))
	for i, e := range entries {
		in[i] = fsm.Entry{Index: e.Index, Term: e.Term, At: e.At, Data: e.Data}
	}
	out = make([]any, len(entries))
	for i, res := range r.Machine.ApplyBatch(in) {
		out[i] = res
	}
	return out, nil
}

// Snapshot implements raftnode.StateMachine.
func (r replica) Snapshot() (io.WriterTo, error) { return r.Machine.Snapshot(), nil }

// freshDir makes a node's folder.
func freshDir(dir string) error { return os.MkdirAll(dir, 0o755) }
