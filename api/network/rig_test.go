package network

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
)

// rig is a world without networks, images and hosts, with this front door.
type rig struct {
	*resttest.World
	t testing.TB
}

const (
	admin    = resttest.Admin
	member   = resttest.Member
	reader   = resttest.Reader
	stranger = resttest.Stranger
)

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{World: resttest.New(t), t: t}
	r.Front(Dialect("/network"), new(Door).Routes())
	r.Must(r.By(admin), &command.NetworkDelete{ID: resttest.Network})
	// Goldens show times: these must not depend on what the world is made of.
	r.Clock.Advance(time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC).Sub(r.Clock.Now()))
	return r
}

// do makes a request below /network.
func (r *rig) do(who, method, path, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "http://cloud/network"+path, strings.NewReader(body))
	req.Header.Set("X-Auth-Token", who)
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	r.Router.ServeHTTP(w, req)
	return w
}

// want makes a request that must be answered with a status.
func (r *rig) want(status int, who, method, path, body string) *httptest.ResponseRecorder {
	r.t.Helper()
	w := r.do(who, method, path, body)
	if w.Code != status {
		r.t.Fatalf("%s %s %s: %d %s, want %d", who, method, path, w.Code, w.Body, status)
	}
	return w
}

// made makes something and gives its id.
func (r *rig) made(who, path, body string) string {
	r.t.Helper()
	w := r.want(201, who, "POST", "/v2.0/"+path, body)
	for _, one := range parsed[map[string]struct{ ID string }](r.t, w) {
		return one.ID
	}
	r.t.Fatalf("no id in %s", w.Body)
	return ""
}

func parsed[T any](t testing.TB, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}
