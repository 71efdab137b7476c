package wire

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
)

// signedByANode makes a certificate for a control node that another node's key
// signed, with that node's certificate behind it.
func (r *rig) signedByANode() tls.Certificate {
	r.t.Helper()
	who := pki.Identity{Cluster: clusterA, Role: pki.Agent, ID: nodeTwo, Name: "n"}
	key := must(pki.NewKey()).(*ecdsa.PrivateKey)
	node := must(r.authority.Sign(must(pki.NewRequest(key, who)), who, day, time.Hour))
	claimed := pki.Identity{Cluster: clusterA, Role: pki.Control, ID: nodeTwo}
	own := must(pki.NewKey())
	forged := must(x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "n"},
		URIs: []*url.URL{claimed.URI()}, NotBefore: day.Add(-time.Hour), NotAfter: day.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, node, own.Public(), key))
	return tls.Certificate{Certificate: [][]byte{forged, node.Raw}, PrivateKey: own}
}

func TestEachProtocolHasItsListener(t *testing.T) {
	r := newRig(t, Config{})
	agent, peer := r.member(r.authority, pki.Agent, nodeTwo), r.control()
	for _, protocol := range served {
		c := peer
		if protocol == pki.Agents {
			c = agent
		}
		if err := echoes(r.address(), pki.Endpoint{Credentials: c, Clock: r.clock}.Client(protocol, pki.Expect(pki.Control, nodeOne))); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
	}
	for protocol, n := range r.accepted {
		if n.Load() != 1 {
			t.Errorf("%s got %d connections", protocol, n.Load())
		}
	}
	eventually(t, "all have left", func() bool { s := r.port.Stats(); return s.Members == 0 && s.Strangers == 0 })
}

func TestHTTPKnowsThePeer(t *testing.T) {
	r := newRig(t, Config{})
	if err := r.port.Listener(pki.Agents).Close(); err != nil {
		t.Fatal(err)
	}
	l := r.port.Listener(pki.Agents)
	srv := Server(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		who, err := Peer(req)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, who.String()) // the client notices
	}), slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	end := pki.Endpoint{Credentials: r.member(r.authority, pki.Agent, nodeTwo), Clock: r.clock}
	tr := Transport(func(string) *tls.Config { return end.Client(pki.Agents, pki.Expect(pki.Control, "")) })
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr}
	for range 2 {
		resp, err := client.Get("https://" + r.address() + "/")
		if err != nil {
			t.Fatal(err)
		}
		b := must(io.ReadAll(resp.Body))
		resp.Body.Close()
		if want := "agent n (" + nodeTwo + ")"; string(b) != want {
			t.Errorf("the server knows %q, want %q", b, want)
		}
	}
	if s := r.port.Stats(); s.Members != 1 {
		t.Errorf("two requests took %d connections", s.Members)
	}
	if resp, err := client.Get("http://" + r.address() + "/"); err == nil {
		resp.Body.Close()
		t.Error("sent without TLS")
	}
	tr.CloseIdleConnections()
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if err := echoes(r.address(), end.Client(pki.Agents, pki.Expect(pki.Control, ""))); err == nil {
		t.Error("served by nobody")
	}
}

