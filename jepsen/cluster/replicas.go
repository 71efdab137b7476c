package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/kvorum/kvorum/jepsen/cloud"
)

// replicas looks at what hash each control node has at which index, all the
// time: where two nodes were seen at one index, they had one hash.
type replicas struct {
	mu    sync.Mutex
	at    map[uint64]string
	who   map[uint64]string
	found findings
	// compared counts how often a node was seen at an index at which another one
	// had been.
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
			role := roleOf{node: h.Name(), history: e.History}
			for ctx.Err() == nil {
				asked := e.History.Now()
				s, err := e.Cloud.Health(h)
				role.saw(asked, s, err)
				if err == nil {
					r.saw(h.Name(), s.Index, s.Hash)
				}
				e.Pause(ctx, lookEvery)
			}
		})
	}
	return &all
}

// Silent is the role of a control node that does not answer.
const Silent = "silent"

// roleOf notes what a control node is whenever that is something else than
// before.
type roleOf struct {
	node    string
	history *History
	was     Event
}

// saw takes what the node has said just now, or that it said nothing since it
// was asked.
func (r *roleOf) saw(asked int64, s cloud.Health, err error) {
	now := Event{On: []string{r.node}, Role: s.Role, Term: s.Term}
	if err != nil {
		now.At, now.Role, now.Term = asked, Silent, 0
	}
	if now.Role != r.was.Role || now.Term != r.was.Term {
		r.history.Tell(now)
		r.was = now
	}
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
