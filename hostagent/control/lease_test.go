package control_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/control"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

var _ hostagent.LeaseTransport = (*control.Client)(nil)

// TestRenew: the one node that was named is asked, by URL or by host and port,
// and no other one in its place.
func TestRenew(t *testing.T) {
	ask := assign.LeaseRequest{ClusterID: "k", HostID: "host-1", Instance: "boot/1", Seq: 7}
	want := assign.LeaseAnswer{ClusterID: "k", Incarnation: 2, NodeID: "c2", Granted: true, Life: 9,
		Electorate: assign.Electorate{Index: 3, Nodes: []assign.Node{{ID: "c2", Address: "a:1", Voter: true}}}}
	others, status := 0, http.StatusOK
	other := serve(t, func(http.ResponseWriter, *http.Request) { others++ })
	named := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var got assign.LeaseRequest
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || got != ask || r.Method != "POST" || r.URL.Path != "/agent/v1/lease" {
			t.Errorf("%s %s: %+v, %v", r.Method, r.URL, got, err)
		}
		w.WriteHeader(status)
		switch status {
		case http.StatusOK:
			_ = json.NewEncoder(w).Encode(want)
		case http.StatusAccepted:
			_, _ = io.WriteString(w, "not JSON")
		}
	})
	c := client(t, clock.Real{}, other)
	for _, address := range []string{named, named + "/", strings.TrimPrefix(named, "http://")} {
		if got, err := c.Renew(context.Background(), address, ask); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
	var kind errs.Kind
	for status, kind = range map[int]errs.Kind{http.StatusAccepted: errs.Unavailable, http.StatusNotFound: errs.NotFound,
		http.StatusInternalServerError: errs.Unavailable} {
		if _, err := c.Renew(context.Background(), named, ask); !errs.Is(err, kind) {
			t.Errorf("status %d: %v", status, err)
		}
	}
	if _, err := c.Renew(context.Background(), "::", ask); !errs.Is(err, errs.Invalid) {
		t.Errorf("no address: %v", err)
	}
	if others != 0 {
		t.Errorf("%d calls went elsewhere", others)
	}
}