func TestAsPeer(t *testing.T) {
	who := pki.Identity{Cluster: clusterA, Role: pki.Agent, ID: nodeTwo, Name: "n"}
	req := httptest.NewRequest("GET", "/", strings.NewReader(""))
	if _, err := Peer(req); !errs.Is(err, errs.Unauthorized) {
		t.Errorf("nobody: %v", err)
	}
	if got, err := Peer(AsPeer(req, who)); err != nil || got != who {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBothEndsKnowEachOther(t *testing.T) {
	r := newRig(t, Config{})
	if err := r.port.Listener(pki.Raft).Close(); err != nil {
		t.Fatal(err)
	}
	client := pki.Endpoint{Credentials: r.control(), Clock: r.clock}
	s := Stream{Listener: r.port.Listener(pki.Raft), Client: func(string) *tls.Config { return client.Client(pki.Raft, pki.Expect(pki.Control, nodeOne)) }}
	near := must(s.Dial(r.address(), 10*time.Second))
	defer near.Close()
	far := must(s.Accept())
	defer far.Close()
	if who := must(PeerOf(near)); who.ID != nodeOne {
		t.Errorf("the client sees %v", who)
	}
	if who := must(PeerOf(far)); who.ID != nodeTwo || who.Role != pki.Control {
		t.Errorf("the server sees %v", who)
	}
	plain, _ := net.Pipe()
	defer plain.Close()
	if _, err := PeerOf(plain); !errs.Is(err, errs.Unauthorized) {
		t.Errorf("a plain connection: %v", err)
	}
}

func TestDialSaysWhatIsWrong(t *testing.T) {
	r := newRig(t, Config{})
	end := pki.Endpoint{Credentials: r.control(), Clock: r.clock}
	if _, err := Dial(context.Background(), r.address(), end.Client(pki.Raft, pki.Expect(pki.Control, nodeTwo))); !errs.Is(err, errs.Unauthorized) {
		t.Errorf("somebody else: %v", err)
	}
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	nobody := l.Addr().String()
	l.Close()
	if _, err := Dial(context.Background(), nobody, end.Client(pki.Raft, pki.Expect(pki.Control, ""))); !errs.Is(err, errs.Unavailable) {
		t.Errorf("nobody: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	mute := must(net.Listen("tcp", "127.0.0.1:0"))
	defer mute.Close()
	go func() {
		c, err := mute.Accept()
		if err == nil {
			cancel()
			defer c.Close()
			_, _ = io.Copy(io.Discard, c) // never says a word
		}
	}()
	if _, err := Dial(ctx, mute.Addr().String(), end.Client(pki.Raft, pki.Expect(pki.Control, ""))); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a mute one: %v", err)
	}
}

// TestMembersAreBounded: further members are refused, and may come again when
// one has left.
func TestMembersAreBounded(t *testing.T) {
	r := newRig(t, Config{MaxMembers: 2})
	conf := r.as(r.control(), pki.Raft)
	var held []net.Conn
	for range 2 {
		c := must(Dial(context.Background(), r.address(), conf))
		defer c.Close()
		if err := answers(c); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	if err := echoes(r.address(), conf); err == nil {
		t.Error("a third one was served")
	}
	if s := r.port.Stats(); s.Members != 2 || s.Refused != 1 {
		t.Errorf("%+v", s)
	}
	held[0].Close()
	eventually(t, "one has left", func() bool { return r.port.Stats().Members == 1 })
	if err := echoes(r.address(), conf); err != nil {
		t.Error(err)
	}
}

func TestAnAddressIsBounded(t *testing.T) {
	r := newRig(t, Config{MaxPerIP: 3})
	conf := r.as(r.control(), pki.Raft)
	for range 3 {
		c := must(Dial(context.Background(), r.address(), conf))
		defer c.Close()
		if err := answers(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := echoes(r.address(), conf); err == nil {
		t.Error("a fourth one was served")
	}
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.9")}}
	c := tls.Client(must(d.Dial("tcp", r.address())), conf)
	defer c.Close()
	if err := answers(c); err != nil {
		t.Errorf("from another address: %v", err)
	}
}

// TestTooEarlyIsNoWarning: who calls before a protocol is served comes again;
// who is refused later should not have been.
func TestTooEarlyIsNoWarning(t *testing.T) {
	r := newRig(t, Config{})
	var log shared
	early := must(Listen("127.0.0.1:0", Config{TLS: r.end.Server(served...), Clock: r.clock, Log: slog.New(slog.NewTextHandler(&log, nil))}))
	defer early.Close()
	conf := r.as(r.control(), pki.Peer)
	for i, want := range []string{"level=INFO", "level=WARN"} {
		c := must(Dial(context.Background(), early.Addr().String(), conf))
		defer c.Close()
		eventually(t, "it is refused", func() bool {
			return early.Stats().Refused == uint64(i+1) && strings.Count(log.String(), "nobody takes it") == i+1
		})
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s, want %s", log.String(), want)
		}
		if err := early.Listener(pki.Peer).Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// shared is a buffer that goroutines share.
type shared struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *shared) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *shared) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestAFullQueueRefuses(t *testing.T) {
	r := newRig(t, Config{Queue: 2})
	if err := r.port.Listener(pki.Raft).Close(); err != nil {
		t.Fatal(err)
	}
	l := r.port.Listener(pki.Raft) // nobody accepts
	conf := r.as(r.control(), pki.Raft)
	for range 4 {
		c := must(Dial(context.Background(), r.address(), conf))
		defer c.Close()
	}
	eventually(t, "two are refused", func() bool { return r.port.Stats().Refused == 2 })
	eventually(t, "two wait", func() bool { return r.port.Stats().Members == 2 })
	c := must(l.Accept())
	c.Close()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other one is closed with its listener", func() bool { return r.port.Stats().Members == 0 })
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	r := newRig(t, Config{})
	c := must(Dial(context.Background(), r.address(), r.as(r.control(), pki.Raft)))
	defer c.Close()
	if err := answers(c); err != nil {
		t.Fatal(err)
	}
	idle := must(net.Dial("tcp", r.address()))
	defer idle.Close()
	eventually(t, "both are there", func() bool { s := r.port.Stats(); return s.Members == 1 && s.Strangers == 1 })
	if err := r.port.Close(); err != nil {
		t.Fatal(err)
	}
	if err := answers(c); err == nil || isTimeout(err) {
		t.Errorf("a member's connection: %v", err)
	}
	if _, err := r.port.Listener(pki.Peer).Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a listener of a closed port: %v", err)
	}
	if _, err := net.DialTimeout("tcp", r.address(), time.Second); err == nil {
		t.Error("it still listens")
	}
}

func TestOrigin(t *testing.T) {
	for remote, want := range map[string]string{
		"10.0.0.1:5": "10.0.0.1", "[::ffff:10.0.0.1]:5": "10.0.0.1", "[2001:db8:1:2:3:4:5:6]:5": "2001:db8:1:2::", "[fe80::1%lo]:5": "fe80::", "pipe": "invalid IP",
	} {
		if got := Origin(remote); got.String() != want {
			t.Errorf("%s counts as %s, want %s", remote, got, want)
		}
	}
}
