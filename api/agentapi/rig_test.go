package agentapi

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/seal"
	peerwire "github.com/kvorum/kvorum/internal/wire"
)

// cloud is a log, and control nodes that apply it.
type cloud struct {
	t     testing.TB
	mu    sync.Mutex
	log   []fsm.Entry
	nodes []*node
	box   *seal.Box
}

// node is a control node with the agents' door.
type node struct {
	c       *cloud
	machine *fsm.Machine
	door    *Door
	web     *httptest.Server
	clock   *clock.Fake
	// lost has no leader; lags applies nothing but at a read point.
	lost, lags atomic.Bool
	applied    int
}

const (
	theHost = model.HostID("00000000-0000-4000-8000-0000000000f1")
	theTree = model.ServerID("00000000-0000-4000-8000-000000000001")
)

var root = command.By{UserID: "000000000000000000000000000000b1", ProjectID: "000000000000000000000000000000a1", Admin: true, UserEpoch: 1, ProjectEpoch: 1}

// newCloud makes one with an image, a network and the host theHost.
func newCloud(t testing.TB, nodes int) *cloud {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(hex.EncodeToString(make([]byte, 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &cloud{t: t}
	for range nodes {
		// Each node has the key from the file: what they tell must be equal.
		box, err := seal.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		c.box = box
		c.add(box)
	}
	c.must(command.By{System: command.Bootstrap}, command.Example("cluster.init/1"))
	for _, kind := range []string{"image.create/1", "image.upload/1", "network.create/1", "subnet.create/1"} {
		c.must(root, command.Example(kind))
	}
	c.must(hostBy(theHost), command.Example("host.register/1"))
	return c
}

func hostBy(id model.HostID) command.By { return command.By{System: command.HostBy + string(id)} }

func (c *cloud) add(opener Opener) *node {
	n := &node{c: c, machine: fsm.New(false), clock: clock.NewFake(time.Unix(1_700_000_000, 0))}
	n.door = &Door{Cluster: n, Peek: n.machine.View, Feed: n.machine.Feed(),
		Opener: opener, Clock: n.clock, Log: slog.New(slog.DiscardHandler), NewID: func() string { return "" }}
	n.web = httptest.NewServer(asHost(n.door.Handler()))
	c.t.Cleanup(n.web.Close)
	c.nodes = append(c.nodes, n)
	return n
}

// asHost lets every call come from the host that it names, or from theHost.
func asHost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("host")
		if !model.IsUUID(id) {
			id = string(theHost)
		}
		h.ServeHTTP(w, peerwire.AsPeer(r, hostIdentity(id)))
	})
}

func hostIdentity(id string) pki.Identity {
	return pki.Identity{Cluster: "00000000-0000-4000-8000-00000000000c", Role: pki.Agent, ID: id, Name: "h1"}
}

// apply puts a command in the log.
func (c *cloud) apply(by command.By, x command.Command) fsm.Result {
	c.t.Helper()
	data, err := command.Encode(command.Envelope{By: by, Command: x})
	if err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := uint64(len(c.log) + 1)
	c.log = append(c.log, fsm.Entry{Index: i, Term: 1, At: int64(i) * 1e9, Data: data})
	var first fsm.Result
	for _, n := range c.nodes {
		if !n.lags.Load() {
			first = n.catchUp()
		}
	}
	return first
}

// catchUp applies what a node lacks; the caller holds the cloud's mu.
func (n *node) catchUp() (last fsm.Result) {
	for ; n.applied < len(n.c.log); n.applied++ {
		last = n.machine.ApplyBatch(n.c.log[n.applied : n.applied+1])[0]
	}
	return last
}

func (c *cloud) must(by command.By, x command.Command) {
	c.t.Helper()
	if r := c.apply(by, x); r.Err != nil {
		c.t.Fatalf("%s: %v", x.Kind(), r.Err)
	}
}

// Read implements rest.Cluster.
func (n *node) Read(context.Context) (state.View, error) {
	if n.lost.Load() {
		return state.View{}, errs.Errorf("test.read", errs.Unavailable, "There is no leader.")
	}
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	n.catchUp()
	return n.machine.View(), nil
}

