package operator

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

// TestGossipVerbs: what is seen is told whole, and a node that does not gossip
// says so and still tells what else is wrong.
func TestGossipVerbs(t *testing.T) {
	var fail error
	v := &Verbs{Log: slog.New(slog.DiscardHandler),
		Gossip: func() ([]GossipMember, error) {
			return []GossipMember{{Pool: "agents", ID: "i", Name: "h1", Known: true, Role: "agent", RPC: "r:1", Version: "v", Address: "a:1", Status: "alive"}}, fail
		},
		Alarms: func() []Alarm {
			return []Alarm{{Kind: "name", Pool: "agents", ID: "i", Name: "h1", Holder: "a:1", Claimant: "a:2", Count: 3, First: "f", Last: "l", Active: true}}
		}}
	ask := func(path string, status int, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		v.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != status || w.Body.String() != want+"\n" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	alarms := `{"alarms":[{"kind":"name","pool":"agents","id":"i","name":"h1","holder":"a:1","claimant":"a:2","count":3,"first":"f","last":"l","active":true}]}`
	ask("/v1/gossip/members", 200, `{"members":[{"pool":"agents","id":"i","name":"h1","known":true,"role":"agent","rpc":"r:1","version":"v","address":"a:1","status":"alive"}]}`)
	ask("/v1/gossip/alarms", 200, alarms)
	fail = errs.Errorf("test", errs.Unavailable, "This control node does not gossip.")
	ask("/v1/gossip/members", 503, `{"error":{"kind":"unavailable","message":"This control node does not gossip."}}`)
	ask("/v1/gossip/alarms", 200, alarms)
}
