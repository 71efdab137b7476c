package control

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// maxGossip bounds the answer about gossip, in bytes.
const maxGossip = 64 << 10

// Gossip sends GET /agent/v1/gossip. NotFound: the control node does not gossip.
func (c *Client) Gossip(ctx context.Context) (out assign.Gossip, err error) {
	err = c.nodes.each(ctx, c.c.Timeout, func(ctx context.Context, _ int, base string) error {
		resp, err := c.call(ctx, http.MethodGet, base+"/agent/v1/gossip", nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		out = assign.Gossip{}
		if err := json.NewDecoder(io.LimitReader(resp.Body, maxGossip)).Decode(&out); err != nil || len(out.Seeds) > assign.MaxSeeds {
			return errs.E("control.gossip", errs.Unavailable, "The control node's answer is not understood.", err)
		}
		return nil
	})
	return out, err
}
