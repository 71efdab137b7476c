package cluster

import (
	"context"
	"sync"
	"time"
)

// replicas looks at what hash each control node has at which index, all the
// time: where two nodes were seen at one index, they had one hash.
type replicas struct {
	mu    sync.Mutex
	at    map[uint64]string
	who   map[uint64]string
	found findings
	// Compared counts the indexes at which more than one node was seen.
	compared int
}

// lookEvery is how often each node is looked at.
const lookEvery = 100 * time.Millisecond

func newReplicas() *replicas {
	return &replicas{at: map[uint64]string{}, who: map[uint64]string{}, found: findings{checker: "replicas are equal"}}
}

// watch looks until ctx ends.
func (r *replicas) watch(ctx context.Context, e *Env) *sync.WaitGroup {
	var all sync.WaitGroup
	for _, h := range e.Cloud.Controls {
		all.Go(func() {
			for ctx.Err() == nil {
				if s, err := e.Cloud.Health(h); err == nil {
					r.saw(h.Name(), s.Index, s.Hash)
				}
				e.Pause(ctx, lookEvery)
			}
		})
	}
	return &all
}

// remembered bounds the indexes that are remembered.
const remembered = 1 << 18

func (r *replicas) saw(node string, index uint64, hash string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	other, seen := r.at[index]
	switch {
	case !seen && len(r.at) < remembered:
		r.at[index], r.who[index] = hash, node
	case seen && r.who[index] != node:
		r.compared++
		if other != hash {
			r.found.add(nil, "at index %d, %s has hash %s and %s has %s", index, r.who[index], other, node, hash)
		}
	}
}
