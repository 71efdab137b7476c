package agentapi

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/wire"
)

// TestLease: the request goes to this node's register, whose refusal is an
// answer and whose error is one.
func TestLease(t *testing.T) {
	const me, stranger = string(theHost), "00000000-0000-4000-8000-0000000000f9"
	var got assign.LeaseRequest
	calls := 0
	d := &Door{Log: slog.New(slog.DiscardHandler), Lease: func(q assign.LeaseRequest) (assign.LeaseAnswer, error) {
		calls++
		got = q
		if q.HostID == stranger {
			return assign.LeaseAnswer{}, errs.Errorf("test", errs.NotFound, "Who?")
		}
		return assign.LeaseAnswer{NodeID: "c1", Life: 5, Reason: assign.LeaseDown}, nil
	}}
	ask := func(who, body string) (int, string) {
		r := httptest.NewRequest(http.MethodPost, "/agent/v1/lease", strings.NewReader(body))
		if who != "" {
			r = wire.AsPeer(r, hostIdentity(who))
		}
		w := httptest.NewRecorder()
		d.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	status, body := ask(me, `{"host_id":"`+me+`","instance":"i","seq":4,"cluster_id":"k"}`)
	var a assign.LeaseAnswer
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 || a.NodeID != "c1" || a.Reason != assign.LeaseDown || a.Granted {
		t.Errorf("%d %s", status, body)
	}
	if got != (assign.LeaseRequest{HostID: me, Instance: "i", Seq: 4, ClusterID: "k"}) {
		t.Errorf("got %+v", got)
	}
	for _, c := range []struct {
		who, body string
		status    int
	}{
		{stranger, `{"host_id":"` + stranger + `"}`, 404}, {"", `{}`, 401}, {stranger, `{"host_id":"` + me + `"}`, 403}, {me, `{"unknown":1}`, 400},
		{me, `"` + strings.Repeat("x", maxBody) + `"`, 413},
	} {
		if status, body := ask(c.who, c.body); status != c.status {
			t.Errorf("%d %s, want %d", status, body, c.status)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls came through", calls)
	}
}
