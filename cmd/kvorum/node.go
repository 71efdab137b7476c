package main

import (
	"context"
	"fmt"
	"io"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/raftnode"
)

// replica fits the state machine to the log.
type replica struct{ *fsm.Machine }

// ApplyBatch implements raftnode.StateMachine. What the machine cannot apply
// stops the node.
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
	for _, res := range r.Machine.ApplyBatch(in) {
		out = append(out, res)
	}
	return out, nil
}

// Snapshot implements raftnode.StateMachine.
func (r replica) Snapshot() (io.WriterTo, error) { return r.Machine.Snapshot(), nil }

// cluster is the control node as the front doors use it.
type cluster struct {
	raft    *raftnode.Node
	machine *fsm.Machine
}

// Read implements rest.Cluster.
func (c *cluster) Read(ctx context.Context) (state.View, error) {
	if _, err := c.raft.ReadBarrier(ctx); err != nil {
		return state.View{}, errs.E("cluster.read", errs.Unavailable, "This control node has no leader now: try again, or another node.", err)
	}
	return c.machine.View(), nil
}

// Propose implements rest.Cluster.
func (c *cluster) Propose(ctx context.Context, e command.Envelope) (rest.Done, error) {
	data, err := command.Encode(e)
	if err != nil {
		return rest.Done{}, err
	}
	out := c.raft.Propose(ctx, data)
	if out.Verdict != raftnode.Done {
		return rest.Done{}, out.Err
	}
	if err := c.raft.WaitApplied(ctx, out.Index); err != nil {
		return rest.Done{}, errs.E("cluster.propose", errs.Unknown, "", err)
	}
	res, ok := out.Result.(fsm.Result)
	if !ok {
		return rest.Done{}, errs.Errorf("cluster.propose", errs.Unknown, "")
	}
	if res.Err != nil {
		return rest.Done{}, res.Err
	}
	return rest.Done{Index: out.Index, IDs: res.IDs, View: c.machine.View()}, nil
}

// duty proposes a command of the leader's own. It has no id: it may run twice.
func (c *cluster) duty(ctx context.Context, by command.By, cmd command.Command) error {
	_, err := c.Propose(ctx, command.Envelope{By: by, Command: cmd})
	return err
}
