package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent/control"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// nodes are control nodes that answer with a status each, by a transport that
// needs no network.
type nodes struct {
	mu     sync.Mutex
	status map[string]int // by host; 0 is one that does not answer
	calls  map[string]int
	first  []string // the first node of each call
	fresh  bool
}

func (n *nodes) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls[r.URL.Host]++
	if n.fresh {
		n.first, n.fresh = append(n.first, r.URL.Host), false
	}
	if n.status[r.URL.Host] == 0 {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	w.WriteHeader(n.status[r.URL.Host])
	return w.Result(), nil
}

func (n *nodes) set(status map[string]int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.status, n.calls = status, map[string]int{}
}

// report makes one call, and gives the node that was asked first.
func (n *nodes) report(c *control.Client) (string, error) {
	n.fresh = true
	err := c.Report(context.Background(), assign.Report{})
	return n.first[len(n.first)-1], err
}

func follower(t *testing.T, n *nodes, clk clock.Clock, host string, bases ...string) *control.Client {
	t.Helper()
	c, err := control.New(control.Config{BaseURLs: bases, HostID: host, Clock: clk, HTTP: n})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var three = []string{"http://a", "http://b", "http://c"}

// TestFailover: a node that does not answer, or cannot now, is passed over at
// once, and the one that answered is asked first from then on. What is refused
// is refused.
func TestFailover(t *testing.T) {
	n := &nodes{}
	n.set(map[string]int{"a": 204, "b": 204, "c": 204})
	c := follower(t, n, clock.NewFake(time.Unix(0, 0)), "host-1", three...)
	home, err := n.report(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, ill := range []int{0, 429, 500, 503} {
		n.set(map[string]int{"a": 204, "b": 204, "c": 204})
		n.status[home] = ill
		if _, err := n.report(c); err != nil {
			t.Fatalf("%d: %v", ill, err)
		}
		moved, err := n.report(c)
		if err != nil || moved == home || n.calls[home] > 1 || n.calls[moved] != 2 || len(n.calls) != 2 && ill == 0 {
			t.Errorf("%d: at %s, calls %v, %v", ill, moved, n.calls, err)
		}
	}
	n.set(map[string]int{"a": 409, "b": 409, "c": 409})
	if _, err := n.report(c); !errs.Is(err, errs.Conflict) || len(n.calls) != 1 {
		t.Errorf("a refusal: %v, calls %v", err, n.calls)
	}
	n.set(map[string]int{})
	if _, err := n.report(c); !errs.Is(err, errs.Unknown) || len(n.calls) != 3 {
		t.Errorf("no answer to a POST: %v, calls %v", err, n.calls)
	}
	if _, err := c.Desired(context.Background(), ""); !errs.Is(err, errs.Unavailable) {
		t.Errorf("no answer to a GET: %v", err)
	}
}

// TestHostsSpread: each host has a node of its own to begin with, for ever, and
// those of a node that dies spread over the others.
func TestHostsSpread(t *testing.T) {
	n := &nodes{}
	first, second := map[string]int{}, map[string]int{}
	for i := range 300 {
		host := fmt.Sprintf("host-%d", i)
		n.set(map[string]int{"a": 204, "b": 204, "c": 204})
		home, _ := n.report(follower(t, n, clock.Real{}, host, three...))
		first[home]++
		if again, _ := n.report(follower(t, n, clock.Real{}, host, three[2], three[0], three[1])); again != home {
			t.Fatalf("%s began at %s, and after a restart at %s", host, home, again)
		}
		if home != "a" {
			continue
		}
		n.set(map[string]int{"b": 204, "c": 204})
		c := follower(t, n, clock.Real{}, host, three...)
		if _, err := n.report(c); err != nil {
			t.Fatal(err)
		}
		next, _ := n.report(c)
		second[next]++
	}
	for _, name := range []string{"a", "b", "c"} {
		if first[name] < 70 {
			t.Errorf("they begin at %v", first)
		}
	}
	if second["b"] < 25 || second["c"] < 25 {
		t.Errorf("those of a go to %v", second)
	}
}

// TestComesHome: a client stays where it is answered, and after a while looks
// whether its first choice is back.
func TestComesHome(t *testing.T) {
	clk := clock.NewFake(time.Unix(0, 0))
	n := &nodes{}
	n.set(map[string]int{"a": 204, "b": 204, "c": 204})
	c := follower(t, n, clk, "host-1", three...)
	home, _ := n.report(c)
	n.status[home] = 0
	if _, err := n.report(c); err != nil {
		t.Fatal(err)
	}
	exile, _ := n.report(c)
	clk.Advance(time.Hour) // it is not back yet
	if tried, err := n.report(c); tried != home || err != nil {
		t.Errorf("after an hour it tried %s: %v", tried, err)
	}
	n.status[home] = 204
	if at, _ := n.report(c); at != exile {
		t.Errorf("it did not stay at %s, but went to %s", exile, at)
	}
	clk.Advance(10 * time.Minute)
	if at, _ := n.report(c); at != exile {
		t.Errorf("it did not stay at %s, but went to %s", exile, at)
	}
	clk.Advance(20 * time.Minute)
	for range 2 {
		if at, _ := n.report(c); at != home {
			t.Errorf("it is at %s, not at home (%s)", at, home)
		}
	}
}

// TestKilledInTurn: three nodes are killed one after the other while a watch is
// under way at them; it goes on to the next at once, until there is none.
func TestKilledInTurn(t *testing.T) {
	watched := make(chan *httptest.Server, 3)
	var bases []string
	for range 3 {
		var s *httptest.Server
		s = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			watched <- s
			<-r.Context().Done()
		}))
		defer s.Close()
		bases = append(bases, s.URL)
	}
	c, err := control.New(control.Config{BaseURLs: bases, HostID: "host-1", Clock: clock.Real{}, Wait: time.Hour, Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Desired(t.Context(), "d1")
		done <- err
	}()
	killed := map[*httptest.Server]bool{}
	for range 3 {
		s := <-watched
		if killed[s] {
			t.Fatal("it went back to a node that is dead")
		}
		killed[s] = true
		s.Listener.Close()
		s.CloseClientConnections()
	}
	if err := <-done; !errs.Is(err, errs.Unavailable) {
		t.Errorf("with no node left: %v", err)
	}
}

