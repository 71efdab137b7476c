package rest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// large is more than a connection's buffers hold, in bytes.
const large = 16 << 20

// rig is a shell on a socket of its own, with a front door that has a route
// of every sort.
type rig struct {
	*resttest.World
	t      *testing.T
	server *httptest.Server
	// done is told of each finished request.
	done chan outcome
	// held is what the route "hold" waits for.
	held, holding chan struct{}
	log           *lines
}

type outcome struct {
	route  string
	status int
}

func newRig(t *testing.T, slots int, timeout time.Duration) *rig {
	t.Helper()
	r := &rig{World: resttest.New(t), t: t, done: make(chan outcome, 1024), held: make(chan struct{}), holding: make(chan struct{}, 64), log: &lines{}}
	r.Shell.Slots, r.Shell.Timeout, r.Shell.Clock = make(chan struct{}, slots), timeout, clock.Real{}
	r.Shell.Log = slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.Shell.Observe = func(_, route string, status int, _ time.Duration) { r.done <- outcome{route, status} }
	r.Front(&rest.Dialect{Name: "x", Root: "/x", Forbidden: func(*rest.Route) string { return "no" },
		Fault: func(_ *rest.Call, status int, m string, _ http.Header) (any, string) {
			return map[string]any{"fault": map[string]any{"status": status, "says": m}}, ""
		}}, r.routes())
	r.server = httptest.NewServer(r.Router)
	t.Cleanup(r.server.Close)
	return r
}

func (r *rig) routes() []rest.Route {
	echo := func(c *rest.Call) (rest.Answer, error) {
		return rest.JSON(200, map[string]int{"bytes": len(c.Body)}), nil
	}
	return []rest.Route{
		{Name: "quiet", Method: "GET", Path: "/quiet", Quiet: true, Handle: echo},
		{Name: "login", Method: "POST", Path: "/login", Persona: rest.Nobody, Handle: echo},
		{Name: "read", Method: "GET", Path: "/read", Persona: rest.Reader, Handle: echo},
		{Name: "write", Method: "POST", Path: "/write", Persona: rest.Member, MaxBytes: 100, Handle: echo},
		{Name: "raw", Method: "PUT", Path: "/raw", Persona: rest.Member, Raw: true, Handle: func(c *rest.Call) (rest.Answer, error) {
			if _, err := io.Copy(io.Discard, c.Request.Body); err != nil {
				return rest.Answer{}, errs.E("x.raw", errs.Invalid, "the data ended early", err)
			}
			return rest.Empty(202), nil
		}},
		{Name: "list", Method: "GET", Path: "/list", Persona: rest.Reader, Handle: func(*rest.Call) (rest.Answer, error) {
			return rest.JSON(200, strings.Repeat("x", large)), nil
		}},
		{Name: "stream", Method: "GET", Path: "/stream", Persona: rest.Reader, Raw: true, Handle: func(*rest.Call) (rest.Answer, error) {
			return rest.Answer{Status: 200, Stream: io.NopCloser(io.LimitReader(zeros{}, large)), Type: "x/y", Length: large}, nil
		}},
		{Name: "panic", Method: "GET", Path: "/panic", Persona: rest.Reader, Handle: func(*rest.Call) (rest.Answer, error) { panic("on purpose") }},
		{Name: "forever", Method: "GET", Path: "/forever", Persona: rest.Reader, Handle: func(c *rest.Call) (rest.Answer, error) {
			<-c.Context().Done()
			return rest.Answer{}, c.Context().Err()
		}},
		{Name: "hold", Method: "GET", Path: "/hold", Persona: rest.Reader, Handle: func(*rest.Call) (rest.Answer, error) {
			r.holding <- struct{}{}
			<-r.held
			return rest.Empty(204), nil
		}},
		{Name: "change", Method: "DELETE", Path: "/change/{id}", Persona: rest.Member, Handle: func(c *rest.Call) (rest.Answer, error) {
			if c.Param("id") == "none" {
				return rest.Answer{}, errs.Errorf("x.change", errs.NotFound, "there is no such thing")
			}
			_, err := c.DoAs(r.By(resttest.Admin), &command.ProjectCreate{ID: "000000000000000000000000000000a9", DomainID: "default", Name: "new"})
			return rest.Empty(204), err
		}},
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// request finds the log's line of a route.
func (l *lines) request(t *testing.T, route string) map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if v["msg"] == "request" && v["route"] == route {
			return v
		}
	}
	t.Fatalf("no line about %s in %s", route, l.b.String())
	return nil
}

