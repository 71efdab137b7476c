package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/kvorum/kvorum/jepsen/cloud"
)

// callTimeout is how long a client waits for an answer. It is longer than the
// product's own patience: a client that hangs up early sees unknown outcomes
// where the product would have given honest ones.
const callTimeout = 12 * time.Second

// maxAnswer bounds an answer's body.
const maxAnswer = 16 << 20

// API is one client's connection to one control node. It never retries.
type API struct {
	// Node is the control node's name, URL the base of its public API.
	Node, URL string
	http      *http.Client
	token     string
}

// NewAPI makes a client of its own connections.
func NewAPI(node, url string, dial func(ctx context.Context, network, address string) (net.Conn, error)) *API {
	return &API{Node: node, URL: url, http: &http.Client{Timeout: callTimeout, Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 2}}}
}

// Close ends its idle connections.
func (a *API) Close() { a.http.CloseIdleConnections() }

// Answer is what a node said.
type Answer struct {
	Status  int
	Index   uint64
	Request string
	// Unknown: the node says that it does not know the outcome.
	Unknown bool
	Header  http.Header
	Body    []byte
}

// OK tells whether it was done.
func (r Answer) OK() bool { return r.Status/100 == 2 }

// Call sends one request, with body as JSON if it is not nil, and decodes the
// answer into into if it is one of success. An error means that no whole
// answer came.
func (a *API) Call(ctx context.Context, method, path string, body, into any) (Answer, error) {
	var send []byte
	if body != nil {
		var err error
		if send, err = json.Marshal(body); err != nil {
			return Answer{}, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, a.URL+path, bytes.NewReader(send))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("OpenStack-API-Version", "compute 2.90")
	if a.token != "" {
		req.Header.Set("X-Auth-Token", a.token)
	}
	return a.send(req, into)
}

func (a *API) send(req *http.Request, into any) (Answer, error) {
	resp, err := a.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	out := Answer{Status: resp.StatusCode, Request: resp.Header.Get("X-OpenStack-Request-Id"), Unknown: resp.Header.Get("X-Outcome") == "unknown", Header: resp.Header}
	out.Index, _ = strconv.ParseUint(resp.Header.Get("X-Index"), 10, 64) // absent is 0
	if out.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		return out, err
	}
	if into != nil && out.OK() {
		err = json.Unmarshal(out.Body, into)
	}
	return out, err
}

// Login gets a token, and keeps it for later calls.
func (a *API) Login(ctx context.Context) error {
	r, err := a.login(ctx)
	if err == nil && !r.OK() {
		err = fmt.Errorf("login at %s: %d %.200s", a.Node, r.Status, r.Body)
	}
	return err
}

func (a *API) login(ctx context.Context) (Answer, error) {
	body := map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": "admin", "domain": map[string]string{"id": "default"}, "password": cloud.Password}}},
		"scope": map[string]any{"project": map[string]any{"name": "admin", "domain": map[string]string{"id": "default"}}}}}
	r, err := a.Call(ctx, "POST", "/identity/v3/auth/tokens", body, nil)
	if err == nil && r.OK() {
		a.token = r.Header.Get("X-Subject-Token")
	}
	return r, err
}

// revoke ends a token.
func (a *API) revoke(ctx context.Context, token string) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, "DELETE", a.URL+"/identity/v3/auth/tokens", nil)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("X-Auth-Token", a.token)
	req.Header.Set("X-Subject-Token", token)
	return a.send(req, nil)
}

// note puts into op what was answered, and judges the outcome. A request that
// was never sent, and one that was refused, was not done; one whose answer did
// not come may have been.
func note(op *Op, r Answer, err error) {
	op.Status, op.Index, op.Request = r.Status, r.Index, r.Request
	var dial *net.OpError
	switch {
	case err != nil && errors.As(err, &dial) && dial.Op == "dial":
		op.Outcome, op.Error = Fail, err.Error()
	case err != nil:
		op.Outcome, op.Error = Info, err.Error()
	case r.OK():
		op.Outcome = OK
	case r.Unknown:
		op.Outcome, op.Error = Info, fmt.Sprintf("%.200s", r.Body)
	default:
		op.Outcome, op.Error = Fail, fmt.Sprintf("%.200s", r.Body)
	}
}

// upload sends bytes.
func (a *API) upload(ctx context.Context, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, "PUT", a.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("X-Auth-Token", a.token)
	r, err := a.send(req, nil)
	if err == nil && !r.OK() {
		err = fmt.Errorf("upload: %d %.300s", r.Status, r.Body)
	}
	return err
}
