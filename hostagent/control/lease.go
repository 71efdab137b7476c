package control

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// maxLease bounds a lease's answer: it names every control node.
const maxLease = 1 << 20

// Renew sends POST /agent/v1/lease to the control node at the address, which is
// a URL or host:port, and to no other one.
func (c *Client) Renew(ctx context.Context, address string, r assign.LeaseRequest) (assign.LeaseAnswer, error) {
	const op = "control.renew"
	b, err := json.Marshal(r)
	if err != nil {
		return assign.LeaseAnswer{}, errs.E(op, errs.Internal, "", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.c.Timeout)
	defer cancel()
	resp, err := c.call(ctx, http.MethodPost, c.urlOf(address)+"/agent/v1/lease", b)
	if err != nil {
		return assign.LeaseAnswer{}, err
	}
	defer resp.Body.Close()
	var a assign.LeaseAnswer
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxLease)).Decode(&a); err != nil {
		return assign.LeaseAnswer{}, errs.E(op, errs.Unavailable, "The control node's answer is not understood.", err)
	}
	return a, nil
}

// urlOf is the URL of a control node: one that is known by host and port only is
// spoken to as the others are.
func (c *Client) urlOf(address string) string {
	if strings.Contains(address, "://") {
		return strings.TrimRight(address, "/")
	}
	scheme, _, _ := strings.Cut(c.c.BaseURLs[0], "://")
	return scheme + "://" + address
}
