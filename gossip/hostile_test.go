package gossip

import (
	"bytes"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	"github.com/kvorum/kvorum/internal/errs"
)

// unharmed shows that the pools still see each other and nobody else, and that
// a new node can still come. It goes again.
func unharmed(t *testing.T, pools ...*Pool) {
	t.Helper()
	shows(t, "n1 alive, n2 alive", pools...)
	friend := open(t, config("n3"))
	for _, p := range pools {
		join(t, friend, p)
	}
	shows(t, "n1 alive, n2 alive, n3 alive", append(pools, friend)...)
	if a := alarms(append(pools, friend)...); len(a) > 0 {
		t.Errorf("alarms: %v", a)
	}
}

// TestStrangersAreNotHeard: whoever lacks the key or has another label is
// neither seen nor answered, and does no harm.
func TestStrangersAreNotHeard(t *testing.T) {
	cases := []struct {
		name string
		edit func(*Config)
	}{
		{"wrong key", func(c *Config) { c.Key = key(9) }},
		{"other cluster", func(c *Config) { c.Cluster = strings.Replace(c.Cluster, "1", "2", 1) }},
		{"other pool", func(c *Config) { c.Pool = "control" }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pools := openAll(t, "n1", "n2")
			shows(t, "n1 alive, n2 alive", pools...)
			cfg := config("evil")
			c.edit(&cfg)
			evil := open(t, cfg)
			for _, p := range pools {
				if n, err := evil.Join(t.Context(), []string{p.Addr().String()}); n != 0 || !errs.Is(err, errs.Unavailable) {
					t.Errorf("the stranger joined %s: %d, %v", p.cfg.Name, n, err)
				}
				if n, err := p.Join(t.Context(), []string{evil.Addr().String()}); n != 0 || !errs.Is(err, errs.Unavailable) {
					t.Errorf("%s joined the stranger: %d, %v", p.cfg.Name, n, err)
				}
			}
			if got := picture(evil); got != "evil alive" {
				t.Errorf("the stranger sees %s", got)
			}
			unharmed(t, pools...)
		})
	}
}

// vanilla is a node of plain Serf, as an attacker would run it.
func vanilla(t *testing.T, name string, secret []byte) *serf.Serf {
	t.Helper()
	sc, mc := serf.DefaultConfig(), memberlist.DefaultLocalConfig()
	mc.BindAddr, mc.BindPort, mc.Label, mc.SecretKey = "127.0.0.1", 0, testCluster+"/agents", secret
	mc.GossipInterval, mc.PushPullInterval = 10*time.Millisecond, 200*time.Millisecond
	mc.RetransmitMult = 8 // the others pass nothing on
	mc.Logger = log.New(io.Discard, "", 0)
	sc.NodeName, sc.MemberlistConfig, sc.Logger = name, mc, mc.Logger
	sc.BroadcastTimeout, sc.LeavePropagateDelay = time.Second, 50*time.Millisecond
	s, err := serf.Create(sc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown() })
	return s
}

func TestNodeWithoutKeyIsNotHeard(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	evil := vanilla(t, "evil", nil)
	for _, p := range pools {
		if n, err := evil.Join([]string{p.Addr().String()}, true); n != 0 || err == nil {
			t.Errorf("joined without a key: %d, %v", n, err)
		}
		if n, err := p.Join(t.Context(), []string{evil.Memberlist().LocalNode().Address()}); n != 0 || !errs.Is(err, errs.Unavailable) {
			t.Errorf("%s joined a node without a key: %d, %v", p.cfg.Name, n, err)
		}
	}
	unharmed(t, pools...)
}

// TestGarbage: nothing that arrives without the key makes a node stumble.
func TestGarbage(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	label := pools[0].cfg.label()
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		return b
	}
	head := labelHead(label)
	packets := [][]byte{
		{0}, {labelMark}, {labelMark, 0}, {labelMark, 255, 1}, head, head[:5],
		append(bytes.Clone(head), cipherKind), append(bytes.Clone(head), noise(28)...), append(bytes.Clone(head), noise(60000)...),
		append(append(bytes.Clone(head), cipherKind), noise(65000-len(head))...),
		noise(65507), labelHead("other"), append(labelHead("other"), noise(100)...),
		packet(t, label, key(9), message(t, msgDead, verdict{99, "n1", "n1"}), cipherKind),
		packet(t, "other", key(1), message(t, msgDead, verdict{99, "n1", "n1"}), cipherKind),
		message(t, msgDead, verdict{99, "n1", "n1"}),
		append(bytes.Clone(head), message(t, msgDead, verdict{99, "n1", "n1"})...),
	}
	for range 200 {
		packets = append(packets, noise(1+rand.IntN(2000)))
	}
	streams := [][]byte{
		nil, {0}, {labelMark}, {labelMark, 255, 1}, head, noise(100), noise(1 << 20),
		append(bytes.Clone(head), cipherMark), append(bytes.Clone(head), cipherMark, 255, 255, 255, 255, cipherKind),
		append(append(bytes.Clone(head), cipherMark, 0, 1, 0, 0, cipherKind), noise(1<<16)...),
		append(bytes.Clone(head), frame(t, label, key(9), []byte("x"), cipherKind)...),
	}
	for _, p := range pools {
		send(t, p, packets...)
		for _, s := range streams {
			stuff(t, p, s)
		}
		if p.Stats().Rejected == 0 {
			t.Errorf("%s rejected nothing", p.cfg.Name)
		}
	}
	unharmed(t, pools...)
}

