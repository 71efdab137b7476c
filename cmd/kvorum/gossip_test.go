package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/gossip"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

func TestPlaceGossip(t *testing.T) {
	for _, row := range []struct{ set, adv, listen, advertise, want, reach, why, bad string }{
		{listen: "192.0.2.1:8770", want: "192.0.2.1:8771"},
		{listen: "127.0.0.1:0", want: "127.0.0.1:0"},
		{listen: "c1.example:8770", want: "c1.example:8771"},
		{listen: "[2001:db8::1]:8770", want: "[2001:db8::1]:8771"},
		{listen: "192.0.2.1:8770", advertise: "192.0.2.1:9", want: "192.0.2.1:8771"},
		{listen: "0.0.0.0:8770", advertise: "c1.example:99", want: "0.0.0.0:8771", reach: "c1.example:0"},
		{listen: ":8770", advertise: "192.0.2.9:99", want: ":8771", reach: "192.0.2.9:0"},
		{listen: "0.0.0.0:8770", adv: "192.0.2.9:7", want: "0.0.0.0:8771", reach: "192.0.2.9:7"},
		{set: "192.0.2.1:7", listen: "0.0.0.0:8770", want: "192.0.2.1:7"},
		{set: "none", listen: "192.0.2.1:8770"},
		{set: "none", adv: "nonsense", listen: "192.0.2.1:8770"},
		{listen: "0.0.0.0:8770", why: "says not where others reach this node"},
		{listen: ":8770", why: "says not where others reach this node"},
		{listen: "192.0.2.1:65535", why: "there is no port after 65535"},
		{listen: "192.0.2.1", why: "missing port"},
		{set: "192.0.2.1", listen: "192.0.2.1:8770", bad: `agent.gossip.listen: "192.0.2.1" is neither host:port nor none`},
		{set: "0.0.0.0:7", listen: "192.0.2.1:8770", bad: "set agent.gossip.advertise, too"},
		{adv: "192.0.2.1", listen: "192.0.2.1:8770", bad: "agent.gossip.advertise"},
		{adv: "192.0.2.1:0", listen: "192.0.2.1:8770", bad: "agent.gossip.advertise"},
		{adv: ":7", listen: "192.0.2.1:8770", bad: "agent.gossip.advertise"},
	} {
		p, err := placeGossip("agent", config.Gossip{Listen: row.set, Advertise: row.adv}, row.listen, row.advertise)
		if row.bad != "" {
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), row.bad) {
				t.Errorf("%+v: %v", row, err)
			}
			continue
		}
		if err != nil || p.listen != row.want || p.advertise != row.reach || (p.why != "") != (row.why != "") || !strings.Contains(p.why, row.why) {
			t.Errorf("%+v: %+v, %v", row, p, err)
		}
	}
}

// heard keeps what is logged.
type heard struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.Write(b)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.all.String()
}

// hall is a control node and agents in this process.
type hall struct {
	t   *testing.T
	n   *controlNode
	ctx context.Context
	log *heard
}

// newHall runs a control node whose hosts' leases are short.
func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, log: &heard{}}
	conf := config.Default()
	conf.Node, conf.DataDir = "n1", t.TempDir()
	conf.Public.Listen, conf.Control.Listen = "127.0.0.1:0", "127.0.0.1:0"
	conf.Control.Bootstrap, conf.Control.HostLease = true, config.Span(time.Second)
	n, err := openControl(t.Context(), conf, h.logger(), raftTimes{election: devElection})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	h.n, h.ctx = n, ctx
	done := make(chan error, 1)
	go func() { done <- errors.Join(n.run(ctx), n.close()) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(h.log)
		}
	})
	h.await("the node runs", func() bool { return n.bound.Load() != nil && n.operatorDoor().Ready() == "" })
	return h
}

func (h *hall) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// await waits for a state.
func (h *hall) await(what string, ok func() bool) {
	h.t.Helper()
	for !ok() {
		if clock.Sleep(h.ctx, clock.Real{}, 10*time.Millisecond) != nil {
			h.t.Fatalf("never: %s", what)
		}
	}
}

// host is the settings of a host that joins, or has joined.
func (h *hall) host(name string) config.Config {
	h.t.Helper()
	conf := config.Default()
	conf.Node, conf.DataDir = name, filepath.Join(h.t.TempDir(), name)
	conf.Agent.Driver, conf.Agent.Listen, conf.Agent.Observe = "sim", "127.0.0.1:0", ""
	conf.Agent.Advertise = "127.0.0.1:" + map[string]string{"h1": "1111", "h2": "2222"}[name]
	conf.Agent.Control = []string{h.n.port.Addr().String()}
	var err error
	if conf.Agent.Join, err = h.n.devToken(h.ctx, name); err != nil {
		h.t.Fatal(err)
	}
	return conf
}

// agent runs an agent until the test ends, or end is called.
func (h *hall) agent(conf config.Config) (a *agent, end func()) {
	h.t.Helper()
	a, err := openAgent(h.ctx, conf, h.logger())
	if err != nil {
		h.t.Fatal(err)
	}
	life, cancel := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(a.run(life), a.close()) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(end)
	return a, end
}

