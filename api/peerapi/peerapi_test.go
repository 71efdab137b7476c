package peerapi

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

// node answers what it is told to.
type node struct {
	res   Result
	err   error
	point Point
	got   []byte
}

// Status implements Node.
func (n *node) Status() Status {
	return Status{Term: 7, Applied: 41, Version: "v", Gossip: "10.0.0.1:8771"}
}

// Confirm implements Node.
func (n *node) Confirm(context.Context) (Point, error) { return n.point, n.err }

// Offer implements Node.
func (n *node) Offer(_ context.Context, data []byte) (Result, error) {
	n.got = data
	return n.res, n.err
}

// serve gives a client and the address of a node's door.
func serve(t *testing.T, h http.Handler) (*Client, string) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	return &Client{HTTP: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, strings.TrimPrefix(s.URL, "https://")
}

func door(n *node) http.Handler {
	return (&Door{Node: n, MaxCommand: 64, Log: slog.New(slog.DiscardHandler)}).Handler()
}

func TestOutcomesCrossTheWire(t *testing.T) {
	for _, tc := range []struct {
		name string
		res  Result
		err  error
	}{
		{"done", Result{Index: 9, IDs: []string{"a", "b"}}, nil},
		{"refused by its rules", Result{Index: 9, Err: errs.Errorf("x", errs.Quota, "Too many.")}, nil},
		{"refused without a sentence", Result{Index: 9, Err: errs.Errorf("x", errs.Conflict, "")}, nil},
		{"surely not done", Result{}, errs.Errorf("x", errs.Unavailable, "No leader.")},
		{"too much at once", Result{}, errs.Errorf("x", errs.Busy, "Busy.")},
		{"not known", Result{}, errs.Errorf("x", errs.Unknown, "")},
		{"a defect", Result{}, errors.New("boom")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := &node{res: tc.res, err: tc.err}
			c, at := serve(t, door(n))
			res, err := c.Offer(t.Context(), at, []byte("command"))
			if string(n.got) != "command" {
				t.Errorf("offered %q", n.got)
			}
			if (err == nil) != (tc.err == nil) || err != nil && (errs.KindOf(err) != errs.KindOf(tc.err) || errs.Message(err) != errs.Message(tc.err)) {
				t.Errorf("error %v, want %v", err, tc.err)
			}
			if res.Index != tc.res.Index || !reflect.DeepEqual(res.IDs, tc.res.IDs) || (res.Err == nil) != (tc.res.Err == nil) {
				t.Errorf("result %+v, want %+v", res, tc.res)
			}
			if res.Err != nil && (errs.KindOf(res.Err) != errs.KindOf(tc.res.Err) || errs.Message(res.Err) != errs.Message(tc.res.Err)) {
				t.Errorf("refusal %v, want %v", res.Err, tc.res.Err)
			}
		})
	}
}

func TestQuestions(t *testing.T) {
	n := &node{point: Point{Index: 5, Term: 7}}
	c, at := serve(t, door(n))
	if term, err := c.Term(t.Context(), at); err != nil || term != 7 {
		t.Errorf("term %d, %v", term, err)
	}
	if applied, err := c.AppliedIndex(t.Context(), at); err != nil || applied != 41 {
		t.Errorf("applied %d, %v", applied, err)
	}
	if s, err := c.Status(t.Context(), at); err != nil || s != n.Status() {
		t.Errorf("status %+v, %v", s, err)
	}
	if p, err := c.Confirm(t.Context(), at); err != nil || p != n.point {
		t.Errorf("point %+v, %v", p, err)
	}
	n.err = errs.Errorf("x", errs.Unavailable, "Not the leader.")
	if _, err := c.Confirm(t.Context(), at); !errs.Is(err, errs.Unavailable) || errs.Message(err) != "Not the leader." {
		t.Errorf("a node that does not lead: %v", err)
	}
	if _, err := c.Offer(t.Context(), at, make([]byte, 65)); !errs.Is(err, errs.TooLarge) {
		t.Errorf("too large: %v", err)
	}
}

// TestBrokenWires: what was not received is surely not done; whatever else goes
// wrong after the call was sent leaves it open.
func TestBrokenWires(t *testing.T) {
	s := httptest.NewTLSServer(nil)
	gone := strings.TrimPrefix(s.URL, "https://")
	s.Close()
	c, _ := serve(t, door(&node{}))
	if _, err := c.Offer(t.Context(), gone, nil); !errs.Is(err, errs.Unavailable) {
		t.Errorf("nobody listens: %v", err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"hangs up":       func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"talks nonsense": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) },
		"fails nonsense": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"of the future": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			_, _ = w.Write([]byte(`{"error":{"kind":"new"}}`))
		},
		"stops half way": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("{"))
		},
		"wrong direction": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", "/x"); w.WriteHeader(302) },
	} {
		c, at := serve(t, h)
		if _, err := c.Offer(t.Context(), at, nil); !errs.Is(err, errs.Unknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
