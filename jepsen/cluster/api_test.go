package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

func TestNote(t *testing.T) {
	dial := &url.Error{Op: "Get", URL: "http://x", Err: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
	for name, c := range map[string]struct {
		answer Answer
		err    error
		want   Outcome
		text   string
	}{
		"done":                        {answer: Answer{Status: 200, Index: 7, Request: "r1"}, want: OK},
		"accepted":                    {answer: Answer{Status: 202}, want: OK},
		"done, whatever else it says": {answer: Answer{Status: 204, Unknown: true}, want: OK},
		"refused":                     {answer: Answer{Status: 409, Body: []byte("busy")}, want: Fail, text: "busy"},
		"not now":                     {answer: Answer{Status: 503, Body: []byte("no leader")}, want: Fail, text: "no leader"},
		"nobody knows":                {answer: Answer{Status: 503, Unknown: true, Body: []byte("who knows")}, want: Info, text: "who knows"},
		"a redirect is no success":    {answer: Answer{Status: 302}, want: Fail},
		"never sent":                  {err: dial, want: Fail, text: "connection refused"},
		"never sent, says somebody":   {err: fmt.Errorf("call: %w", dial), want: Fail, text: "connection refused"},
		"no answer":                   {err: context.DeadlineExceeded, want: Info, text: "deadline"},
		"the connection broke":        {err: &url.Error{Op: "Put", URL: "http://x", Err: &net.OpError{Op: "read", Err: errors.New("reset")}}, want: Info, text: "reset"},
		"broke while it was sent":     {err: &net.OpError{Op: "write", Err: errors.New("broken pipe")}, want: Info, text: "broken pipe"},
		"half an answer":              {answer: Answer{Status: 200, Index: 7}, err: io.ErrUnexpectedEOF, want: Info, text: "unexpected EOF"},
		"half a refusal":              {answer: Answer{Status: 503}, err: io.ErrUnexpectedEOF, want: Info},
		"a long text":                 {answer: Answer{Status: 500, Body: []byte(strings.Repeat("x", 1000))}, want: Fail, text: strings.Repeat("x", 200)},
	} {
		t.Run(name, func(t *testing.T) {
			var op Op
			note(&op, c.answer, c.err)
			if op.Outcome != c.want || op.Status != c.answer.Status || op.Index != c.answer.Index || op.Request != c.answer.Request || !strings.Contains(op.Error, c.text) || len(op.Error) > 400 {
				t.Errorf("%+v", op)
			}
		})
	}
}

// TestCall: what a node says is read as it was said, and nothing is tried twice.
func TestCall(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.Header.Get("X-Auth-Token") != "secret" || r.Header.Get("OpenStack-API-Version") == "" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("X-OpenStack-Request-Id", "req-1")
		switch r.URL.Path {
		case "/good":
			w.Header().Set("X-Index", "42")
			_, _ = io.Copy(w, r.Body)
		case "/unknown":
			w.Header().Set("X-Outcome", "unknown")
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/half":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
		case "/none":
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	api := NewAPI("c1", server.URL, (&net.Dialer{}).DialContext)
	api.token = "secret"
	for path, want := range map[string]Op{
		"/good":    {Outcome: OK, Index: 42, Request: "req-1", Status: 200},
		"/unknown": {Outcome: Info, Request: "req-1", Status: 503},
		"/half":    {Outcome: Info, Request: "req-1", Status: 200},
		"/none":    {Outcome: Info},
	} {
		t.Run(path, func(t *testing.T) {
			calls.Store(0)
			var got struct{ Name string }
			var op Op
			r, err := api.Call(t.Context(), "POST", path, map[string]string{"name": "a"}, &got)
			note(&op, r, err)
			op.Error = ""
			if op.Outcome != want.Outcome || op.Index != want.Index || op.Request != want.Request || op.Status != want.Status || calls.Load() != 1 {
				t.Errorf("%+v after %d calls", op, calls.Load())
			}
			if path == "/good" && got.Name != "a" {
				t.Errorf("read %+v", got)
			}
		})
	}
	server.Close()
	api = NewAPI("c1", server.URL, (&net.Dialer{}).DialContext)
	var op Op
	r, err := api.Call(t.Context(), "POST", "/good", nil, nil)
	if note(&op, r, err); op.Outcome != Fail {
		t.Errorf("nobody listens: %+v", op)
	}
}