// dial opens a connection and writes the beginning of a request.
func (r *rig) dial(begin string) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.server.Listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, begin); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// head is the beginning of a request with a body of n bytes.
func head(method, path, token string, n int) string {
	return fmt.Sprintf("%s /x%s HTTP/1.1\r\nHost: x\r\nX-Auth-Token: %s\r\nContent-Length: %d\r\n\r\n", method, path, token, n)
}

// status reads an answer's status from a connection, and its body as far as
// it comes.
func status(t *testing.T, c net.Conn) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// get makes a whole request.
func (r *rig) get(method, path, token, body string) (int, string, http.Header) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.server.URL+"/x"+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

// waits returns once the shell has ended a request of the route.
func (r *rig) waits(route string) int {
	r.t.Helper()
	for {
		select {
		case o := <-r.done:
			if o.route == route {
				return o.status
			}
		case <-r.t.Context().Done():
			r.t.Fatalf("%s did not end", route)
		}
	}
}

// TestSlowBodiesTakeNoSlot: many more clients than there are slots have sent
// one byte of their bodies, and everybody else is served.
func TestSlowBodiesTakeNoSlot(t *testing.T) {
	r := newRig(t, 2, time.Minute)
	var slow []net.Conn
	for range 8 {
		slow = append(slow, r.dial(head("POST", "/login", "", 10)+"1"))
		slow = append(slow, r.dial(head("POST", "/write", resttest.Member, 10)+"1"))
		slow = append(slow, r.dial(head("POST", "/write", "no token", 10)+"1"))
	}
	for range 4 {
		for _, row := range []struct{ method, path string }{{"GET", "/read"}, {"POST", "/login"}, {"POST", "/write"}, {"GET", "/quiet"}} {
			if got, body, _ := r.get(row.method, row.path, resttest.Member, ""); got != 200 {
				t.Fatalf("%s while others are slow: %d %s", row.path, got, body)
			}
		}
	}
	// The slow ones are served once they have sent all.
	for i, c := range slow {
		if i%3 == 2 {
			continue
		}
		if _, err := io.WriteString(c, "234567890"); err != nil {
			t.Fatal(err)
		}
		if got, body := status(t, c); got != 200 || body != `{"bytes":10}` {
			t.Errorf("a body that came in two parts: %d %s", got, body)
		}
	}
}

// TestSlowBodiesEnd: on every sort of route a client that does not send on is
// answered, and its connection closed.
func TestSlowBodiesEnd(t *testing.T) {
	r := newRig(t, 2, 100*time.Millisecond)
	for _, row := range []struct {
		name, begin string
		want        int
	}{
		{"no token asked for", head("POST", "/login", "", 10) + "1", 408},
		{"a member's", head("POST", "/write", resttest.Member, 10) + "1", 408},
		{"a token that is not valid", head("POST", "/write", "junk", 10) + "1", 401},
		{"raw", head("PUT", "/raw", resttest.Member, 10) + "1", 408},
		{"raw, without a length", "PUT /x/raw HTTP/1.1\r\nHost: x\r\nX-Auth-Token: member\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 408},
		{"a body that nobody reads", head("GET", "/quiet", "", 10) + "1", 200},
		{"no such route", head("POST", "/none", "", 10) + "1", 404},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := r.dial(row.begin)
			if got, body := status(t, c); got != row.want {
				t.Errorf("%d %s, want %d", got, body, row.want)
			}
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("the connection stays open: %v", err)
			}
		})
	}
	if len(r.Shell.Slots) != 0 {
		t.Errorf("%d slots are taken", len(r.Shell.Slots))
	}
}

// TestSlowReadersEnd: a client that takes nothing of a large answer has no
// slot meanwhile, and is cut off.
func TestSlowReadersEnd(t *testing.T) {
	for _, route := range []string{"list", "stream"} {
		t.Run(route, func(t *testing.T) {
			r := newRig(t, 1, 100*time.Millisecond)
			c := r.dial(head("GET", "/"+route, resttest.Reader, 0))
			if _, err := c.Read(make([]byte, 1)); err != nil { // the answer has begun
				t.Fatal(err)
			}
			if got, body, _ := r.get("GET", "/read", resttest.Reader, ""); got != 200 {
				t.Errorf("while another reads slowly: %d %s", got, body)
			}
			if got := r.waits(route); got != 200 {
				t.Errorf("status %d", got)
			}
			n, err := io.Copy(io.Discard, c)
			if n >= large {
				t.Errorf("all was sent to a client that did not read: %v", err)
			}
		})
	}
}

