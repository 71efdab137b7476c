package raftnode

import (
	"context"
	"sync"

	"github.com/kvorum/kvorum/internal/errs"
)

// applied is the highest index that the state machine has applied, and the
// one broadcast that wakes those who wait for it. raft's own AppliedIndex
// counts what was sent to the state machine, so it can't be used.
type applied struct {
	mu    sync.Mutex
	index uint64
	moved chan struct{} // nil while nobody waits
}

func (a *applied) get() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.index
}

// set is called once per applied batch.
func (a *applied) set(index uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = index
	if a.moved != nil {
		close(a.moved)
		a.moved = nil
	}
}

// reached gives a nil channel if index is applied, else one that is closed
// at the next move.
func (a *applied) reached(index uint64) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.index >= index {
		return nil
	}
	if a.moved == nil {
		a.moved = make(chan struct{})
	}
	return a.moved
}

// AppliedIndex is the index of the last entry that the state machine of this
// node has applied. Entries that raft writes for itself do not count.
func (n *Node) AppliedIndex() uint64 { return n.machine.applied.get() }

// WaitApplied waits until this node has applied index, which must be the
// index of a proposal (an Outcome's or a ReadPoint's): there is no telling
// when raft's own entries are applied. It gives Unavailable if ctx ends or
// the node stops first.
func (n *Node) WaitApplied(ctx context.Context, index uint64) error {
	for {
		moved := n.machine.applied.reached(index)
		if moved == nil {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return errs.E("raftnode.waitApplied", errs.Unavailable, "This node is behind; try again.", ctx.Err())
		case <-n.fatal.tripped:
			return errs.E("raftnode.waitApplied", errs.Unavailable, "This node is stopping.", nil)
		case <-n.gone:
			return errs.E("raftnode.waitApplied", errs.Unavailable, "This node is stopping.", nil)
		}
	}
}
