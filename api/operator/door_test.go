package operator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func serve(d *Door, path, remote, auth string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	d.Register(mux)
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = remote
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w
}

func TestDoor(t *testing.T) {
	why := "no leader yet"
	m := NewMetrics(func() []Sample {
		return []Sample{{Name: "raft_applied_index", Help: "x", Value: 7}, {Name: "odd-name.x", Labels: []string{"a b", "c"}, Total: true, Value: 1}}
	})
	m.Observe("compute", "servers:list", 200, time.Millisecond)
	d := &Door{Metrics: m, Token: "s3", Ready: func() string { return why }, Facts: func() map[string]any { return map[string]any{"version": "x"} }}

	if w := serve(d, "/readyz", "192.0.2.1:1", ""); w.Code != 503 || !strings.Contains(w.Body.String(), why) {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	why = ""
	if w := serve(d, "/readyz", "192.0.2.1:1", ""); w.Code != 200 {
		t.Errorf("ready: %d", w.Code)
	}
	if w := serve(d, "/metrics", "192.0.2.1:1", ""); w.Code != 403 {
		t.Errorf("metrics from elsewhere: %d", w.Code)
	}
	if w := serve(d, "/metrics", "192.0.2.1:1", "Bearer s3"); w.Code != 200 {
		t.Errorf("metrics with the token: %d", w.Code)
	}
	w := serve(d, "/metrics", "127.0.0.1:1", "")
	for _, want := range []string{"kvorum_raft_applied_index 7", `kvorum_odd_name_x{a_b="c"} 1`,
		`kvorum_http_requests_total{door="compute",route="servers:list",status="200"} 1`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics lack %q", want)
		}
	}
}
