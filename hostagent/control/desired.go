package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// maxDesired bounds a desired state, or a delta of one, in bytes.
const maxDesired = 64 << 20

// deltaType is the media type of an answer that is an assign.Delta.
const deltaType = "application/vnd.kvorum.delta+json"

// wholes remembers what deltas can be applied to: the desired state that was
// asked with last, and the one that was answered last. They are two because
// what is answered may be refused, and is then asked for from the old one.
type wholes struct {
	mu       sync.Mutex
	asked    assign.Sheet
	answered assign.Sheet
}

// get gives the desired state with the digest, if it is here.
func (w *wholes) get(digest string) (assign.Sheet, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if digest != "" && w.answered.Digest == digest {
		w.asked = w.answered
	}
	return w.asked, digest != "" && w.asked.Digest == digest
}

func (w *wholes) put(s assign.Sheet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answered = s
}

// Desired sends GET /agent/v1/desired. When the answer is "unchanged" it
// returns a desired state with the digest given and nothing else. An answer
// that is a delta is applied to what was answered before; one that does not fit
// or is not understood makes it ask, once, for the whole.
func (c *Client) Desired(ctx context.Context, digest string) (assign.Desired, error) {
	var out assign.Desired
	err := c.nodes.each(ctx, c.c.Wait+c.c.Timeout, func(ctx context.Context, _ int, base string) error {
		old, known := c.whole.get(digest)
		got, delta, err := c.ask(ctx, base, digest, c.c.Wait, known)
		if err != nil || delta == nil {
			out = got
			return err
		}
		if s, err := assign.Apply(old, *delta); err == nil {
			c.whole.put(s)
			out = s.Desired
			return nil
		}
		out, _, err = c.ask(ctx, base, "", 0, false)
		return err
	})
	return out, err
}

// ask asks one control node. Of what it gives back either the delta is set, or
// the whole.
func (c *Client) ask(ctx context.Context, base, digest string, wait time.Duration, deltas bool) (assign.Desired, *assign.Delta, error) {
	q := url.Values{"host": {c.c.HostID}, "digest": {digest}, "wait": {wait.String()}}
	if deltas {
		q.Set("deltas", "1")
	}
	resp, err := c.call(ctx, http.MethodGet, base+"/agent/v1/desired?"+q.Encode(), nil)
	if err != nil {
		return assign.Desired{}, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent && digest != "" {
		return assign.Desired{Digest: digest}, nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDesired+1))
	if err != nil {
		return assign.Desired{}, nil, errs.E("control.desired", errs.Unavailable, "The control node's answer broke off.", err)
	}
	if len(b) > maxDesired {
		return assign.Desired{}, nil, errs.Errorf("control.desired", errs.TooLarge, "The desired state is over %d bytes.", maxDesired)
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == deltaType && deltas {
		return assign.Desired{}, readDelta(b), nil
	}
	d, err := c.readWhole(b)
	return d, nil, err
}

// readDelta reads a delta; what cannot be read is one that fits nothing.
func readDelta(b []byte) *assign.Delta {
	d := &assign.Delta{}
	if strictly(b, d) != nil {
		return &assign.Delta{}
	}
	return d
}

// readWhole reads a whole desired state. It must be what its digest says,
// unless it has fields that this agent does not know: a newer control plane's
// is taken as far as it is understood, and no delta is asked for from there.
func (c *Client) readWhole(b []byte) (assign.Desired, error) {
	const op = "control.desired"
	var d assign.Desired
	if err := json.Unmarshal(b, &d); err != nil {
		return d, errs.E(op, errs.Unavailable, "The control node's answer is not understood.", err)
	}
	s := assign.NewSheet(d)
	if s.Digest == d.Digest {
		c.whole.put(s)
		return d, nil
	}
	if strictly(b, &assign.Desired{}) == nil {
		return d, errs.Errorf(op, errs.Unavailable, "The control node's answer is not what its digest says.")
	}
	return d, nil
}

func strictly(b []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
