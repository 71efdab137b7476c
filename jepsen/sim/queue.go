package sim

import (
	"container/heap"
	"time"
)

// event is something that happens at an instant.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

// queue gives events by time; what was put first comes first at one instant.
type queue struct {
	events eventHeap
	seq    uint64
}

func (q *queue) put(at time.Duration, do func()) {
	q.seq++
	heap.Push(&q.events, event{at, q.seq, do})
}

func (q *queue) take() (event, bool) {
	if len(q.events) == 0 {
		return event{}, false
	}
	e, ok := heap.Pop(&q.events).(event)
	return e, ok
}

// eventHeap implements heap.Interface.
type eventHeap []event

// Len implements heap.Interface.
func (h eventHeap) Len() int { return len(h) }

// Less implements heap.Interface.
func (h eventHeap) Less(i, j int) bool {
	if h[i].at != h[j].at {
		return h[i].at < h[j].at
	}
	return h[i].seq < h[j].seq
}

// Swap implements heap.Interface.
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *eventHeap) Push(x any) {
	if e, ok := x.(event); ok {
		*h = append(*h, e)
	}
}

// Pop implements heap.Interface.
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	*h = old[:len(old)-1]
	return e
}
