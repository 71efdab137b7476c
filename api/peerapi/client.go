package peerapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 16 << 20

// Client asks other control nodes. HTTP must dial the internal port with the
// protocol "peer", and make sure that a control node of this cluster answers.
// It is safe for concurrent use.
type Client struct {
	HTTP http.RoundTripper
}

// Status asks the node at address how far it is.
func (c *Client) Status(ctx context.Context, address string) (Status, error) {
	var s Status
	return s, c.ask(ctx, http.MethodGet, address, "/peer/v1/status", nil, &s)
}

// Term asks the node at address for its term.
func (c *Client) Term(ctx context.Context, address string) (uint64, error) {
	s, err := c.Status(ctx, address)
	return s.Term, err
}

// AppliedIndex asks the node at address how far it has applied the log.
func (c *Client) AppliedIndex(ctx context.Context, address string) (uint64, error) {
	s, err := c.Status(ctx, address)
	return s.Applied, err
}

// Confirm asks the leader, at address, for a read point.
func (c *Client) Confirm(ctx context.Context, address string) (Point, error) {
	var p Point
	return p, c.ask(ctx, http.MethodPost, address, "/peer/v1/confirm", nil, &p)
}

// Offer gives the leader, at address, an encoded command for the log. Its
// outcomes are those of Node.Offer.
func (c *Client) Offer(ctx context.Context, address string, data []byte) (Result, error) {
	var a answer
	if err := c.ask(ctx, http.MethodPost, address, "/peer/v1/offer", data, &a); err != nil {
		return Result{}, err
	}
	res := Result{Index: a.Index, IDs: a.IDs}
	if a.Error != nil {
		res.Err = a.Error.err("peerapi.offer")
	}
	return res, nil
}

// Poll asks the voter at address about the hosts' leases. question is sent as
// JSON; the answer is put into answer.
func (c *Client) Poll(ctx context.Context, address string, question, answer any) error {
	b, err := json.Marshal(question)
	if err != nil {
		return errs.E("peerapi.poll", errs.Internal, "", err)
	}
	return c.ask(ctx, http.MethodPost, address, "/peer/v1/leases", b, answer)
}

// ask makes one call. An error is Unavailable when the call was surely not
// received, what the other node said if it said something, and else Unknown.
func (c *Client) ask(ctx context.Context, method, address, path string, body []byte, into any) error {
	const op = "peerapi.ask"
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, "https://"+address+path, bytes.NewReader(body))
	if err != nil {
		return errs.E(op, errs.Invalid, "", err)
	}
	resp, err := c.HTTP.RoundTrip(req)
	if err != nil {
		if !connected.Load() {
			return errs.E(op, errs.Unavailable, "The control node does not answer.", err)
		}
		return errs.E(op, errs.Unknown, "", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return errs.E(op, errs.Unknown, "", err)
	}
	if resp.StatusCode != http.StatusOK {
		var a answer
		if err := json.Unmarshal(b, &a); err != nil || a.Error == nil {
			return errs.E(op, errs.Unknown, "", err)
		}
		return a.Error.err(op)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return errs.E(op, errs.Unknown, "", err)
	}
	return nil
}
