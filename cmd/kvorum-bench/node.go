package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/heap"
)

// nodeArgument makes the program a node of a cluster under measurement. It
// reads orders from its input, one after the other, and ends with it.
const nodeArgument = "node"

// order is what a node is told to do.
type order struct {
	Do string `json:"do"`
	// Address is where to listen; Setup what to open.
	Address string `json:"address,omitempty"`
	Setup   *setup `json:"setup,omitempty"`
	// Workload, Callers, Ops and Span are what to run.
	Workload string        `json:"workload,omitempty"`
	Callers  int           `json:"callers,omitempty"`
	Ops      int           `json:"ops,omitempty"`
	Span     time.Duration `json:"span,omitempty"`
	// Profile names the file for a CPU profile.
	Profile string `json:"profile,omitempty"`
}

// reply answers an order.
type reply struct {
	Err     string `json:"err,omitempty"`
	Address string `json:"address,omitempty"`
	Leads   bool   `json:"leads,omitempty"`
	Known   bool   `json:"known,omitempty"`
	Applied uint64 `json:"applied,omitempty"`
	// At is when a write went through, in Unix nanoseconds.
	At   int64 `json:"at,omitempty"`
	Done done  `json:"done"`
}

// node is one node of one side.
type node struct {
	wire   *wire
	engine engine
}

func runNode(in io.Reader, out io.Writer) {
	heap.LeaveRoom(heap.ControlRoom) // as a control node does; the peer gets the same
	n := &node{}
	orders, replies := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			break // whoever gives orders is gone
		}
		r, err := n.obey(o)
		if err != nil {
			r.Err = err.Error()
		}
		if err := replies.Encode(r); err != nil {
			break
		}
	}
	if n.engine != nil {
		n.engine.close()
	}
}

func (n *node) obey(o order) (r reply, err error) {
	switch o.Do {
	case "listen":
		if n.wire, err = listen(o.Address); err == nil {
			r.Address = n.wire.Addr().String()
		}
	case "open":
		if err = freshDir(o.Setup.Dir); err == nil {
			n.engine, err = o.Setup.open(n.wire)
		}
	case "look":
		r.Leads, r.Known = n.engine.leads()
		r.Applied = n.engine.applied()
	case "prepare":
		err = n.prepare(workloads[o.Workload])
	case "propose":
		err = profiled(o.Profile, func() error { r.Done, err = n.proposals(o); return err })
	case "read":
		err = profiled(o.Profile, func() error {
			r.Done, err = work(o.Callers, 0, o.Span, func(ctx context.Context, _ int) error { return n.engine.read(ctx) })
			return err
		})
	case "write":
		r.At, err = n.writeUntilDone(o.Span)
	default:
		err = fmt.Errorf("unknown order %q", o.Do)
	}
	return r, err
}

// preparers propose what a workload needs first.
const preparers = 64

func (n *node) prepare(w workload) error {
	for _, list := range w.prepare() {
		ids, err := newIDs(len(list))
		if err != nil {
			return err
		}
		data, err := encodeAll(len(list), func(i int) command.Envelope { return envelope(ids.take(), list[i]) })
		if err != nil {
			return err
		}
		_, err = work(preparers, len(list), 0, func(ctx context.Context, i int) error { return n.engine.propose(ctx, data[i]) })
		if err != nil {
			return err
		}
	}
	return nil
}

// proposals measures o.Ops proposals.
func (n *node) proposals(o order) (done, error) {
	w := workloads[o.Workload]
	ids, err := newIDs(o.Ops * idsPerCommand)
	if err != nil {
		return done{}, err
	}
	data, err := encodeAll(o.Ops, func(i int) command.Envelope { return envelope(ids.take(), w.command(i, ids)) })
	if err != nil {
		return done{}, err
	}
	return work(o.Callers, o.Ops, 0, func(ctx context.Context, i int) error { return n.engine.propose(ctx, data[i]) })
}

// encodeAll makes the bytes of n commands, one after the other in memory.
func encodeAll(n int, envelope func(int) command.Envelope) ([][]byte, error) {
	var all []byte
	ends := make([]int, n)
	for i := range n {
		b, err := command.Encode(envelope(i))
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
		ends[i] = len(all)
	}
	data, start := make([][]byte, n), 0
	for i, end := range ends {
		data[i] = all[start:end:end]
		start = end
	}
	return data, nil
}

const writePause = time.Millisecond

// writeUntilDone tries to write until it is done, and tells when that was; 0 if
// it was not within the limit.
func (n *node) writeUntilDone(limit time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for i := 0; ; i++ {
		ids, err := newIDs(idsPerCommand)
		if err != nil {
			return 0, err
		}
		data, err := command.Encode(envelope(ids.take(), updates{}.command(i, ids)))
		if err != nil {
			return 0, err
		}
		if err = n.engine.propose(ctx, data); err == nil {
			return clock.Real{}.Now().UnixNano(), nil
		}
		if ctx.Err() != nil {
			return 0, nil
		}
		<-clock.Real{}.After(writePause)
	}
}