// TestManySlowReadersLeaveTheRest: large answers are bounded by themselves.
func TestManySlowReadersLeaveTheRest(t *testing.T) {
	r := newRig(t, 2, time.Minute)
	for range 2 {
		c := r.dial(head("GET", "/list", resttest.Reader, 0))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if got, body, h := r.get("GET", "/list", resttest.Reader, ""); got != 503 || h.Get("Retry-After") == "" {
		t.Errorf("a third large answer: %d %.200s", got, body)
	}
	if got, body, _ := r.get("PUT", "/raw", resttest.Member, "data"); got != 503 {
		t.Errorf("a stream besides: %d %.200s", got, body)
	}
	if got, body, _ := r.get("POST", "/write", resttest.Member, "data"); got != 200 {
		t.Errorf("a small one besides: %d %.200s", got, body)
	}
}

func TestSlotsAreBoundedAndGivenBack(t *testing.T) {
	r := newRig(t, 2, time.Minute)
	var got sync.WaitGroup
	for range 2 {
		got.Go(func() {
			if s, body, _ := r.get("GET", "/hold", resttest.Reader, ""); s != 204 {
				t.Errorf("held: %d %s", s, body)
			}
		})
		<-r.holding
	}
	for _, row := range []struct{ method, path string }{{"GET", "/read"}, {"POST", "/write"}, {"PUT", "/raw"}, {"GET", "/quiet"}} {
		s, body, h := r.get(row.method, row.path, resttest.Member, "")
		if s != 503 || h.Get("Retry-After") != "1" || !strings.Contains(body, "busy") {
			t.Errorf("%s with all slots taken: %d %s", row.path, s, body)
		}
	}
	close(r.held)
	got.Wait()
	for range 4 { // panics give their slots back
		if s, body, _ := r.get("GET", "/panic", resttest.Reader, ""); s != 500 || !strings.Contains(body, "An unknown error") || strings.Contains(body, "purpose") {
			t.Errorf("a panic: %d %s", s, body)
		}
	}
	if s, _, _ := r.get("GET", "/read", resttest.Reader, ""); s != 200 {
		t.Errorf("afterwards: %d", s)
	}
	if line := r.log.request(t, "panic"); line["level"] != "ERROR" {
		t.Errorf("a panic is logged as %v", line)
	}
}

func TestARequestEndsInTime(t *testing.T) {
	r := newRig(t, 1, 50*time.Millisecond)
	s, body, h := r.get("GET", "/forever", resttest.Reader, "")
	if s != 503 || h.Get("Retry-After") == "" || h.Get("X-Openstack-Request-Id") == "" {
		t.Errorf("%d %s %v", s, body, h)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	r := newRig(t, 2, time.Minute)
	if s, body, _ := r.get("POST", "/write", resttest.Member, strings.Repeat("x", 101)); s != 413 || !strings.Contains(body, "100 bytes") {
		t.Errorf("%d %s", s, body)
	}
	if s, _, _ := r.get("POST", "/write", resttest.Member, strings.Repeat("x", 100)); s != 200 {
		t.Errorf("status %d for as many as allowed", s)
	}
}

// TestTheLogTellsWhatChanged: at the usual level, what was to change something
// and what failed by us; with who, what and where in the log.
func TestTheLogTellsWhatChanged(t *testing.T) {
	r := newRig(t, 4, 50*time.Millisecond)
	r.get("DELETE", "/change/one", resttest.Member, "")
	r.waits("change")
	line := r.log.request(t, "change")
	want := map[string]any{"level": "INFO", "door": "x", "method": "DELETE", "path": "/x/change/one", "status": 204.0,
		"index": float64(r.View().Index), "user": string(resttest.MemberUser), "project": string(resttest.MemberProject)}
	for k, v := range want {
		if line[k] != v {
			t.Errorf("%s is %v, want %v", k, line[k], v)
		}
	}
	if id, _ := line["request_id"].(string); !strings.HasPrefix(id, "req-") || line["took"] == nil {
		t.Errorf("%v", line)
	}
	for _, row := range []struct{ route, method, path, token, level string }{
		{"read", "GET", "/read", resttest.Reader, "DEBUG"},
		{"login", "POST", "/login", "", "INFO"},
		{"write", "POST", "/write", "junk", "INFO"},
		{"forever", "GET", "/forever", resttest.Reader, "INFO"},
	} {
		r.get(row.method, row.path, row.token, "")
		r.waits(row.route)
		if got := r.log.request(t, row.route); got["level"] != row.level {
			t.Errorf("%s: %v", row.route, got)
		}
	}
	if got := r.log.request(t, "write"); got["status"] != 401.0 || got["index"] != float64(r.View().Index) || !strings.Contains(got["error"].(string), "authentication") {
		t.Errorf("a failure: %v", got)
	}
	if strings.Contains(r.log.b.String(), resttest.Member+`"`) {
		t.Errorf("a token is in the log: %s", r.log.b.String())
	}
}
