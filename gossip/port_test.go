package gossip

import (
	"net"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

// streams counts those that others have open at a pool's port.
func streams(p *Pool) int {
	port := p.wire.port
	port.mu.Lock()
	n := len(port.fresh)
	port.mu.Unlock()
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	return n + p.wire.in
}

// share opens a port, and a node in both pools at it.
func share(t *testing.T, name string) (port *Port, control, agents *Pool) {
	t.Helper()
	port, err := Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	c := config(name)
	c.Bind, c.Port = "", port
	agents = open(t, c)
	c.Pool, c.Key = "control", key(2)
	return port, open(t, c), agents
}

// TestPoolsShareAPort: a node is in two pools at one port, and they stay apart;
// one that is closed leaves the other alone, and can be opened again.
func TestPoolsShareAPort(t *testing.T) {
	one, c1, a1 := share(t, "n1")
	_, c2, a2 := share(t, "n2")
	if c1.Addr() != one.Addr() || a1.Addr() != one.Addr() {
		t.Fatalf("at %v and %v, the port is %v", c1.Addr(), a1.Addr(), one.Addr())
	}
	a3 := open(t, config("n3"))
	join(t, c2, c1)
	join(t, a2, a1)
	join(t, a3, a2)
	shows(t, "n1 alive, n2 alive", c1, c2)
	shows(t, "n1 alive, n2 alive, n3 alive", a1, a2, a3)

	twice := config("n1")
	twice.Port = one
	if p, err := Open(twice); !errs.Is(err, errs.Conflict) {
		p.Close()
		t.Errorf("twice in one pool at one port: %v", err)
	}
	if err := a1.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	shows(t, "n1 left, n2 alive, n3 alive", a2, a3)
	shows(t, "n1 alive, n2 alive", c1, c2)
	back := open(t, twice)
	join(t, back, a3)
	shows(t, "n1 alive, n2 alive, n3 alive", a2, a3, back)
	if err := one.Close(); err != nil {
		t.Error(err)
	}
	if p, err := Open(twice); !errs.Is(err, errs.Unavailable) {
		p.Close()
		t.Errorf("at a port that is closed: %v", err)
	}
}

// TestStrangersAtASharedPort: what is for no pool there goes no further, and
// is counted.
func TestStrangersAtASharedPort(t *testing.T) {
	port, control, agents := share(t, "n1")
	other := strings.Replace(agents.cfg.label(), "agents", "others", 1)
	send(t, agents, []byte{labelMark, 9, 1}, packet(t, other, key(1), []byte{0}, cipherKind), []byte("x"))
	stuff(t, agents, append(labelHead(other), frame(t, other, key(1), []byte("x"), cipherKind)...))
	stuff(t, agents, []byte("GET / HTTP/1.1\r\n\r\n"))
	eventually(t, "five to be rejected", func() bool { return port.rejected.Load() == 5 })
	for _, p := range []*Pool{control, agents} {
		if n := p.wire.rejected.Load(); n > 0 || p.Stats().Rejected != 5 {
			t.Errorf("%s counts %d, and its port %d", p.cfg.Pool, n, p.Stats().Rejected)
		}
	}
}

// TestLabelledStreamsAreBounded: who knows the label, and says no more, takes up
// the places of one pool, and not of the others at the port.
func TestLabelledStreamsAreBounded(t *testing.T) {
	_, control, agents := share(t, "n1")
	for range maxStreams + 8 {
		c, err := net.Dial("tcp", agents.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(agents.wire.head); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the surplus to be cut off", func() bool { return agents.wire.rejected.Load() >= 8 })
	if n := streams(agents); n > maxStreams {
		t.Errorf("%d streams are open, the limit is %d", n, maxStreams)
	}
	c := config("n2")
	c.Pool, c.Key = "control", key(2)
	friend := open(t, c)
	join(t, friend, control)
	shows(t, "n1 alive, n2 alive", control, friend)
}

func TestPortsThatCannotBe(t *testing.T) {
	port, err := Listen("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	for at, want := range map[string]errs.Kind{
		"": errs.Invalid, "127.0.0.1": errs.Invalid, "host:1": errs.Invalid, "[fe80::1%lo]:1": errs.Invalid,
		port.Addr().String(): errs.Unavailable,
	} {
		if p, err := Listen(at, nil); !errs.Is(err, want) {
			p.Close()
			t.Errorf("%q: %v", at, err)
		} else if want == errs.Unavailable && !strings.Contains(errs.Message(err), at) {
			t.Errorf("it does not say which port: %q", errs.Message(err))
		}
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if p, err := Listen(udp.LocalAddr().String(), nil); !errs.Is(err, errs.Unavailable) {
		p.Close()
		t.Errorf("taken by UDP: %v", err)
	}
}
