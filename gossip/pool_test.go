package gossip

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

const testCluster = "11111111-2222-3333-4444-555555555555"

func key(n byte) []byte { return bytes.Repeat([]byte{n}, keyBytes) }

// config is that of a node on loopback in a hurry.
func config(name string) Config {
	return Config{
		Name: name, Cluster: testCluster, Pool: "agents", Key: key(1),
		Bind: "127.0.0.1:0", Role: Agent, Version: "v1", RPC: "127.0.0.1:8772",
		Timing: Timing{
			Probe: 200 * time.Millisecond, ProbeTimeout: 100 * time.Millisecond, Suspicion: 2,
			Gossip: 10 * time.Millisecond, Sync: 300 * time.Millisecond, Stream: 20 * time.Second,
			Reconnect: 200 * time.Millisecond, Reclaim: time.Millisecond,
			Leave: time.Second, Linger: 50 * time.Millisecond, Quiet: 5 * time.Millisecond, Seek: 50 * time.Millisecond,
		},
	}
}

// calm is config for a node that goes by gossip alone. In the moment in which
// a node leaves, Serf may take an exchange of lists for a later word that it
// stays, and show it as failed until the next exchange with a third node.
func calm(name string) Config {
	c := config(name)
	c.Timing.Sync = time.Hour
	return c
}

