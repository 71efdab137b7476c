package resttest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Answer is what a request got.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	t testing.TB
}

// Do sends a request through the shell. token "" sends none. A body gets the
// content type application/json, unless headers name another.
func (w *World) Do(method, path, token string, headers map[string]string, body string) *Answer {
	w.T.Helper()
	r := httptest.NewRequest(method, "http://cloud"+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.Router.ServeHTTP(rec, r)
	return &Answer{Status: rec.Code, Header: rec.Header(), Body: rec.Body.Bytes(), t: w.T}
}

// Want fails the test unless the answer has the status; it gives the answer
// back.
func (a *Answer) Want(status int) *Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// JSON gives the body as decoded JSON.
func (a *Answer) JSON() map[string]any {
	a.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.Body, &v); err != nil {
		a.t.Fatalf("the body is no JSON object: %v: %s", err, a.Body)
	}
	return v
}

// At walks the body by keys and indexes: a.At("servers", 0, "id"). nil for
// what is not there.
func (a *Answer) At(path ...any) any {
	a.t.Helper()
	var v any = a.JSON()
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			l, _ := v.([]any)
			if key >= len(l) {
				return nil
			}
			v = l[key]
		}
	}
	return v
}

// Text is At for a string; it fails the test for anything else.
func (a *Answer) Text(path ...any) string {
	a.t.Helper()
	s, ok := a.At(path...).(string)
	if !ok {
		a.t.Fatalf("%v is no string in %s", path, a.Body)
	}
	return s
}
