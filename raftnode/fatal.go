package raftnode

import "sync"

// tripwire remembers the first thing that makes going on wrong.
type tripwire struct {
	once    sync.Once
	tripped chan struct{} // closed at the first trip
	reason  chan error    // holds the reason then
}

func newTripwire() *tripwire {
	return &tripwire{tripped: make(chan struct{}), reason: make(chan error, 1)}
}

func (t *tripwire) trip(err error) {
	t.once.Do(func() {
		t.reason <- err
		close(t.tripped)
	})
}

// Fatal delivers, at most once, why this node has stopped by itself: a failed
// or late write to its log, or a state machine that can't go on. It takes no
// part in the cluster any more, and is to be closed and its process ended: a
// node whose disk failed would be elected again and again. (If raft meets the
// broken disk while it saves a term, raft itself ends the process.)
func (n *Node) Fatal() <-chan error { return n.fatal.reason }
