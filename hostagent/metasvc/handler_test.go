package metasvc

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/hostagent/netsvc"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// TestPassword: the guest that a password is from is found as for all else, and
// told what became of it.
func TestPassword(t *testing.T) {
	told := desired()
	told.Guests[0].Permit, told.Guests[1].Password = 7, []byte("had")
	var got []assign.Password
	var fail error
	h := Handler(func() (assign.Desired, bool) { return told, true }, func(_ context.Context, p assign.Password) error {
		got = append(got, p)
		return fail
	})
	ask := func(method, network, ip string) (int, string) {
		r := httptest.NewRequest(method, "/openstack/latest/password", strings.NewReader("c2VjcmV0"))
		r = r.WithContext(netsvc.WithCaller(r.Context(), netsvc.Caller{Network: network, Addr: netip.MustParseAddr(ip)}))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if status, _ := ask("POST", "a", "10.0.0.5"); status != 200 || len(got) != 1 || got[0] != (assign.Password{Guest: "one", Permit: 7, Text: "c2VjcmV0"}) {
		t.Errorf("%d, %+v", status, got)
	}
	if status, body := ask("GET", "b", "10.0.0.5"); status != 200 || body != "had" {
		t.Errorf("%d %s", status, body)
	}
	for _, row := range []struct {
		network, ip string
		fail        error
		status      int
	}{
		{"b", "10.0.0.5", nil, http.StatusConflict}, {"a", "10.0.0.7", nil, http.StatusNotFound}, {"c", "10.0.0.5", nil, http.StatusNotFound},
		{"a", "10.0.0.5", errs.Errorf("t", errs.Conflict, ""), http.StatusConflict}, {"a", "10.0.0.5", errs.Errorf("t", errs.NotFound, ""), http.StatusNotFound},
		{"a", "10.0.0.5", errs.Errorf("t", errs.Unknown, ""), http.StatusServiceUnavailable}, {"a", "10.0.0.5", errs.Errorf("t", errs.Internal, ""), http.StatusServiceUnavailable},
	} {
		fail = row.fail
		if status, _ := ask("POST", row.network, row.ip); status != row.status {
			t.Errorf("%s on %s, %v: %d, want %d", row.ip, row.network, row.fail, status, row.status)
		}
	}
}