// sees tells what the control node's gossip shows of a host, such as
// "alive 127.0.0.1:7".
func (h *hall) sees(id string) string {
	for _, m := range h.n.gossip.agents.Members() {
		if m.Name == id {
			return m.Status.String() + " " + m.Address.String()
		}
	}
	return ""
}

// gossips is where an agent gossips.
func gossips(a *agent) string {
	if p := a.gossip.keeper.Pool(); p != nil {
		return p.Addr().String()
	}
	return ""
}

// copied is a host whose disk was copied from another's, in another machine.
func (h *hall) copied(conf config.Config) config.Config {
	h.t.Helper()
	to := filepath.Join(h.t.TempDir(), "copy")
	err := filepath.WalkDir(conf.DataDir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(conf.DataDir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	conf.DataDir, conf.Agent.Join, conf.Agent.Advertise = to, "", "127.0.0.1:9999"
	boot := filepath.Join(to, "boot_id")
	if err := os.WriteFile(boot, []byte("another-machine\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	was := bootIDFile
	bootIDFile = boot
	h.t.Cleanup(func() { bootIDFile = was })
	return conf
}

// operator runs an operator's command on the control node.
func (h *hall) operator(args ...string) string {
	h.t.Helper()
	return operatorSays(h.t, h.n.conf.DataDir, args...)
}

func operatorSays(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetOut(&out)
	c.SetArgs(append(append([]string{"operator"}, args...), "--data_dir", dir))
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("kvorum operator %v: %v", args, err)
	}
	return out.String()
}

// TestACopiedHost: a second machine with the disk of a host raises the alarms,
// and the first one does not notice.
func TestACopiedHost(t *testing.T) {
	h := newHall(t)
	conf := h.host("h1")
	first, _ := h.agent(conf)
	h.await("the host is found", func() bool { return h.sees(first.id) == "alive "+gossips(first) })
	h.await("the host holds its lease", func() bool { return first.agent.Lease().Held(h.n.clock.Mono()) })
	if n := len(h.n.alarms()); n > 0 {
		t.Errorf("%d alarms before anything is wrong: %+v", n, h.n.alarms())
	}
	row := func() (string, uint64) {
		for x := range h.n.machine.View().Hosts() {
			return x.Address, x.Registered
		}
		return "", 0
	}
	address, number := row()

	second, end := h.agent(h.copied(conf))
	if second.id != first.id {
		t.Fatalf("the copy is host %s, not %s", second.id, first.id)
	}
	h.await("the copy gossips", func() bool { return gossips(second) != "" })
	alarm := func(kind, holder, claimant string) func() bool {
		return func() bool {
			for _, a := range h.n.alarms() {
				if a.Kind == kind && a.ID == first.id && a.Name == "h1" && a.Active && strings.Contains(a.Holder, holder) && strings.Contains(a.Claimant, claimant) {
					return true
				}
			}
			return false
		}
	}
	h.await("the alarm about the name", alarm("name", gossips(first), gossips(second)))
	h.await("the alarm about the lease", alarm("clone", "/", "another-machine/"))
	h.await("the copy's word is refused", func() bool {
		return strings.Contains(h.log.String(), "Another machine holds the lease of host "+first.id)
	})
	h.await("the alarm in the log", func() bool { return strings.Contains(h.log.String(), "alarm: two nodes claim one name") })
	if says := h.operator("gossip", "alarms"); !strings.Contains(says, "\nname") || !strings.Contains(says, gossips(second)) || !strings.Contains(says, "\nclone") {
		t.Errorf("the operator is told:\n%s", says)
	}
	_, metrics, _ := call(t, "", "GET", "http://"+h.n.bound.Load().public.String()+"/metrics", "")
	for _, want := range []string{`kvorum_gossip_alarms{kind="name",pool="agents"} 1`, `kvorum_gossip_alarms{kind="key",pool="agents"} 0`, "kvorum_lease_cloned_hosts 1",
		`kvorum_gossip_members{pool="agents",status="alive"} 2`, `kvorum_gossip_members{pool="control",status="alive"} 1`, "kvorum_gossip_unknown_members 0"} {
		if !strings.Contains(metrics, "\n"+want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
	// The first goes on.
	if c := first.agent.Lease().Counts(); !first.agent.Lease().Held(h.n.clock.Mono()) || c.Begun != 1 || second.agent.Lease().Counts().Granted != 0 {
		t.Errorf("the lease: %+v, the copy's %+v", c, second.agent.Lease().Counts())
	}
	if a, n := row(); a != address || n != number {
		t.Errorf("the host is at %s by registration %d, was at %s by %d", a, n, address, number)
	}
	end() // without a farewell in the first one's name
	if got := h.sees(first.id); got != "alive "+gossips(first) {
		t.Errorf("after the copy went, gossip shows the host %s", got)
	}
	if says := h.operator("gossip", "members"); !strings.Contains(says, "h1") || !strings.Contains(says, gossips(first)) {
		t.Errorf("the operator is shown:\n%s", says)
	}
}

// TestALiarInThePool: a host says in the agents' pool that it is a control node,
// another says to be a host, and a third has no key. Nobody calls the first for
// anything, and the state knows of none.
func TestALiarInThePool(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	a, _ := h.agent(h.host("h1"))
	h.await("the host is found", func() bool { return h.sees(a.id) != "" })
	told, err := h.n.gossip.tell()
	if err != nil {
		t.Fatal(err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes calls, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, as := range map[string]gossip.Role{"00000000-0000-4000-8000-00000000dead": gossip.Control, "00000000-0000-4000-8000-00000000beef": gossip.Agent} {
		p, err := gossip.Open(gossip.Config{Name: name, Cluster: told.Label(), Pool: agentsPool, Key: told.Key, Bind: "127.0.0.1:0", Role: as, RPC: silent.Addr().String()})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if _, err := p.Join(t.Context(), told.Seeds); err != nil {
			t.Fatal(err)
		}
	}
	foreign, err := gossip.Open(gossip.Config{Name: "x", Cluster: told.Label(), Pool: agentsPool, Key: bytes.Repeat([]byte{7}, 32), Bind: "127.0.0.1:0", Role: gossip.Agent})
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	if _, err := foreign.Join(t.Context(), told.Seeds); err == nil {
		t.Error("a node with another key joined")
	}
	h.await("the alarm about the key", func() bool {
		all := h.n.alarms()
		return len(all) == 1 && all[0].Kind == "key" && all[0].Pool == agentsPool && strings.HasPrefix(all[0].Claimant, "127.0.0.1:")
	})
	h.await("the agent sees through it", func() bool {
		return strings.Contains(h.log.String(), "does not show a certificate of one\" part=gossip node=00000000-0000-4000-8000-00000000dead")
	})
	if all := a.nodes.all(); len(all) != 1 || all[0] != h.n.port.Addr().String() {
		t.Errorf("the agent calls %v", all)
	}
	v, hosts := h.n.machine.View(), 0
	for range v.Hosts() {
		hosts++
	}
	if v.ControlNodeCount() != 1 || hosts != 1 {
		t.Errorf("the state has %d control nodes and %d hosts", v.ControlNodeCount(), hosts)
	}
	h.await("both are shown as unknown", func() bool {
		all, err := h.n.gossipMembers()
		unknown := 0
		for _, m := range all {
			if m.Name == "" && !m.Known {
				unknown++
			}
		}
		return err == nil && unknown == 2
	})
}

// TestAnotherGossipKey: an agent that has an old key is told the right one.
func TestAnotherGossipKey(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	conf := h.host("h1")
	a, end := h.agent(conf)
	h.await("the agent remembers where the control node gossips", func() bool { return slices.Contains(a.gossip.seeds(), h.n.gossip.address()) })
	h.await("each finds the other", func() bool { return strings.HasPrefix(h.sees(a.id), "alive") && len(a.gossip.keeper.Members()) == 2 })
	end()
	// Its farewell is a datagram, which a busy machine may be late with; then it is
	// missed some seconds later.
	h.await("an agent that ended is not shown alive", func() bool { return !strings.HasPrefix(h.sees(a.id), "alive") })
	file := filepath.Join(conf.DataDir, gossipFile)
	old, err := readGossip(file)
	if err != nil {
		t.Fatal(err)
	}
	old.Key = bytes.Repeat([]byte{7}, len(old.Key))
	if err := replaceFile(file, old); err != nil {
		t.Fatal(err)
	}
	conf.Agent.Join = ""
	a, _ = h.agent(conf)
	h.await("the host is found with the new key", func() bool { return strings.HasPrefix(h.sees(a.id), "alive") })
	if now, err := readGossip(file); err != nil || bytes.Equal(now.Key, old.Key) {
		t.Errorf("the file has the old key, %v", err)
	}
}

// TestTheGossipPortIsTaken: then the node says so, and makes nothing.
func TestTheGossipPortIsTaken(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	conf := config.Default()
	conf.Node, conf.DataDir = "n1", filepath.Join(t.TempDir(), "data")
	conf.Control.Listen, conf.Agent.Listen, conf.Control.Bootstrap = "127.0.0.1:0", "127.0.0.1:0", true
	conf.Control.Gossip.Listen, conf.Agent.Gossip.Listen = udp.LocalAddr().String(), udp.LocalAddr().String()
	quiet := slog.New(slog.DiscardHandler)
	_, control := openControl(t.Context(), conf, quiet, raftTimes{})
	_, agent := openAgent(t.Context(), conf, quiet)
	for role, err := range map[string]error{"control": control, "agent": agent} {
		if !errs.Is(err, errs.Unavailable) || !strings.Contains(err.Error(), "The gossip port "+udp.LocalAddr().String()) || !strings.Contains(err.Error(), role+".gossip.listen") {
			t.Errorf("%s: %v", role, err)
		}
	}
	if _, err := os.Stat(conf.DataDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data folder was made: %v", err)
	}
}