func open(t *testing.T, cfg Config) *Pool {
	t.Helper()
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// openAll opens the named nodes, and joins them to the first.
func openAll(t *testing.T, names ...string) []*Pool {
	t.Helper()
	return openWith(t, config, names...)
}

func openWith(t *testing.T, config func(string) Config, names ...string) (pools []*Pool) {
	t.Helper()
	for i, name := range names {
		p := open(t, config(name))
		if i > 0 {
			join(t, p, pools[0])
		}
		pools = append(pools, p)
	}
	return pools
}

func join(t *testing.T, p, to *Pool) {
	t.Helper()
	if n, err := p.Join(t.Context(), []string{to.Addr().String()}); n != 1 || err != nil {
		t.Fatalf("%s joining %s: %d, %v", p.cfg.Name, to.cfg.Name, n, err)
	}
}

// picture is a pool's list as text, such as "n1 alive, n2 failed".
func picture(p *Pool) string {
	var all []string
	for _, m := range p.Members() {
		all = append(all, m.Name+" "+m.Status.String())
	}
	return strings.Join(all, ", ")
}

// shows waits until every pool gives that picture, woken by Changed alone.
func shows(t *testing.T, want string, pools ...*Pool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, p := range pools {
		for {
			changed := p.Changed()
			got := picture(p)
			if got == want {
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				t.Fatalf("%s sees %q, want %q", p.cfg.Name, got, want)
			}
		}
	}
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for range 3000 {
		if cond() {
			return
		}
		if clock.Sleep(t.Context(), clock.Real{}, 10*time.Millisecond) != nil {
			break
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

func find(p *Pool, name string) Member {
	for _, m := range p.Members() {
		if m.Name == name {
			return m
		}
	}
	return Member{}
}

func TestNodesFindEachOther(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	c := config("n3")
	c.Role, c.Version, c.RPC = Control, "v2", "10.0.0.3:8770"
	n3 := open(t, c)
	join(t, n3, pools[1])
	shows(t, "n1 alive, n2 alive, n3 alive", pools[0], pools[1], n3)
	want := Member{Name: "n3", Address: n3.Addr(), Role: Control, Version: "v2", RPC: "10.0.0.3:8770"}
	if got := find(pools[0], "n3"); got != want {
		t.Errorf("n1 sees %+v, want %+v", got, want)
	}
	if s := pools[0].Stats(); s.Alive != 3 || s.Failed+s.Left+s.Alarms != 0 || s.Keys != 1 {
		t.Errorf("stats: %+v", s)
	}
}

func TestDeadNodeFailsAndComesBack(t *testing.T) {
	pools := openAll(t, "n1", "n2", "n3")
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	c := pools[2].cfg
	c.Bind = pools[2].Addr().String()
	pools[2].Close()
	shows(t, "n1 alive, n2 alive, n3 failed", pools[:2]...)
	// Nobody tells the new process of the others: Serf tries the old address.
	back := open(t, c)
	shows(t, "n1 alive, n2 alive, n3 alive", pools[0], pools[1], back)
}

func TestFarewell(t *testing.T) {
	pools := openWith(t, calm, "n1", "n2", "n3")
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	if err := pools[2].Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(t, "n1 alive, n2 alive, n3 left", pools[:2]...)
	// It may come back, elsewhere too.
	back := open(t, calm("n3"))
	join(t, back, pools[0])
	shows(t, "n1 alive, n2 alive, n3 alive", pools[0], pools[1], back)
	if a := alarms(pools[0], pools[1], back); len(a) > 0 {
		t.Errorf("alarms: %v", a)
	}
}

// TestRestartAtAnotherPortIsNoConflict probes with patience: a node that was
// suspected wrongly right before its end has said that it lives, and a late
// copy of that would be believed for another round of probes.
func TestRestartAtAnotherPortIsNoConflict(t *testing.T) {
	patient := func(name string) Config {
		c := calm(name)
		c.Timing.Probe, c.Timing.ProbeTimeout, c.Timing.Suspicion = time.Second, time.Second, 1
		return c
	}
	pools := openWith(t, patient, "n1", "n2", "n3")
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	pools[2].Close()
	shows(t, "n1 alive, n2 alive, n3 failed", pools[:2]...)
	back := open(t, patient("n3"))
	join(t, back, pools[0])
	for _, p := range pools[:2] {
		eventually(t, "n3 at its new address", func() bool {
			n3 := find(p, "n3")
			return n3.Status == Alive && n3.Address == back.Addr()
		})
	}
	shows(t, "n1 alive, n2 alive, n3 alive", pools[0], pools[1], back)
	if a := alarms(pools[0], pools[1], back); len(a) > 0 {
		t.Errorf("alarms: %v", a)
	}
}

// TestSeedsJoinAgain: a restarted node knows nothing but its seeds, and so do
// islands of one another.
func TestSeedsJoinAgain(t *testing.T) {
	islands := openAll(t, "n1", "n2")
	far := open(t, config("n3"))
	c := config("n4")
	c.Seeds = func() []string { return []string{"127.0.0.1:1", far.Addr().String(), islands[0].Addr().String()} }
	n4 := open(t, c)
	shows(t, "n1 alive, n2 alive, n3 alive, n4 alive", islands[0], islands[1], far, n4)
}

func TestJoinSaysWhatIsWrong(t *testing.T) {
	p := open(t, config("n1"))
	ended, end := context.WithCancel(t.Context())
	end()
	cases := []struct {
		name  string
		ctx   context.Context
		addrs []string
		kind  errs.Kind
	}{
		{"nothing", t.Context(), nil, errs.Invalid},
		{"too much", t.Context(), slices.Repeat([]string{"127.0.0.1:1"}, maxJoin+1), errs.Invalid},
		{"no port", t.Context(), []string{"127.0.0.1"}, errs.Invalid},
		{"no host", t.Context(), []string{":1"}, errs.Invalid},
		{"nobody there", t.Context(), []string{"127.0.0.1:1"}, errs.Unavailable},
		{"ended context", ended, []string{p.Addr().String()}, errs.Unavailable},
	}
	for _, c := range cases {
		if n, err := p.Join(c.ctx, c.addrs); n != 0 || !errs.Is(err, c.kind) {
			t.Errorf("%s: %d, %v, want %v", c.name, n, err, c.kind)
		}
	}
	p.Close()
	if _, err := p.Join(t.Context(), []string{"127.0.0.1:1"}); !errs.Is(err, errs.Unavailable) {
		t.Errorf("after Close: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	cases := []struct {
		name string
		edit func(*Config)
		kind errs.Kind
		says string
	}{
		{"no key", func(c *Config) { c.Key = nil }, errs.Invalid, "never open"},
		{"short key", func(c *Config) { c.Key = c.Key[:16] }, errs.Invalid, "32 bytes"},
		{"key of zeros", func(c *Config) { c.Key = key(0) }, errs.Invalid, "zeros"},
		{"bad second key", func(c *Config) { c.SecondKey = key(2)[:31] }, errs.Invalid, "32 bytes"},
		{"no name", func(c *Config) { c.Name = "" }, errs.Invalid, "name"},
		{"name with a slash", func(c *Config) { c.Name = "a/b" }, errs.Invalid, "name"},
		{"no cluster", func(c *Config) { c.Cluster = "" }, errs.Invalid, "UUID"},
		{"no role", func(c *Config) { c.Role = "" }, errs.Invalid, "role"},
		{"long label", func(c *Config) { c.Pool = strings.Repeat("x", 200) }, errs.Invalid, "200 bytes"},
		{"long tags", func(c *Config) { c.Version = strings.Repeat("x", 500) }, errs.TooLarge, "512 is the most"},
		{"no address", func(c *Config) { c.Bind = "here" }, errs.Invalid, "bind"},
		{"bad advertise", func(c *Config) { c.Advertise = "10.0.0.1:0" }, errs.Invalid, "advertise"},
		{"any address", func(c *Config) { c.Bind = "0.0.0.0:0" }, errs.Invalid, "advertise"},
		{"zone", func(c *Config) { c.Bind = "[fe80::1%lo]:0" }, errs.Invalid, "zone"},
		{"self not allowed", func(c *Config) { c.Allowed = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }, errs.Invalid, "own address"},
		{"negative pace", func(c *Config) { c.Timing.Gossip = -1 }, errs.Invalid, "below zero"},
		{"slow probe", func(c *Config) { c.Timing.ProbeTimeout = time.Hour }, errs.Invalid, "longer"},
		{"negative limit", func(c *Config) { c.MaxMembers = -1 }, errs.Invalid, "limit"},
	}
	for _, c := range cases {
		cfg := config("n1")
		c.edit(&cfg)
		p, err := Open(cfg)
		if err == nil {
			p.Close()
		}
		if !errs.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.kind, c.says)
		}
	}
	busy := open(t, config("n1"))
	cfg := config("n2")
	cfg.Bind = busy.Addr().String()
	if _, err := Open(cfg); !errs.Is(err, errs.Unavailable) {
		t.Errorf("port in use: %v", err)
	}
}

// TestTagsMayFillTheirRoom holds our count of bytes against Serf's.
func TestTagsMayFillTheirRoom(t *testing.T) {
	cfg := config("n1")
	cfg.Version = strings.Repeat("x", 200)
	cfg.RPC = strings.Repeat("y", 400)
	cfg.RPC = cfg.RPC[:400-(cfg.tagBytes()-512)]
	if cfg.tagBytes() != 512 {
		t.Fatalf("%d bytes", cfg.tagBytes())
	}
	p, other := open(t, cfg), open(t, config("n2"))
	join(t, other, p)
	eventually(t, "the long tags", func() bool { return find(other, "n1").RPC == cfg.RPC })
}

// TestOwnPacketsFit: the most that a node packs together is not too long for
// its friends' guard.
func TestOwnPacketsFit(t *testing.T) {
	var pools []*Pool
	for i := range 8 {
		cfg := config(fmt.Sprintf("%s-%d", strings.Repeat("n", 100), i))
		cfg.Cluster = strings.Repeat("c", 190)
		cfg.RPC = strings.Repeat("y", 460)
		p := open(t, cfg)
		if i > 0 {
			join(t, p, pools[i-1])
		}
		pools = append(pools, p)
	}
	for _, p := range pools {
		eventually(t, "all to be found", func() bool { return p.Stats().Alive == len(pools) })
	}
	for _, p := range pools {
		if n := p.Stats().Rejected; n > 0 {
			t.Errorf("%d packets and streams were rejected", n)
		}
	}
}

func TestAdvertisedAddressIsShown(t *testing.T) {
	cfg := config("n1")
	cfg.Bind, cfg.Advertise = "0.0.0.0:0", "127.0.0.9:1234"
	p := open(t, cfg)
	if got := find(p, "n1").Address.String(); got != cfg.Advertise || p.Addr().String() != got {
		t.Errorf("shown as %s, Addr %v", got, p.Addr())
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	cfg := config("n3")
	cfg.Timing.Stream = time.Hour
	pools = append(pools, open(t, cfg))
	join(t, pools[2], pools[0])
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	// Somebody holds a stream open and says nothing.
	idle, err := net.Dial("tcp", pools[2].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	eventually(t, "the idle stream", func() bool { return streams(pools[2]) > 0 })
	waiting := pools[0].Changed()
	for _, p := range pools {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("again: %v", err)
		}
		if err := p.Leave(t.Context()); err != nil {
			t.Errorf("leave after close: %v", err)
		}
	}
	<-waiting // who waits is let go
	if got := len(pools[0].Members()); got != 3 {
		t.Errorf("%d members after Close", got)
	}
	var left string
	for range 1000 {
		if left = gossipStacks(); left == "" {
			return
		}
		_ = clock.Sleep(t.Context(), clock.Real{}, 10*time.Millisecond)
	}
	t.Errorf("goroutines are left:\n%s", left)
}

// TestCloseWhileBusy: joins and farewells that are under way neither hang nor
// panic.
func TestCloseWhileBusy(t *testing.T) {
	for range 5 {
		pools := openAll(t, "n1", "n2")
		ended, end := context.WithCancel(t.Context())
		end()
		go pools[1].Join(t.Context(), []string{pools[0].Addr().String(), "127.0.0.1:1"})
		if err := pools[0].Leave(ended); err != nil && !errs.Is(err, errs.Unavailable) {
			t.Error(err)
		}
		for _, p := range pools {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// gossipStacks are the goroutines that run our or the libraries' code, but for
// the tests' own.
func gossipStacks() string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var out []string
	for _, g := range strings.Split(string(buf), "\n\n") {
		ours := strings.Contains(g, "hashicorp/serf") || strings.Contains(g, "hashicorp/memberlist") || strings.Contains(g, "gossip.(*")
		if ours && !strings.Contains(g, "testing.tRunner") {
			out = append(out, g)
		}
	}
	return strings.Join(out, "\n\n")
}

// TestFullPoolTakesNoMore: the limit holds on each node for itself.
func TestFullPoolTakesNoMore(t *testing.T) {
	cfg := calm("n1")
	cfg.MaxMembers = 2
	n1, n2, n3 := open(t, cfg), open(t, calm("n2")), open(t, calm("n3"))
	join(t, n2, n1)
	shows(t, "n1 alive, n2 alive", n1, n2)
	join(t, n3, n2)
	shows(t, "n1 alive, n2 alive, n3 alive", n2, n3)
	eventually(t, "n1 to hear of n3", func() bool { return n1.Stats().Ignored > 0 })
	if got := picture(n1); got != "n1 alive, n2 alive" {
		t.Errorf("n1 sees %s", got)
	}
	// Those that are in it may still change.
	if err := n2.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(t, "n1 alive, n2 left", n1)
}

// TestClosedPoolIsToldNothing: after Close nobody reads Serf's events, and
// who would have to wait for that would do so with the library's locks held.
func TestClosedPoolIsToldNothing(t *testing.T) {
	p := open(t, config("n1"))
	shows(t, "n1 alive", p)
	p.Close()
	for i := range 8 * 1024 {
		n := &memberlist.Node{Name: fmt.Sprintf("late%d", i), Addr: net.IPv4(10, 0, 0, 1), Port: 1}
		p.filter.NotifyJoin(n)
		p.filter.NotifyUpdate(n)
		p.filter.NotifyLeave(n)
	}
	if got := picture(p); got != "n1 alive" {
		t.Errorf("sees %.100s", got)
	}
}

// TestKnownSeedsAreLeftAlone: in company only strangers are sought; alone, a
// failed member is as good as one.
func TestKnownSeedsAreLeftAlone(t *testing.T) {
	pools := openWith(t, calm, "n1", "n2", "n3")
	shows(t, "n1 alive, n2 alive, n3 alive", pools...)
	knows := func(wantAlive int, want ...*Pool) {
		t.Helper()
		addrs, alive := pools[0].known()
		if alive != wantAlive || len(addrs) != len(want) {
			t.Errorf("knows %v, %d alive", addrs, alive)
		}
		for _, p := range want {
			if !addrs[p.Addr()] {
				t.Errorf("does not know %s", p.cfg.Name)
			}
		}
	}
	knows(3, pools...)
	pools[1].Close()
	shows(t, "n1 alive, n2 failed, n3 alive", pools[0], pools[2])
	knows(2, pools...)
	if err := pools[2].Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(t, "n1 alive, n2 failed, n3 left", pools[0])
	knows(1, pools[0])
}

func TestStatuses(t *testing.T) {
	for in, want := range map[serf.MemberStatus]Status{
		serf.StatusAlive: Alive, serf.StatusLeaving: Alive, serf.StatusLeft: Left,
		serf.StatusFailed: Failed, serf.StatusNone: Failed, 99: Failed,
	} {
		if got := status(in); got != want {
			t.Errorf("%d became %v, want %v", in, got, want)
		}
	}
	for s, want := range map[Status]string{Alive: "alive", Failed: "failed", Left: "left"} {
		if s.String() != want {
			t.Errorf("%d is called %v, want %s", s, s, want)
		}
	}
}
