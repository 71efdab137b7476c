package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxError bounds the body of an answer that is an error, in bytes.
const maxError = 64 << 10

// transport makes the calls of a client that was given none. A control node
// that does not even answer a connection is given up soon.
func transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 10 * time.Second}).DialContext
	return t
}

// neverRedirect keeps to the addresses of control nodes.
func neverRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// call makes a call. The answer is a success; whoever gets it closes its body.
func (c *Client) call(ctx context.Context, method, target string, body []byte) (*http.Response, error) {
	const op = "control.call"
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, errs.E(op, errs.Invalid, "", err)
	}
	req.Header.Set("Accept", "application/json, application/octet-stream")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		kind := errs.Unavailable
		if method != http.MethodGet {
			kind = errs.Unknown // it may have been done
		}
		return nil, errs.E(op, kind, "The control node does not answer.", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, failure(resp)
}

// failure turns an answer that is no success into an error: its kind is the one
// that the body names, or else the status's.
func failure(resp *http.Response) error {
	var body struct {
		Error struct{ Kind, Message string }
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	if err == nil {
		err = json.Unmarshal(b, &body)
	}
	kind := kindOf(resp.StatusCode)
	if err == nil {
		if named, ok := errs.KindNamed(body.Error.Kind); ok {
			kind = named
		}
	}
	msg := body.Error.Message
	if msg == "" {
		msg = "The control node answered " + resp.Status + "."
	}
	return errs.E("control.call", kind, msg, nil)
}

// kindOf is the kind that a status stands for when nothing else is said. What
// broke at one control node need not be broken at the next.
func kindOf(status int) errs.Kind {
	switch status {
	case http.StatusBadRequest:
		return errs.Invalid
	case http.StatusUnauthorized:
		return errs.Unauthorized
	case http.StatusForbidden:
		return errs.Forbidden
	case http.StatusNotFound:
		return errs.NotFound
	case http.StatusConflict:
		return errs.Conflict
	case http.StatusGone:
		return errs.Gone
	case http.StatusRequestEntityTooLarge:
		return errs.TooLarge
	case http.StatusTooManyRequests:
		return errs.Busy
	}
	return errs.Unavailable
}