// TestStreamsAreBounded: who opens streams and says nothing gets only so many,
// and the rest of the pool goes on.
func TestStreamsAreBounded(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	var idle []net.Conn
	for range 2 * maxStreams {
		c, err := net.Dial("tcp", pools[0].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	eventually(t, "the surplus to be cut off", func() bool { return pools[0].Stats().Rejected >= maxStreams })
	if in := streams(pools[0]); in > maxFresh {
		t.Errorf("%d streams are open, the limit is %d", in, maxFresh)
	}
	for _, c := range idle {
		c.Close()
	}
	eventually(t, "the streams to be forgotten", func() bool { return streams(pools[0]) == 0 })
	unharmed(t, pools...)
}

// TestForgeriesWithTheKey: who has the key can lie about others for a moment,
// and no more: no crash, no loss of a name, and the list finds back.
func TestForgeriesWithTheKey(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	label := pools[0].cfg.label()
	pad := bytes.Repeat([]byte{255}, 16) // says that 255 of its 16 bytes are padding
	vsn := []uint8{1, 5, 2, 2, 5, 4}
	forged := [][]byte{
		packet(t, label, key(1), message(t, msgDead, verdict{1, "n2", "n2"}), cipherKind),
		packet(t, label, key(1), message(t, msgDead, verdict{1 << 31, "n1", "n2"}), cipherKind),
		packet(t, label, key(1), message(t, msgSuspect, verdict{1<<32 - 1, "n2", "n1"}), cipherKind),
		packet(t, label, key(1), message(t, msgUser, intent{}), cipherKind),
		packet(t, label, key(1), append([]byte{msgUser}, message(t, leaveIntent, intent{LTime: 1<<64 - 1, Node: "n2"})...), cipherKind),
		packet(t, label, key(1), append([]byte{msgUser}, message(t, leaveIntent, intent{LTime: 99, Node: "n1", Prune: true})...), cipherKind),
		packet(t, label, key(1), message(t, msgAlive, alive{Node: "a b\nc", Addr: []byte{1}, Port: 1, Vsn: vsn}), cipherKind),
		packet(t, label, key(1), message(t, msgAlive, alive{Node: "x", Addr: []byte{1, 2, 3}, Port: 1, Vsn: vsn}), cipherKind),
		packet(t, label, key(1), message(t, msgAlive, alive{Node: "x", Vsn: []uint8{1}}), cipherKind),
		packet(t, label, key(1), message(t, msgAlive, alive{Node: "x", Addr: []byte{127, 0, 0, 1}, Meta: make([]byte, 600), Vsn: vsn}), cipherKind),
		packet(t, label, key(1), pad, 0),
		packet(t, label, key(1), nil, cipherKind),
		packet(t, label, key(1), bomb(t, 300<<10), cipherKind),
		packet(t, label, key(1), bomb(t, 8<<20), cipherKind),
		packet(t, label, key(1), []byte{msgCompress}, cipherKind),
	}
	for range 200 { // right outside, wrong inside
		b := make([]byte, 1+rand.IntN(300))
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		b[0] %= 14
		forged = append(forged, packet(t, label, key(1), b, cipherKind))
	}
	for _, p := range pools {
		send(t, p, forged...)
		for _, plain := range [][]byte{nil, {msgUser}, {6, 0x80}, pad, bomb(t, 300<<10)} {
			stuff(t, p, append(labelHead(label), frame(t, label, key(1), plain, cipherKind)...))
		}
		stuff(t, p, append(labelHead(label), frame(t, label, key(1), pad, 0)...))
	}
	// More than memberlist unpacks; it takes a while to find out.
	stuff(t, pools[1], append(labelHead(label), frame(t, label, key(1), bomb(t, 41<<20), cipherKind)...))
	unharmed(t, pools...)
}

// TestSpoofedAddressIsAnAlarm: with the key, somebody claims that a live node
// is elsewhere.
func TestSpoofedAddressIsAnAlarm(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	shows(t, "n1 alive, n2 alive", pools...)
	lie := alive{Incarnation: 1 << 30, Node: "n2", Addr: []byte{127, 0, 0, 9}, Port: 9, Vsn: []uint8{1, 5, 2, 2, 5, 4}}
	send(t, pools[0], packet(t, pools[0].cfg.label(), key(1), message(t, msgAlive, lie), cipherKind))
	eventually(t, "an alarm", func() bool { return len(pools[0].Alarms()) == 1 })
	a := pools[0].Alarms()[0]
	if a.Name != "n2" || a.Holder != pools[1].Addr() || a.Claimant != netip.MustParseAddrPort("127.0.0.9:9") || a.Self {
		t.Errorf("got %+v", a)
	}
	shows(t, "n1 alive, n2 alive", pools...)
	if got := find(pools[0], "n2").Address; got != pools[1].Addr() {
		t.Errorf("n2 is believed at %v", got)
	}
}

// TestMembersCommandNothing: a member that runs plain Serf sends all that Serf
// lets it send, and is seen and otherwise ignored.
func TestMembersCommandNothing(t *testing.T) {
	pools := openAll(t, "n1", "n2")
	evil := vanilla(t, "evil", key(1))
	if _, err := evil.Join([]string{pools[0].Addr().String()}, true); err != nil {
		t.Fatal(err)
	}
	shows(t, "evil alive, n1 alive, n2 alive", pools...)
	ignored := func() uint64 { return min(pools[0].Stats().Ignored, pools[1].Stats().Ignored) }
	acts := []struct {
		name string
		do   func() error
	}{
		{"user event", func() error { return evil.UserEvent("deploy", []byte("now"), false) }},
		{"install a key", func() error { _, err := evil.KeyManager().InstallKey(b64(key(7))); return refusal(err) }},
		{"use a key", func() error { _, err := evil.KeyManager().UseKey(b64(key(1))); return refusal(err) }},
		{"remove a key", func() error { _, err := evil.KeyManager().RemoveKey(b64(key(7))); return refusal(err) }},
		{"list keys", func() error {
			r, err := evil.KeyManager().ListKeys()
			if r.NumResp > 1 {
				t.Errorf("%d nodes told their keys", r.NumResp)
			}
			return refusal(err)
		}},
		{"prune a live node", func() error { return evil.RemoveFailedNodePrune("n2") }},
	}
	for _, act := range acts {
		before := ignored()
		if err := act.do(); err != nil {
			t.Errorf("%s: %v", act.name, err)
		}
		eventually(t, act.name+" to be ignored", func() bool { return ignored() > before })
	}
	eventually(t, "the prune's end at its author", func() bool {
		for _, m := range evil.Members() {
			if m.Name == "n2" {
				return false
			}
		}
		return true
	})
	for _, p := range pools {
		if got := p.Keys(); len(got) != 1 || got[0] != KeyID(key(1)) {
			t.Errorf("%s has the keys %v", p.cfg.Name, got)
		}
	}
	shows(t, "evil alive, n1 alive, n2 alive", pools...)
	join(t, pools[1], pools[0])
	shows(t, "evil alive, n1 alive, n2 alive", pools...)
}

// TestEventsDoNotComeWithLists: what Serf keeps of user events is part of the
// lists that nodes exchange, and would go from node to node for ever.
func TestEventsDoNotComeWithLists(t *testing.T) {
	evil := vanilla(t, "evil", key(1))
	n1 := open(t, config("n1"))
	shows(t, "n1 alive", n1)
	if err := evil.UserEvent("deploy", []byte("now"), false); err != nil {
		t.Fatal(err)
	}
	if _, err := evil.Join([]string{n1.Addr().String()}, false); err != nil {
		t.Fatal(err)
	}
	shows(t, "evil alive, n1 alive", n1)
	// The list has been merged when a second exchange has begun.
	if _, err := evil.Join([]string{n1.Addr().String()}, false); err != nil {
		t.Fatal(err)
	}
	if b := n1.filter.LocalState(true); bytes.Contains(b, []byte("deploy")) {
		t.Error("the event came with the list")
	}
}

// TestAllowedNetworks: packets, streams and members from elsewhere are
// refused, key or not.
func TestAllowedNetworks(t *testing.T) {
	cfg := config("n1")
	cfg.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	n1, n2 := open(t, cfg), open(t, config("n2"))
	cfg = config("far")
	cfg.Bind = "127.0.0.2:0"
	far := open(t, cfg)
	join(t, n2, n1)
	join(t, far, n2) // n2 takes it, and tells n1 of it
	shows(t, "far alive, n1 alive, n2 alive", n2)
	shows(t, "n1 alive, n2 alive", n1)
	eventually(t, "something of it to be rejected", func() bool { return n1.Stats().Rejected > 0 })
	if got := picture(n1); got != "n1 alive, n2 alive" {
		t.Errorf("n1 sees %s", got)
	}
}

func refusal(err error) error {
	if err == nil {
		return errs.Errorf("test", errs.Internal, "everybody obeyed")
	}
	return nil
}
