package agentapi

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/wire"
)

// TestGossip: an agent is told how to gossip; nobody else is.
func TestGossip(t *testing.T) {
	want := assign.Gossip{ClusterID: "k", Incarnation: 3, Key: []byte("key"), Seeds: []string{"10.0.0.1:8771"}}
	var fail error
	d := &Door{Log: slog.New(slog.DiscardHandler), Peek: fsm.New(false).View, Gossip: func() (assign.Gossip, error) { return want, fail }}
	ask := func(d *Door, known bool) (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/agent/v1/gossip", nil)
		if known {
			r = wire.AsPeer(r, hostIdentity(string(theHost)))
		}
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	status, body := ask(d, true)
	var got assign.Gossip
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 200 || !reflect.DeepEqual(got, want) || got.Label() != "k.3" {
		t.Errorf("%d %s", status, body)
	}
	if status, body := ask(d, false); status != 401 || strings.Contains(body, "seeds") {
		t.Errorf("a stranger is told %d %s", status, body)
	}
	fail = errs.Errorf("test", errs.Unavailable, "Not yet.")
	if status, body := ask(d, true); status != 503 || !strings.Contains(body, "Not yet.") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := ask(&Door{Log: d.Log}, true); status != 404 {
		t.Errorf("a node that does not gossip: %d", status)
	}
}

// TestANewNodesFailuresAreNoWarnings: it has nothing to answer by before it has
// the state; afterwards it should have.
func TestANewNodesFailuresAreNoWarnings(t *testing.T) {
	var log bytes.Buffer
	c := newCloud(t, 1)
	peek := fsm.New(false).View
	d := &Door{Log: slog.New(slog.NewTextHandler(&log, nil)), Peek: func() state.View { return peek() },
		Lease: func(assign.LeaseRequest) (assign.LeaseAnswer, error) {
			return assign.LeaseAnswer{}, errs.Errorf("test", errs.Unavailable, "Not yet.")
		}}
	for _, want := range []string{"level=INFO", "level=WARN"} {
		log.Reset()
		r := wire.AsPeer(httptest.NewRequest(http.MethodPost, "/agent/v1/lease", strings.NewReader(`{"host_id":"`+string(theHost)+`"}`)), hostIdentity(string(theHost)))
		d.Handler().ServeHTTP(httptest.NewRecorder(), r)
		if !strings.Contains(log.String(), want) || !strings.Contains(log.String(), "Not yet.") {
			t.Errorf("%s, want %s", log.String(), want)
		}
		peek = c.nodes[0].machine.View
	}
}

// TestACopyIsNotHeard: while one machine holds the lease, what another one says
// of the host does not reach the log, nor make the first one's words old.
func TestACopyIsNotHeard(t *testing.T) {
	c := newCloud(t, 1)
	c.nodes[0].door.Rival = func(host, instance string) bool { return host == string(theHost) && instance == "copy/9" }
	c.nodes[0].web.Config.Handler = asHost(c.nodes[0].door.Handler())
	client := c.client(&lossy{})
	register := func(instance, address string, seq uint64) error {
		return client.Register(t.Context(), assign.Capacity{HostID: string(theHost), Name: "h1", Address: address, Instance: instance, Seq: seq})
	}
	report := func(instance string, seq uint64) error {
		return client.Report(t.Context(), assign.Report{HostID: string(theHost), Instance: instance, Seq: seq})
	}
	if err := register("copy/9", "10.0.0.9:1", 900); !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Message(err), "copy of the other's disk") {
		t.Errorf("the copy registers: %v", err)
	}
	if err := report("copy/9", 901); !errs.Is(err, errs.Unavailable) {
		t.Errorf("the copy reports: %v", err)
	}
	if err := register("boot/1", "10.0.0.1:1", 5); err != nil {
		t.Error(err)
	}
	if err := report("boot/1", 6); err != nil {
		t.Error(err)
	}
	if h := c.nodes[0].machine.View().Host(theHost); h.Address != "10.0.0.1:1" || h.Registered != 5 || h.Reported != 6 {
		t.Errorf("%+v", h)
	}
}
