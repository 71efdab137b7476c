package state

import (
	"sort"
	"sync"

	"github.com/kvorum/kvorum/internal/errs"
)

// Op is what happened to a row.
type Op string

// The operations.
const (
	OpPut    Op = "put"
	OpDelete Op = "delete"
)

// Change is one row's change, as users and the program's own watchers see it.
// It carries no data: who is told looks again.
type Change struct {
	Index uint64 `json:"index"`
	// Seq orders the changes of one index.
	Seq uint32 `json:"seq"`
	Op  Op     `json:"op"`
	// Kind is the table's name.
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Of is what the row belongs to, where ID alone does not name it: the
	// network of an address.
	Of      string `json:"of,omitempty"`
	Project string `json:"project,omitempty"`
}

// Feed is a bounded ring of changes, in order. What is published is seen by
// readers only after the view that shows it.
type Feed struct {
	mu   sync.Mutex
	ring []Change
	// next is the position of the next change; head of the oldest kept one;
	// open of the first one that is not published yet.
	next, head, open uint64
	// floor is the highest index of which a change may be missing.
	floor uint64
	// last is the index that was published last.
	last uint64
	wake chan struct{}
}

func newFeed(size int) *Feed {
	return &Feed{ring: make([]Change, max(size, 1)), wake: make(chan struct{})}
}

func (f *Feed) add(c Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size := uint64(len(f.ring))
	if f.next-f.head == size {
		f.floor = f.ring[f.head%size].Index
		f.head++
		f.open = max(f.open, f.head)
	}
	f.ring[f.next%size] = c
	f.next++
}

func (f *Feed) publish(index uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open, f.last = f.next, index
	close(f.wake)
	f.wake = make(chan struct{})
}

// reset forgets everything up to index: after a restore the changes before it
// are not known.
func (f *Feed) reset(index uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head, f.open, f.floor = f.next, f.next, index
}

// Since gives up to limit published changes with an index greater than after,
// in order; only whole indexes, unless one alone is longer than limit. upto is
// the index that the caller has now seen everything of. errs.Gone: changes
// after it are no longer known.
func (f *Feed) Since(after uint64, limit int) (list []Change, upto uint64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if after < f.floor {
		return nil, 0, errs.Errorf("state.feed", errs.Gone,
			"changes after index %d are no longer known; the oldest that are come after %d", after, f.floor)
	}
	size := uint64(len(f.ring))
	upto = max(after, f.last)
	first := f.head + uint64(sort.Search(int(f.open-f.head), func(i int) bool { return f.ring[(f.head+uint64(i))%size].Index > after }))
	for p := first; p < f.open; p++ {
		c := f.ring[p%size]
		if len(list) >= limit && c.Index != list[len(list)-1].Index {
			return list, list[len(list)-1].Index, nil
		}
		list = append(list, c)
	}
	return list, upto, nil
}

// Wait gives a channel that is closed at the next publication. Take it before
// looking, so that nothing falls between.
func (f *Feed) Wait() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wake
}
