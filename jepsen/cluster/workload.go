package cluster

import (
	"context"
	"math/rand/v2"
	"sync"
)

// Workload is what clients do.
type Workload interface {
	// Setup makes what the operations need, before any fault.
	Setup(ctx context.Context, e *Env, api *API) error
	// Step does one operation and notes it. It never retries.
	Step(ctx context.Context, c *Client)
	// Settle does the last operations of a run, when all faults are over: each
	// must succeed, so that what is left can be read.
	Settle(ctx context.Context, c *Client) error
}

// Client is one user. It has one operation under way at a time.
type Client struct {
	Env    *Env
	Number int
	Rand   *rand.Rand
	// apis are its connections, one for each control node.
	apis []*API
	// home is the node that it uses; hops is how often, in percent, it uses
	// another one instead.
	home, hops int
}

// pick chooses the node for the next operation.
func (c *Client) pick() *API {
	if c.Rand.IntN(100) < c.hops {
		return c.apis[c.Rand.IntN(len(c.apis))]
	}
	return c.apis[c.home]
}

// do times one call and notes what became of it. fill gets what was answered.
func (c *Client) do(api *API, op Op, call func() (Answer, error), fill func(*Op)) Op {
	op.Client, op.Node, op.Call = c.Number, api.Node, c.Env.History.Now()
	r, err := call()
	op.Return = c.Env.History.Now()
	note(&op, r, err)
	if op.Outcome == OK && fill != nil {
		fill(&op)
	}
	c.Env.History.Add(op)
	return op
}

// users runs clients until ctx ends.
func users(ctx context.Context, w Workload, clients []*Client, pace func(context.Context)) *sync.WaitGroup {
	var all sync.WaitGroup
	for _, c := range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				w.Step(context.WithoutCancel(ctx), c)
				pace(ctx)
			}
		})
	}
	return &all
}