// TestBrokenAnswer: an answer that breaks off in the middle is asked for
// elsewhere; an image's transfer that does is told, and begun elsewhere.
func TestBrokenAnswer(t *testing.T) {
	whole := assign.Desired{ClusterID: "c", HostID: "host-1"}
	whole.Digest = whole.Sum()
	calls := 0
	node := func(w http.ResponseWriter, r *http.Request) {
		calls++
		if calls%2 == 1 {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"cluster_id":`)
			return
		}
		_, _ = io.WriteString(w, jsonOf(t, whole))
	}
	c := client(t, clock.Real{}, serve(t, node), serve(t, node))
	if d, err := c.Desired(t.Context(), ""); err != nil || d.Digest != whole.Digest || calls != 2 {
		t.Errorf("%+v, %v, %d calls", d, err, calls)
	}

	var seen []string
	file := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, name)
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "half")
		}
	}
	c = client(t, clock.Real{}, serve(t, file("a")), serve(t, file("b")))
	for range 2 {
		body, err := c.Image(t.Context(), "abc")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(body); !errs.Is(err, errs.Unavailable) || body.Close() != nil {
			t.Errorf("half an image: %v", err)
		}
	}
	if len(seen) != 2 || seen[0] == seen[1] {
		t.Errorf("asked %v", seen)
	}
}

// TestHangingNode: a node that takes a call and says nothing is given up when
// its time is over, and the next one is asked.
func TestHangingNode(t *testing.T) {
	var mu sync.Mutex
	hung := ""
	node := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		mine := hung == "" || hung == r.Host
		if mine {
			hung = r.Host
		}
		mu.Unlock()
		if mine {
			_, _ = io.ReadAll(r.Body)
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	c, err := control.New(control.Config{BaseURLs: []string{serve(t, node), serve(t, node)}, HostID: "host-1", Clock: clock.Real{},
		Wait: time.Millisecond, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Report(t.Context(), assign.Report{}); err != nil {
		t.Errorf("report: %v", err)
	}
	mu.Lock()
	hung = ""
	mu.Unlock()
	if _, err := c.Desired(t.Context(), "d1"); err != nil {
		t.Errorf("desired: %v", err)
	}
}

// TestSilentImageNode: a node that takes the call for an image and says nothing
// is called off like one that stops in the middle, and left.
func TestSilentImageNode(t *testing.T) {
	asked := make(chan string, 1)
	node := func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Host
		<-r.Context().Done()
	}
	clk := clock.NewFake(time.Unix(0, 0))
	c := client(t, clk, serve(t, node), serve(t, node))
	var seen []string
	for range 2 {
		done := make(chan error, 1)
		go func() {
			_, err := c.Image(t.Context(), "abc")
			done <- err
		}()
		seen = append(seen, <-asked)
		var err error
		for waiting := true; waiting; {
			select {
			case err = <-done:
				waiting = false
			case <-clock.Real{}.After(time.Millisecond):
				clk.Advance(time.Minute)
			}
		}
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("called off with %v", err)
		}
	}
	if seen[0] == seen[1] {
		t.Errorf("asked %v", seen)
	}
}
