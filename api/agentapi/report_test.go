package agentapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/hostagent/control"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
)

// lossy delivers what an agent says, and loses the first answers; it can
// deliver again what it once did.
type lossy struct {
	mu    sync.Mutex
	lose  int
	hosts []string
	sent  []*http.Request
	body  [][]byte
}

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.hosts = append(l.hosts, r.URL.Host)
	l.sent, l.body = append(l.sent, r), append(l.body, b)
	lost := l.lose > 0
	l.lose--
	l.mu.Unlock()
	resp, err := l.deliver(r, b)
	if err == nil && lost {
		resp.Body.Close()
		return nil, errors.New("the answer was lost")
	}
	return resp, err
}

func (l *lossy) deliver(r *http.Request, b []byte) (*http.Response, error) {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(b))
	return http.DefaultTransport.RoundTrip(again)
}

// late delivers the i-th message once more.
func (l *lossy) late(t *testing.T, i int) {
	t.Helper()
	r, err := http.NewRequest(l.sent[i].Method, l.sent[i].URL.String(), bytes.NewReader(l.body[i]))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = l.sent[i].Header
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("late: %v, %v", resp, err)
	}
	resp.Body.Close()
}

func (c *cloud) client(l *lossy) *control.Client {
	c.t.Helper()
	var bases []string
	for _, n := range c.nodes {
		bases = append(bases, n.web.URL)
	}
	client, err := control.New(control.Config{BaseURLs: bases, HostID: string(theHost), Clock: clock.NewFake(time.Unix(0, 0)), HTTP: l})
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// kinds counts the log's entries of a kind.
func (c *cloud) kinds(kind string) (n int) {
	c.t.Helper()
	for _, e := range c.log {
		env, err := command.Decode(e.Data)
		if err != nil {
			c.t.Fatal(err)
		}
		if env.Command.Kind() == kind {
			n++
		}
	}
	return n
}

// TestReportThroughTwoNodes: a report whose outcome is not known is told to the
// next node; it is in the log twice then, and counts once. A message that comes
// when all is over counts not at all.
func TestReportThroughTwoNodes(t *testing.T) {
	c := newCloud(t, 2)
	c.grow("")
	c.must(root, &command.ServerDelete{ID: theTree})
	permit := c.nodes[0].machine.View().Permit(theTree).Number
	before := c.kinds("host.report/1")
	l := &lossy{lose: 1}
	client := c.client(l)
	say := func(seq uint64, st assign.State) {
		t.Helper()
		err := client.Report(t.Context(), assign.Report{HostID: string(theHost), Seq: seq,
			Guests: []assign.Observed{{ID: string(theTree), Permit: permit, State: st}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	say(7, assign.Shutoff)
	if n := c.kinds("host.report/1") - before; n != 2 || len(l.hosts) != 2 || l.hosts[0] == l.hosts[1] {
		t.Fatalf("%d entries, through %v", n, l.hosts)
	}
	l.lose = 1
	say(8, assign.Removed)
	view := c.nodes[0].machine.View
	if h := view().Host(theHost); h.Guests != 0 || h.UsedRAM != 0 || h.Reported != 8 {
		t.Errorf("the claim was not given back exactly once: %+v", h)
	}
	row := *view().Host(theHost)
	for i := range l.sent {
		l.late(t, i)
	}
	if now := *view().Host(theHost); now.Guests != 0 || now.UsedRAM != 0 || now.Reported != 8 || now.UpdatedAt != row.UpdatedAt {
		t.Errorf("late reports counted: %+v, was %+v", now, row)
	}
	if tomb := view().Tombstone(theTree); tomb == nil || !tomb.Confirmed {
		t.Errorf("the tombstone: %+v", tomb)
	}
}

// TestRegisterThroughTwoNodes: the same for what a host says of itself.
func TestRegisterThroughTwoNodes(t *testing.T) {
	c := newCloud(t, 2)
	l := &lossy{lose: 1}
	client := c.client(l)
	say := func(seq uint64, vcpus int) {
		t.Helper()
		if err := client.Register(t.Context(), assign.Capacity{HostID: string(theHost), Name: "h1", VCPUs: vcpus, Seq: seq}); err != nil {
			t.Fatal(err)
		}
	}
	say(1, 4)
	if n := c.kinds("host.register/1"); n != 3 || len(l.hosts) != 2 || l.hosts[0] == l.hosts[1] {
		t.Fatalf("%d entries, through %v", n, l.hosts)
	}
	l.lose = 1
	say(2, 16)
	for i := range l.sent {
		l.late(t, i)
	}
	hosts := 0
	for h := range c.nodes[1].machine.View().Hosts() {
		hosts++
		if h.ID != theHost || h.VCPUs != 16 || h.Registered != 2 || h.Num != 1 {
			t.Errorf("the host: %+v", h)
		}
	}
	if hosts != 1 || c.nodes[0].machine.View().Hash() != c.nodes[1].machine.View().Hash() {
		t.Errorf("%d hosts, or the nodes differ", hosts)
	}
}
