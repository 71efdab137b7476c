package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Config is what a Client is made of.
type Config struct {
	// BaseURLs are the control nodes', such as http://10.0.0.1:8770; at least
	// one. They are tried in turn, beginning with the one that answered last.
	BaseURLs []string
	// Token is sent as a bearer token.
	Token  string
	HostID string
	Clock  clock.Clock
	// HTTP (optional) makes the calls; http.DefaultTransport without it.
	HTTP http.RoundTripper
	// Wait (optional) is how long a question for the desired state may be held
	// back while there is no news; 30 s if not given.
	Wait time.Duration
	// Timeout (optional) ends any other call, and a long question that much
	// after its Wait; 15 s if not given.
	Timeout time.Duration
	// Stall (optional) ends an image's transfer that makes no progress; one
	// minute if not given.
	Stall time.Duration
}

const (
	maxDesired = 64 << 20
	maxError   = 64 << 10
)

// Client speaks the agent API. It is safe for concurrent use.
type Client struct {
	c    Config
	http *http.Client

	mu   sync.Mutex
	base int // which of BaseURLs to begin with
}

// New makes a client. Invalid: an address or the host's id cannot be used.
func New(c Config) (*Client, error) {
	const op = "control.new"
	if len(c.BaseURLs) == 0 || c.HostID == "" {
		return nil, errs.Errorf(op, errs.Invalid, "A control node's address and the host's id are needed.")
	}
	bases := make([]string, len(c.BaseURLs))
	for i, s := range c.BaseURLs {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, errs.E(op, errs.Invalid, "The control node's address "+s+" is not an http or https address.", err)
		}
		bases[i] = strings.TrimRight(s, "/")
	}
	c.BaseURLs = bases
	for _, p := range []struct {
		have *time.Duration
		def  time.Duration
	}{{&c.Wait, 30 * time.Second}, {&c.Timeout, 15 * time.Second}, {&c.Stall, time.Minute}} {
		if *p.have <= 0 {
			*p.have = p.def
		}
	}
	return &Client{c: c, http: &http.Client{Transport: c.HTTP, CheckRedirect: neverRedirect}}, nil
}

// neverRedirect keeps the token with the addresses that it was given for.
func neverRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Register sends POST /agent/v1/register.
func (c *Client) Register(ctx context.Context, capacity assign.Capacity) error {
	return c.post(ctx, "/agent/v1/register", capacity)
}

// Report sends POST /agent/v1/report.
func (c *Client) Report(ctx context.Context, report assign.Report) error {
	return c.post(ctx, "/agent/v1/report", report)
}

func (c *Client) post(ctx context.Context, path string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return errs.E("control.post", errs.Internal, "", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.c.Timeout)
	defer cancel()
	resp, err := c.send(ctx, http.MethodPost, path, b)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Desired sends GET /agent/v1/desired. When the answer is "unchanged" it
// returns a desired state with the digest given and nothing else.
func (c *Client) Desired(ctx context.Context, digest string) (assign.Desired, error) {
	q := url.Values{"host": {c.c.HostID}, "digest": {digest}, "wait": {c.c.Wait.String()}}
	ctx, cancel := context.WithTimeout(ctx, c.c.Wait+c.c.Timeout)
	defer cancel()
	resp, err := c.send(ctx, http.MethodGet, "/agent/v1/desired?"+q.Encode(), nil)
	if err != nil {
		return assign.Desired{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return assign.Desired{Digest: digest}, nil
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxDesired+1))
	if err != nil {
		return assign.Desired{}, errs.E("control.desired", errs.Unavailable, "The control node's answer broke off.", err)
	}
	if len(b) > maxDesired {
		return assign.Desired{}, errs.Errorf("control.desired", errs.TooLarge, "The desired state is over %d bytes.", maxDesired)
	}
	var d assign.Desired
	if err := json.Unmarshal(b, &d); err != nil {
		return assign.Desired{}, errs.E("control.desired", errs.Unavailable, "The control node's answer is not understood.", err)
	}
	return d, nil
}

// Image sends GET /agent/v1/images/{sha256} and streams the answer. The bytes
// are not verified here.
func (c *Client) Image(ctx context.Context, sha256 string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := newWatchdog(c.c.Clock, c.c.Stall, cancel)
	resp, err := c.send(ctx, http.MethodGet, "/agent/v1/images/"+url.PathEscape(sha256), nil)
	if err != nil {
		w.stop()
		return nil, err
	}
	return &imageBody{body: resp.Body, watchdog: w}, nil
}

// send makes the call at one control node after another until one answers for
// good. The answer is a success; whoever gets it closes its body.
func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	first := c.first()
	var last error
	for i := range c.c.BaseURLs {
		n := (first + i) % len(c.c.BaseURLs)
		resp, err := c.call(ctx, method, c.c.BaseURLs[n]+path, body)
		if err == nil || !elsewhere(err) {
			c.prefer(n)
			return resp, err
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	c.prefer((first + 1) % len(c.c.BaseURLs))
	return nil, last
}

// elsewhere tells whether another control node may do what this one did not.
func elsewhere(err error) bool {
	kind := errs.KindOf(err)
	return kind == errs.Unavailable || kind == errs.Unknown || kind == errs.Internal
}

func (c *Client) first() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base
}

func (c *Client) prefer(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base = n
}

func (c *Client) call(ctx context.Context, method, target string, body []byte) (*http.Response, error) {
	const op = "control.call"
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return nil, errs.E(op, errs.Invalid, "", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.c.Token)
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
		for k := errs.Internal; k <= errs.Unknown; k++ {
			if k.String() == body.Error.Kind {
				kind = k
			}
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
