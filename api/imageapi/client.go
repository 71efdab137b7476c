package imageapi

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// maxFailure bounds what is read of an answer that says why not, in bytes.
const maxFailure = 64 << 10

// Client fetches and pushes; it is a replica.Peer. HTTP must dial the internal
// port with the protocol "images", and make sure that a control node of this
// cluster answers. It is safe for concurrent use.
type Client struct {
	HTTP http.RoundTripper
	// Stall ends a transfer that makes no progress for so long.
	Stall time.Duration
	Clock clock.Clock
}

// Fetch implements replica.Peer.
func (c *Client) Fetch(ctx context.Context, address, sha256 string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := c.progress(ctx, cancel)
	resp, err := c.call(ctx, http.MethodGet, address, sha256, nil, 0)
	if err != nil {
		cancel()
		return nil, err
	}
	return &transfer{Reader: p.reader(resp.Body), close: func() error { cancel(); return resp.Body.Close() }}, nil
}

// Push implements replica.Peer.
func (c *Client) Push(ctx context.Context, address string, e imagestore.Entry, body io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := c.progress(ctx, cancel)
	resp, err := c.call(ctx, http.MethodPut, address, e.SHA256, p.reader(body), e.Size)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // its status is all there is to it
	return nil
}

func (c *Client) call(ctx context.Context, method, address, sha256 string, body io.Reader, size int64) (*http.Response, error) {
	const op = "imageapi.call"
	req, err := http.NewRequestWithContext(ctx, method, "https://"+address+"/images/v1/"+sha256, body)
	if err != nil {
		return nil, errs.E(op, errs.Invalid, "", err)
	}
	req.ContentLength = size
	resp, err := c.HTTP.RoundTrip(req)
	if err != nil {
		return nil, errs.E(op, errs.Unavailable, "The control node does not answer.", err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	var f failure
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxFailure))
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	kind, ok := errs.KindNamed(f.Kind)
	if err != nil || !ok {
		return nil, errs.E(op, errs.Unavailable, "The control node answered "+resp.Status+".", err)
	}
	return nil, errs.E(op, kind, f.Message, nil)
}

// progress ends a transfer that stalls.
type progress struct{ moved chan struct{} }

func (c *Client) progress(ctx context.Context, cancel context.CancelFunc) *progress {
	p := &progress{moved: make(chan struct{}, 1)}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.Clock.After(c.Stall):
			}
			// One look a span, so that a large image makes no timer for each read.
			select {
			case <-p.moved:
			default:
				cancel()
				return
			}
		}
	}()
	return p
}

func (p *progress) reader(r io.Reader) io.Reader { return &watched{r, p.moved} }

type watched struct {
	r     io.Reader
	moved chan struct{}
}

// Read implements io.Reader.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	if n > 0 {
		select {
		case w.moved <- struct{}{}:
		default:
		}
	}
	return n, err
}

// transfer is bytes on their way here.
type transfer struct {
	io.Reader
	close func() error
}

// Close implements io.Closer.
func (t *transfer) Close() error { return t.close() }
