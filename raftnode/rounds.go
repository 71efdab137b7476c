package raftnode

import "sync"

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
