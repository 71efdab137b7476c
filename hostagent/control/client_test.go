package control_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/control"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

var _ hostagent.Control = (*control.Client)(nil)

func serve(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

func client(t *testing.T, clk clock.Clock, bases ...string) *control.Client {
	t.Helper()
	c, err := control.New(control.Config{BaseURLs: bases, HostID: "host-1", Clock: clk})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCalls: what is sent, and what is made of the answers.
func TestCalls(t *testing.T) {
	want := assign.Desired{ClusterID: "c", Index: 7, HostID: "host-1",
		Guests: []assign.Guest{{ID: "g", UserData: []byte("x")}}}
	want.Digest = want.Sum()
	var seen []string
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.URL.RequestURI()+"  "+string(body))
		switch {
		case strings.HasPrefix(r.URL.Path, "/agent/v1/images/"):
			_, _ = io.WriteString(w, "bytes")
		case r.URL.Path != "/agent/v1/desired" || r.URL.Query().Get("digest") == want.Digest:
			w.WriteHeader(http.StatusNoContent)
		default:
			_ = json.NewEncoder(w).Encode(want)
		}
	})
	c := client(t, clock.Real{}, base+"/")
	ctx := context.Background()
	if got, err := c.Desired(ctx, "d1"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("desired: %+v, %v", got, err)
	}
	if got, err := c.Desired(ctx, want.Digest); err != nil || !reflect.DeepEqual(got, assign.Desired{Digest: want.Digest}) {
		t.Errorf("unchanged: %+v, %v", got, err)
	}
	if err := c.Report(ctx, assign.Report{HostID: "host-1", Seq: 3, Guests: []assign.Observed{{ID: "g", State: assign.Running}}}); err != nil {
		t.Error(err)
	}
	if err := c.Register(ctx, assign.Capacity{HostID: "host-1"}); err != nil {
		t.Error(err)
	}
	body, err := c.Image(ctx, "abc")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(body); err != nil || string(b) != "bytes" || body.Close() != nil {
		t.Errorf("image: %q, %v", b, err)
	}
	expect := []string{
		"GET /agent/v1/desired?digest=d1&host=host-1&wait=10s  ",
		"GET /agent/v1/desired?deltas=1&digest=" + want.Digest + "&host=host-1&wait=10s  ",
		`POST /agent/v1/report  {"host_id":"host-1","seq":3,"guests":[{"id":"g","permit":0,"state":"running"}]}`,
		`POST /agent/v1/register  {"host_id":"host-1","name":"","address":"","vcpus":0,"ram":0,"disk":0,"hypervisor":"","hypervisor_version":0}`,
		"GET /agent/v1/images/abc  ",
	}
	if !reflect.DeepEqual(seen, expect) {
		t.Errorf("sent:\n%s\nwant:\n%s", strings.Join(seen, "\n"), strings.Join(expect, "\n"))
	}
}

// TestErrors: a kind in the body wins over the status, and the status over
// nothing.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   errs.Kind
		msg    string
	}{
		{409, `{"error":{"kind":"conflict","message":"Another generation."}}`, errs.Conflict, "Another generation."},
		{503, `{"error":{"kind":"unknown outcome","message":"Lost the leader."}}`, errs.Unknown, "Lost the leader."},
		{404, `not json`, errs.NotFound, "The control node answered 404 Not Found."},
		{401, ``, errs.Unauthorized, "The control node answered 401 Unauthorized."},
		{403, ``, errs.Forbidden, "The control node answered 403 Forbidden."},
		{413, ``, errs.TooLarge, "The control node answered 413 Request Entity Too Large."},
		{429, ``, errs.Busy, "The control node answered 429 Too Many Requests."},
		{500, ``, errs.Unavailable, "The control node answered 500 Internal Server Error."},
		{302, ``, errs.Unavailable, "The control node answered 302 Found."},
		{400, `{"error":{"kind":"of the future"}}`, errs.Invalid, "The control node answered 400 Bad Request."},
	} {
		base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		err := client(t, clock.Real{}, base).Report(context.Background(), assign.Report{})
		if !errs.Is(err, c.kind) || errs.Message(err) != c.msg {
			t.Errorf("%d %s: %v, %q", c.status, c.body, errs.KindOf(err), errs.Message(err))
		}
	}
}

// TestStalledImage: a transfer without progress is called off.
func TestStalledImage(t *testing.T) {
	release := make(chan struct{})
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	clk := clock.NewFake(time.Unix(0, 0))
	body, err := client(t, clk, base).Image(context.Background(), "abc")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.ReadAll(body)
		done <- err
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		select {
		case err := <-done:
			if !errs.Is(err, errs.Unavailable) || body.Close() != nil {
				t.Errorf("ended with %v", err)
			}
			return
		case <-clock.Real{}.After(time.Millisecond):
			clk.Advance(time.Minute)
		case <-ctx.Done():
			t.Fatal("the stalled transfer was not called off")
		}
	}
}

// TestBadConfig: what cannot work is refused at once.
func TestBadConfig(t *testing.T) {
	for _, c := range []control.Config{
		{HostID: "h"}, {BaseURLs: []string{"http://a"}}, {BaseURLs: []string{"ftp://a"}, HostID: "h"},
		{BaseURLs: []string{"http://"}, HostID: "h"}, {BaseURLs: []string{"::"}, HostID: "h"},
	} {
		if _, err := control.New(c); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