// Propose implements rest.Cluster.
func (n *node) Propose(_ context.Context, e command.Envelope) (rest.Done, error) {
	if n.lost.Load() {
		return rest.Done{}, errs.Errorf("test.propose", errs.Unavailable, "There is no leader.")
	}
	r := n.c.apply(e.By, e.Command)
	return rest.Done{Index: r.Index, IDs: r.IDs, View: n.machine.View()}, r.Err
}

// grow makes the example server, with sealed user data, on the host.
func (c *cloud) grow(userData string) {
	c.t.Helper()
	sealed, err := c.box.Seal(SealedUserData, []byte(userData))
	if err != nil {
		c.t.Fatal(err)
	}
	x := command.Example("server.create/1").(*command.ServerCreate)
	x.UserData = sealed
	c.must(root, x)
	c.must(command.By{System: command.Leader, Term: 1}, command.Example("servers.place/1"))
	p := c.nodes[0].machine.View().Permit(theTree)
	c.must(hostBy(theHost), &command.HostReport{HostID: theHost,
		Guests: []command.GuestObserved{{ID: theTree, Permit: p.Number, State: string(assign.Running), PowerEpoch: 1}}})
}

// reboot is a wish that its host must be told of.
func (c *cloud) reboot() {
	c.t.Helper()
	c.must(root, &command.ServerReboot{ID: theTree, Hard: true})
	c.rebooted()
}

// rebooted lets the host say that it is done, so that it can be wished again.
func (c *cloud) rebooted() {
	c.t.Helper()
	v := c.nodes[0].machine.View()
	s := v.Server(theTree)
	c.must(hostBy(theHost), &command.HostReport{HostID: theHost, Guests: []command.GuestObserved{{ID: theTree,
		Permit: v.Permit(theTree).Number, State: string(assign.Running), PowerEpoch: s.PowerEpoch, RebootEpoch: s.RebootEpoch}}})
}

// answer is what a question for the desired state was answered.
type answer struct {
	status int
	whole  *assign.Desired
	delta  *assign.Delta
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// ask asks a node, as an agent does.
func (n *node) ask(host model.HostID, digest string, wait time.Duration, deltas bool) (a answer) {
	q := url.Values{"host": {string(host)}, "digest": {digest}, "wait": {wait.String()}}
	if deltas {
		q.Set("deltas", "1")
	}
	r, err := http.NewRequest(http.MethodGet, n.web.URL+"/agent/v1/desired?"+q.Encode(), nil)
	if err != nil {
		return answer{body: err.Error()}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	a.status, a.body = resp.StatusCode, string(b)
	if err != nil || a.status != http.StatusOK {
		return a
	}
	if resp.Header.Get("Content-Type") == DeltaType {
		a.delta = &assign.Delta{}
		err = json.Unmarshal(b, a.delta)
	} else {
		a.whole = &assign.Desired{}
		err = json.Unmarshal(b, a.whole)
	}
	if err != nil {
		a.body = err.Error() + ": " + a.body
	}
	return a
}

// watch asks in the background, and returns when the question waits.
func (n *node) watch(host model.HostID, digest string) <-chan answer {
	n.c.t.Helper()
	before := n.clock.Waiting()
	got := make(chan answer, 1)
	go func() { got <- n.ask(host, digest, time.Minute, true) }()
	for n.clock.Waiting() == before {
		select {
		case a := <-got:
			got <- a
			return got
		case <-time.After(time.Millisecond):
		}
	}
	return got
}

// whole asks for the whole, as an agent does that has just started.
func (n *node) whole(host model.HostID) assign.Sheet {
	n.c.t.Helper()
	a := n.ask(host, "", 0, false)
	if a.whole == nil || a.whole.Digest != a.whole.Sum() {
		n.c.t.Fatalf("asked for the whole: %s", a)
	}
	return assign.NewSheet(*a.whole)
}

// follow applies a delta.
func (c *cloud) follow(old assign.Sheet, a answer) assign.Sheet {
	c.t.Helper()
	if a.delta == nil {
		c.t.Fatalf("want a delta, got %s", a)
	}
	s, err := assign.Apply(old, *a.delta)
	if err != nil {
		c.t.Fatalf("%v: %s", err, a)
	}
	return s
}
