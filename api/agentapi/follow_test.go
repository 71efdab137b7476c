package agentapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/control"
	"github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// tap is an agent's way to the control nodes: it notes the answers to
// questions for the desired state, and may change them.
type tap struct {
	mu      sync.Mutex
	answers []string
	change  func([]byte) []byte
}

func (w *tap) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/desired") {
		return resp, err
	}
	b, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	kind := map[string]string{DeltaType: "delta", "application/json": "whole"}[resp.Header.Get("Content-Type")]
	if resp.StatusCode != http.StatusOK {
		kind = resp.Status[:3]
	}
	w.answers = append(w.answers, kind)
	if w.change != nil {
		b = w.change(b)
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp, nil
}

// saw gives the answers since it was last asked.
func (w *tap) saw() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := strings.Join(w.answers, " ")
	w.answers = nil
	return s
}

// agent starts the real agent of theHost on a disk.
func (c *cloud) agent(disk hostagent.Disk, w *tap) *hostagent.Agent {
	c.t.Helper()
	var bases []string
	for _, n := range c.nodes {
		bases = append(bases, n.web.URL)
	}
	clk := clock.NewFake(time.Unix(1_700_000_000, 0))
	client, err := control.New(control.Config{BaseURLs: bases, HostID: string(theHost), Clock: clk, HTTP: w, Wait: time.Minute})
	if err != nil {
		c.t.Fatal(err)
	}
	a, err := hostagent.New(hostagent.Config{Identity: assign.Capacity{HostID: string(theHost), Name: "h1", Address: "127.0.0.1:8772"},
		Driver: sim.New(sim.Options{Clock: clk}), Network: sim.NewNetwork(), Control: client, Leases: client, Disk: disk, Images: sim.NewImages(),
		Clock: clk, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// waitsAt is the node at which the agent's watch waits; polled has the end of
// the watch, which must not come.
func (c *cloud) waitsAt(polled <-chan error, had map[*node]int) *node {
	c.t.Helper()
	for {
		for _, n := range c.nodes {
			if n.clock.Waiting() > had[n] {
				return n
			}
		}
		select {
		case err := <-polled:
			c.t.Fatalf("the watch ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
}

// waiting counts the waits at each node so far: they are never called off.
func (c *cloud) waiting() map[*node]int {
	all := map[*node]int{}
	for _, n := range c.nodes {
		all[n] = n.clock.Waiting()
	}
	return all
}

func (n *node) kill() {
	n.web.Listener.Close()
	n.web.CloseClientConnections()
}

func poll(a *hostagent.Agent) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := a.Poll(context.Background())
		done <- err
	}()
	return done
}

// reboots is how many reboots of its one guest the agent knows of.
func reboots(a *hostagent.Agent) uint64 {
	d, ok := a.Ledger().Desired()
	if !ok || len(d.Guests) != 1 {
		return 0
	}
	return d.Guests[0].RebootEpoch
}

// TestAgentFollows: the node at which an agent waits is killed, again and again;
// the agent goes on at another one, and misses nothing. Without any it goes on
// from its ledger, over a restart too.
func TestAgentFollows(t *testing.T) {
	c := newCloud(t, 3)
	c.grow("#cloud-config")
	disk, w := hostagent.NewMemDisk(), &tap{}
	a := c.agent(disk, w)
	if err := <-poll(a); err != nil || w.saw() != "whole" {
		t.Fatal(err)
	}
	had := c.waiting()
	watch := poll(a)
	dead := c.waitsAt(watch, had)
	had = c.waiting()
	dead.kill()
	// It waits elsewhere now, and is told from there what the dead node told it
	// did not know of.
	next := c.waitsAt(watch, had)
	c.reboot()
	if err := <-watch; err != nil || reboots(a) != 1 || next == dead {
		t.Fatalf("%d reboots, %v", reboots(a), err)
	}
	if s := w.saw(); s != "delta" {
		t.Errorf("answers: %s", s)
	}

	// What happens while no node is reached is not missed either.
	had = c.waiting()
	watch = poll(a)
	if at := c.waitsAt(watch, had); at != next {
		t.Error("it did not stay where it was answered")
	}
	last := c.nodes[slices.IndexFunc(c.nodes, func(n *node) bool { return n != dead && n != next })]
	last.lost.Store(true)
	had = c.waiting()
	next.kill()
	c.waitsAt(watch, had).clock.Advance(maxWait)
	if err := <-watch; !errs.Is(err, errs.Unavailable) {
		t.Fatalf("without a node that has a leader: %v", err)
	}
	c.reboot()
	last.lost.Store(false)
	if err := <-poll(a); err != nil || reboots(a) != 2 {
		t.Fatalf("%d reboots, %v", reboots(a), err)
	}

	last.lost.Store(true)
	w.saw()
	a = c.agent(disk, w)
	if err := <-poll(a); err == nil || reboots(a) != 2 || a.Ledger().Confirmed() {
		t.Errorf("after a restart, alone: %d reboots, confirmed %t, %v", reboots(a), a.Ledger().Confirmed(), err)
	}
	last.lost.Store(false)
	if err := <-poll(a); err != nil || !a.Ledger().Confirmed() {
		t.Fatal(err)
	}
	c.reboot()
	if err := <-poll(a); err != nil || reboots(a) != 3 {
		t.Fatalf("%d reboots, %v", reboots(a), err)
	}
	if s := w.saw(); s != "whole delta" {
		t.Errorf("answers: %s", s)
	}
}

// TestOlderDeltaIsRefused: what a delta leads to is refused if its generation
// is older than the ledger's, as a whole would be; and the next answer is taken
// from where the ledger is.
func TestOlderDeltaIsRefused(t *testing.T) {
	c := newCloud(t, 1)
	c.grow("")
	w := &tap{}
	a := c.agent(hostagent.NewMemDisk(), w)
	if err := <-poll(a); err != nil {
		t.Fatal(err)
	}
	was, _ := a.Ledger().Desired()
	w.change = func(b []byte) []byte {
		var d assign.Delta
		if json.Unmarshal(b, &d) != nil {
			return b
		}
		d.Index = was.Index - 1
		b, err := json.Marshal(d)
		if err != nil {
			t.Error(err)
		}
		return b
	}
	c.reboot()
	if err := <-poll(a); !errs.Is(err, errs.Conflict) || reboots(a) != 0 || a.Counts().Refused != 1 {
		t.Errorf("%d reboots, %v", reboots(a), err)
	}
	w.change = nil
	if err := <-poll(a); err != nil || reboots(a) != 1 {
		t.Errorf("%d reboots, %v", reboots(a), err)
	}
	if s := w.saw(); s != "whole delta delta" {
		t.Errorf("answers: %s", s)
	}
}

// TestCorruptDelta: one that was damaged on its way makes the agent ask for the
// whole, once, and it goes on by deltas from there.
func TestCorruptDelta(t *testing.T) {
	c := newCloud(t, 1)
	c.grow("")
	w := &tap{}
	a := c.agent(hostagent.NewMemDisk(), w)
	if err := <-poll(a); err != nil {
		t.Fatal(err)
	}
	w.change = func(b []byte) []byte {
		w.change = nil
		return bytes.Replace(b, []byte(`"reboot_epoch":1`), []byte(`"reboot_epoch":2`), 1)
	}
	for n := range uint64(2) {
		c.reboot()
		if err := <-poll(a); err != nil || reboots(a) != n+1 {
			t.Errorf("%d reboots, %v", reboots(a), err)
		}
	}
	if s := w.saw(); s != "whole delta whole delta" {
		t.Errorf("answers: %s", s)
	}
}
