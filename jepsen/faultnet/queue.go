package faultnet

import (
	"cmp"
	"time"
)

// parcel is a packet that is kept: held, or on its way.
type parcel struct {
	bytes  []byte
	packet packet
	// n is the packet's number in its pair, order that of its arrival in the
	// queue: packets that are due at once leave in this order.
	n, order uint64
	due      time.Duration
	// met are the stages that the packet met, and late the one that lets
	// others overtake it or -1, both of the stages of that generation.
	met        uint16
	late       int
	generation uint64
	copies     int
}

// compare orders by what leaves first.
func (c parcel) compare(d parcel) int {
	return cmp.Or(cmp.Compare(c.due, d.due), cmp.Compare(c.order, d.order))
}

// queue is a heap of parcels, the one that is due first at its top.
type queue []parcel

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool { return q[i].compare(q[j]) < 0 }

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(parcel)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	(*q)[last] = parcel{}
	*q = (*q)[:last]
	return c
}
