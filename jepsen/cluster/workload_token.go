package cluster

import (
	"context"
	"fmt"
	"net/http"
	"sync"
)

// Tokens is the life of tokens: issued at one node, shown to all, revoked at
// any. A token's key is its number; what it is, only the workload knows.
type Tokens struct {
	mu   sync.Mutex
	made int
	live []token
}

type token struct{ key, secret string }

// keptTokens bounds those that are used at a time, the revoked ones included.
const keptTokens = 24

// Setup implements Workload.
func (w *Tokens) Setup(context.Context, *Env, *API) error { return nil }

// Step implements Workload.
func (w *Tokens) Step(ctx context.Context, c *Client) {
	api := c.pick()
	t, n := w.some(c)
	switch {
	case n < keptTokens/2 || c.Rand.IntN(10) == 0:
		w.issue(ctx, c, api)
	case c.Rand.IntN(8) == 0:
		w.revoke(ctx, c, api, t)
	default:
		w.use(ctx, c, api, t)
	}
}

// Settle implements Workload.
func (w *Tokens) Settle(ctx context.Context, c *Client) error {
	for _, api := range c.apis {
		for _, t := range w.live {
			if op := w.use(ctx, c, api, t); op.Outcome != OK && op.Status != http.StatusUnauthorized {
				return fmt.Errorf("the last use of token %s at %s: %d %s", t.key, api.Node, op.Status, op.Error)
			}
		}
	}
	return nil
}

func (w *Tokens) some(c *Client) (token, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.live) == 0 {
		return token{}, 0
	}
	return w.live[c.Rand.IntN(len(w.live))], len(w.live)
}

// issue makes a token. It is used only once it is known here, so that no use
// can come before it.
func (w *Tokens) issue(ctx context.Context, c *Client, api *API) {
	w.mu.Lock()
	w.made++
	key := fmt.Sprintf("t%d", w.made)
	w.mu.Unlock()
	fresh := *api
	op := c.do(api, Op{Action: Issue, Key: key}, func() (Answer, error) { return fresh.login(ctx) }, nil)
	if op.Outcome != OK {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = append(w.live, token{key, fresh.token})
	w.live = w.live[max(0, len(w.live)-keptTokens):]
}

func (w *Tokens) use(ctx context.Context, c *Client, api *API, t token) Op {
	with := *api
	with.token = t.secret
	return c.do(api, Op{Action: Use, Key: t.key}, func() (Answer, error) {
		return with.Call(ctx, "GET", "/compute/v2.1/limits", nil, nil)
	}, nil)
}

func (w *Tokens) revoke(ctx context.Context, c *Client, api *API, t token) {
	c.do(api, Op{Action: Revoke, Key: t.key}, func() (Answer, error) { return api.revoke(ctx, t.secret) }, nil)
}
