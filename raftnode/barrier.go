package raftnode

import (
	"context"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/kvorum/kvorum/internal/errs"
)

// ReadPoint is a place in the log of which a node was sure, at some moment
// after it was asked for, that it was the end of what is committed.
type ReadPoint struct {
	// Index is the last proposal before the point; this node has applied it.
	Index uint64
	// Term is the term in which the point was found.
	Term uint64
}

// round is one question to the cluster, shared by all who wait for it.
type round struct {
	done  chan struct{} // closed when point and err are set
	point ReadPoint
	err   error
}

// rounds shares read rounds. A reader joins only a round that has not been
// sent: an answer to an older question could be older than what the reader
// has already seen elsewhere.
type rounds struct {
	ask  func() (ReadPoint, error) // one round; swapped as a whole for another protocol
	wake chan struct{}             // holds at most one token: "next is not nil"
	done chan struct{}

	mu   sync.Mutex
	next *round // not sent yet
	sent uint64 // how many were
}

func newRounds(ask func() (ReadPoint, error)) *rounds {
	return &rounds{ask: ask, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (r *rounds) join() *round {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &round{done: make(chan struct{})}
		r.wake <- struct{}{} // never blocks: run takes the token before it clears next
	}
	return r.next
}

// run sends one round after the other until stop is closed.
func (r *rounds) run(stop <-chan struct{}) {
	defer close(r.done)
	for {
		select {
		case <-stop:
			return
		case <-r.wake:
		}
		r.mu.Lock()
		now := r.next
		r.next = nil
		r.sent++
		r.mu.Unlock()
		now.point, now.err = r.ask()
		close(now.done)
	}
}

func (r *rounds) count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

// ReadBarrier waits until a read on this node is linearizable: whatever was
// done anywhere before the call is applied here when it returns. Concurrent
// callers share a round. On a node that does not lead, when leadership is
// lost, when ctx ends or the node stops, it gives Unavailable.
func (n *Node) ReadBarrier(ctx context.Context) (ReadPoint, error) {
	if err := ctx.Err(); err != nil {
		return ReadPoint{}, errs.E("raftnode.readBarrier", errs.Unavailable, "The request's time ran out.", err)
	}
	r := n.rounds.join()
	select {
	case <-r.done:
		return r.point, r.err
	case <-ctx.Done():
		return ReadPoint{}, errs.E("raftnode.readBarrier", errs.Unavailable, "The request's time ran out.", ctx.Err())
	case <-n.fatal.tripped:
	case <-n.closing:
	}
	return ReadPoint{}, errs.E("raftnode.readBarrier", errs.Unavailable, "This node is stopping.", nil)
}

// barrier appends an empty entry to the log. That it was committed, and all
// before it applied, proves that this node led when it was asked; that costs
// one write of the log per round.
func (n *Node) barrier() (ReadPoint, error) {
	if n.raft.State() != raft.Leader {
		return ReadPoint{}, errs.E("raftnode.readBarrier", errs.Unavailable, notLeader, nil)
	}
	if err := n.raft.Barrier(n.cfg.EnqueueTimeout).Error(); err != nil {
		return ReadPoint{}, errs.E("raftnode.readBarrier", errs.Unavailable, "No leader could be confirmed; try again.", err)
	}
	if err := n.machine.stopped(); err != nil {
		return ReadPoint{}, errs.E("raftnode.readBarrier", errs.Unavailable, "This node is stopping.", err)
	}
	return ReadPoint{Index: n.AppliedIndex(), Term: n.raft.CurrentTerm()}, nil
}
