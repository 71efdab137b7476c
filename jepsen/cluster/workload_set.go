package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Networks is a set: networks are made, listed and deleted, through all control
// nodes. A network's name is its key; each is used once only.
type Networks struct {
	mu   sync.Mutex
	made int
	live []string // ids of networks whose create was acknowledged
	keys map[string]string
}

// fewNetworks is how many there may be at a time: far below every limit.
const fewNetworks = 40

// Setup implements Workload.
func (w *Networks) Setup(ctx context.Context, e *Env, api *API) error {
	w.keys = map[string]string{}
	r, err := api.Call(ctx, "POST", "/network/v2.0/networks", networkBody("first"), nil)
	if err == nil && !r.OK() {
		err = fmt.Errorf("make a network: %d %.200s", r.Status, r.Body)
	}
	return err
}

func networkBody(name string) any { return map[string]any{"network": map[string]string{"name": name}} }

// Step implements Workload.
func (w *Networks) Step(ctx context.Context, c *Client) {
	api := c.pick()
	w.mu.Lock()
	full := len(w.live) >= fewNetworks
	w.mu.Unlock()
	switch n := c.Rand.IntN(10); {
	case n < 4:
		w.list(ctx, c, api)
	case n < 7 && !full:
		w.add(ctx, c, api)
	default:
		w.remove(ctx, c, api)
	}
}

// Settle implements Workload.
func (w *Networks) Settle(ctx context.Context, c *Client) error {
	for _, api := range c.apis {
		if op := w.list(ctx, c, api); op.Outcome != OK {
			return fmt.Errorf("the last list at %s: %d %s", api.Node, op.Status, op.Error)
		}
	}
	return nil
}

func (w *Networks) list(ctx context.Context, c *Client, api *API) Op {
	var got struct {
		Networks []struct{ Name string }
	}
	return c.do(api, Op{Action: List}, func() (Answer, error) {
		return api.Call(ctx, "GET", "/network/v2.0/networks", nil, &got)
	}, func(op *Op) {
		for _, n := range got.Networks {
			op.Values = append(op.Values, n.Name)
		}
	})
}

func (w *Networks) add(ctx context.Context, c *Client, api *API) {
	w.mu.Lock()
	w.made++
	key := fmt.Sprintf("n%d", w.made)
	w.mu.Unlock()
	var got struct{ Network struct{ ID string } }
	op := c.do(api, Op{Action: Add, Key: key}, func() (Answer, error) {
		return api.Call(ctx, "POST", "/network/v2.0/networks", networkBody(key), &got)
	}, nil)
	if op.Outcome != OK {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.keys[got.Network.ID] = key
	w.live = append(w.live, got.Network.ID)
}

// remove deletes a network that nobody else has asked to delete.
func (w *Networks) remove(ctx context.Context, c *Client, api *API) {
	w.mu.Lock()
	if len(w.live) == 0 {
		w.mu.Unlock()
		return
	}
	i := c.Rand.IntN(len(w.live))
	id := w.live[i]
	w.live = slices.Delete(w.live, i, i+1)
	key := w.keys[id]
	w.mu.Unlock()
	c.do(api, Op{Action: Remove, Key: key}, func() (Answer, error) {
		return api.Call(ctx, "DELETE", "/network/v2.0/networks/"+id, nil, nil)
	}, nil)
}
