package main

import (
	"fmt"
	"io"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/raftnode"
)

// applier fits the state machine to the log.
type applier struct{ *fsm.Machine }

// ApplyBatch implements raftnode.StateMachine. What the machine cannot apply
// stops the node.
func (r applier) ApplyBatch(entries []raftnode.Entry) (out []any, err error) {
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
func (r applier) Snapshot() (io.WriterTo, error) { return r.Machine.Snapshot(), nil }
