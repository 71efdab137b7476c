package control

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Config is what a Client is made of.
type Config struct {
	// BaseURLs are the control nodes', such as http://10.0.0.1:8770; at least
	// one. Each host tries them in an order of its own, beginning with the one
	// that answered last.
	BaseURLs []string
	// Nodes (optional) gives host:port of each control node that is known now;
	// it is asked before each call, and takes the place of BaseURLs.
	Nodes  func() []string
	HostID string
	Clock  clock.Clock
	// HTTP (optional) makes the calls; without it they are plain HTTP.
	HTTP http.RoundTripper
	// Wait (optional) is how long a question for the desired state may be held
	// back while there is no news; 10 s if not given.
	Wait time.Duration
	// Timeout (optional) ends any other call at one control node, and a long
	// question that much after its Wait; 5 s if not given. Then the next node
	// is asked.
	Timeout time.Duration
	// Stall (optional) ends an image's transfer that makes no progress; one
	// minute if not given.
	Stall time.Duration
}

// Client speaks the agent API. It is safe for concurrent use.
type Client struct {
	c     Config
	http  *http.Client
	nodes *follower
	whole wholes
}

// New makes a client. Invalid: an address or the host's id cannot be used.
func New(c Config) (*Client, error) {
	const op = "control.new"
	if c.Nodes != nil {
		c.BaseURLs = urls(c.Nodes())
	}
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
	for _, p := range []struct {
		have *time.Duration
		def  time.Duration
	}{{&c.Wait, 10 * time.Second}, {&c.Timeout, 5 * time.Second}, {&c.Stall, time.Minute}} {
		if *p.have <= 0 {
			*p.have = p.def
		}
	}
	if c.HTTP == nil {
		c.HTTP = transport()
	}
	return &Client{c: c, http: &http.Client{Transport: c.HTTP, CheckRedirect: neverRedirect},
		nodes: newFollower(c.HostID, bases, c.Nodes, c.Clock)}, nil
}

// urls are the base URLs of nodes that are known by host:port.
func urls(nodes []string) (out []string) {
	for _, n := range nodes {
		out = append(out, "https://"+n)
	}
	return out
}

// Register sends POST /agent/v1/register.
func (c *Client) Register(ctx context.Context, capacity assign.Capacity) error {
	return c.post(ctx, "/agent/v1/register", capacity)
}

// Report sends POST /agent/v1/report.
func (c *Client) Report(ctx context.Context, report assign.Report) error {
	return c.post(ctx, "/agent/v1/report", report)
}

// Password sends POST /agent/v1/password. Conflict: the guest has another one
// already.
func (c *Client) Password(ctx context.Context, p assign.Password) error {
	return c.post(ctx, "/agent/v1/password", p)
}

func (c *Client) post(ctx context.Context, path string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return errs.E("control.post", errs.Internal, "", err)
	}
	return c.nodes.each(ctx, c.c.Timeout, func(ctx context.Context, _ int, base string) error {
		resp, err := c.call(ctx, http.MethodPost, base+path, b)
		if err != nil {
			return err
		}
		_ = resp.Body.Close() // an answer's status is all there is to it
		return nil
	})
}

// Image sends GET /agent/v1/images/{sha256} and streams the answer. The bytes
// are not verified here.
func (c *Client) Image(wanted context.Context, sha256 string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancel(wanted)
	w := newWatchdog(c.c.Clock, c.c.Stall, cancel)
	body := &imageBody{watchdog: w}
	asked := 0
	err := c.nodes.each(ctx, 0, func(ctx context.Context, node int, base string) error {
		asked = node
		resp, err := c.call(ctx, http.MethodGet, base+"/agent/v1/images/"+url.PathEscape(sha256), nil)
		if err != nil {
			return err
		}
		body.body, body.broken = resp.Body, func() { c.nodes.leave(node) }
		return nil
	})
	if err != nil {
		if ctx.Err() != nil && wanted.Err() == nil {
			c.nodes.leave(asked) // it took the call and said nothing
		}
		w.stop()
		return nil, err
	}
	return body, nil
}
