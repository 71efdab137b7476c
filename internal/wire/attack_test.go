package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/pki"
)

// TestStrangersAreRefused tries everything that has no business on the raft
// protocol, and looks that none of it came through.
func TestStrangersAreRefused(t *testing.T) {
	r := newRig(t, Config{})
	taken := r.member(r.authority, pki.Control, nodeTwo)
	r.end.Revoked = func(serial string) bool { return serial == pki.SerialOf(taken.Certificate()) }
	r.port.cfg.TLS.GetConfigForClient = r.end.Server(served...).GetConfigForClient
	other, same := must(pki.NewAuthority(clusterB, day)), must(pki.NewAuthority(clusterA, day))
	change := func(conf *tls.Config, how func(*tls.Config)) *tls.Config { how(conf); return conf }
	good := func() *tls.Config { return r.as(r.control(), pki.Raft) }
	attacks := map[string]*tls.Config{
		"no certificate":                          change(good(), func(c *tls.Config) { c.GetClientCertificate = nil }),
		"a wrong authority":                       r.as(r.member(same, pki.Control, nodeTwo), pki.Raft),
		"another cluster's authority":             r.as(r.member(other, pki.Control, nodeTwo), pki.Raft),
		"an agent's certificate":                  r.as(r.member(r.authority, pki.Agent, nodeTwo), pki.Raft),
		"a certificate that has ended":            r.as(r.memberAt(r.authority, pki.Control, nodeTwo, day.Add(-2*time.Hour)), pki.Raft),
		"a certificate that has not begun":        r.as(r.memberAt(r.authority, pki.Control, nodeTwo, day.Add(time.Hour)), pki.Raft),
		"a certificate that was taken back":       r.as(taken, pki.Raft),
		"TLS 1.2":                                 change(good(), func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 }),
		"TLS 1.0":                                 change(good(), func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }),
		"no ALPN":                                 change(good(), func(c *tls.Config) { c.NextProtos = nil }),
		"an unknown protocol":                     change(good(), func(c *tls.Config) { c.NextProtos = []string{"h2"} }),
		"join and raft, without a certificate":    change(good(), func(c *tls.Config) { c.NextProtos, c.GetClientCertificate = []string{pki.Join, pki.Raft}, nil }),
		"a control node on the agents' protocol":  r.as(r.control(), pki.Agents),
		"an agent on the peers' protocol":         r.as(r.member(r.authority, pki.Agent, nodeTwo), pki.Peer),
		"an agent on the images' protocol":        r.as(r.member(r.authority, pki.Agent, nodeTwo), pki.Images),
		"a certificate signed by a node":          r.as(r.control(), pki.Raft), // replaced below
		"the server's certificate, without a key": r.as(r.control(), pki.Raft), // replaced below
	}
	signed := tls.Certificate{Certificate: [][]byte{r.control().Certificate().Raw}, PrivateKey: must(pki.NewKey())}
	attacks["the server's certificate, without a key"].GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &signed, nil }
	forged := r.signedByANode()
	attacks["a certificate signed by a node"].GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &forged, nil }
	for name, conf := range attacks {
		if err := echoes(r.address(), conf); err == nil {
			t.Errorf("%s was served", name)
		}
	}
	for protocol, n := range r.accepted {
		if n.Load() != 0 {
			t.Errorf("%d connections came through on %s", n.Load(), protocol)
		}
	}
	if err := echoes(r.address(), good()); err != nil {
		t.Errorf("a control node: %v", err)
	}
	eventually(t, "every attack is a handshake that failed", func() bool { return r.port.Stats().Failed == uint64(len(attacks)) })
}

func TestPlainBytesAreRefused(t *testing.T) {
	r := newRig(t, Config{})
	if resp, err := http.Get("http://" + r.address() + "/"); err == nil {
		resp.Body.Close()
		t.Errorf("plain HTTP was answered: %s", resp.Status)
	}
	for name, text := range map[string]string{"HTTP": "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH": "SSH-2.0-x\r\n", "zeroes": string(make([]byte, 600))} {
		c := must(net.Dial("tcp", r.address()))
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, werr := c.Write([]byte(text))
		b, _ := io.ReadAll(io.LimitReader(c, 1<<16)) // until the port hangs up
		if len(b) > 0 && b[0] != 21 {
			t.Errorf("%s was answered %q (%v)", name, b, werr)
		}
		c.Close()
	}
	eventually(t, "all are gone", func() bool { return r.port.Stats().Strangers == 0 })
	if err := echoes(r.address(), r.as(r.control(), pki.Raft)); err != nil {
		t.Error(err)
	}
}

// TestSlowLoris: a handshake that does not come on is over after its time,
// however far it came.
func TestSlowLoris(t *testing.T) {
	r := newRig(t, Config{})
	hello := clientHello(t, r.as(r.control(), pki.Raft))
	var conns []net.Conn
	for _, n := range []int{0, 1, 5, len(hello) / 2, len(hello)} {
		c := must(net.Dial("tcp", r.address()))
		defer c.Close()
		if _, err := c.Write(hello[:n]); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	eventually(t, "all are in, and timed", func() bool { return r.port.Stats().Strangers == len(conns) && r.clock.Waiting() == len(conns) })
	r.clock.Advance(5*time.Second - 1)
	if s := r.port.Stats(); s.Strangers != len(conns) {
		t.Errorf("too soon: %+v", s)
	}
	r.clock.Advance(1)
	eventually(t, "all are out", func() bool { return r.port.Stats().Strangers == 0 })
	for i, c := range conns {
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); isTimeout(err) {
			t.Errorf("connection %d is still open", i)
		}
	}
}

// TestAJoinDoesNotLastForEver: a node that joins has half a minute.
func TestAJoinDoesNotLastForEver(t *testing.T) {
	r := newRig(t, Config{})
	token := pki.Token{Cluster: clusterA, Authority: r.authority.Fingerprint()}
	c := must(Dial(context.Background(), r.address(), pki.JoinClient(token, r.clock)))
	defer c.Close()
	if err := answers(c); err != nil {
		t.Fatal(err)
	}
	// One wait is the handshake's, which is over and was left behind.
	eventually(t, "its time runs", func() bool { return r.clock.Waiting() == 2 })
	r.clock.Advance(30 * time.Second)
	eventually(t, "it is out", func() bool { return r.port.Stats().Strangers == 0 })
	if err := answers(c); err == nil || isTimeout(err) {
		t.Errorf("it still answers: %v", err)
	}
}

// TestAThousandIdleConnections cost little, and keep nobody out, not even
// somebody at their own address.
func TestAThousandIdleConnections(t *testing.T) {
	r := newRig(t, Config{MaxStrangers: 64})
	before := runtime.NumGoroutine()
	from := func(host string) *net.Dialer { return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}} }
	flood := from("127.0.0.2")
	for i := range 1000 {
		c, err := flood.Dial("tcp", r.address())
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer c.Close()
	}
	eventually(t, "all were looked at", func() bool { return r.port.Stats().Pushed == 1000-16 })
	if s := r.port.Stats(); s.Strangers != 16 || s.Refused != 0 {
		t.Errorf("one address has %+v", s)
	}
	eventually(t, "few goroutines", func() bool { return runtime.NumGoroutine()-before <= 4*16 })
	conf := r.as(r.control(), pki.Raft)
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		raw, err := from(host).Dial("tcp", r.address())
		if err != nil {
			t.Fatal(err)
		}
		c := tls.Client(raw, conf)
		if err := answers(c); err != nil {
			t.Errorf("from %s: %v", host, err)
		}
		c.Close()
	}
}

// TestManyAddresses: also a flood from everywhere only pushes the oldest aside.
func TestManyAddresses(t *testing.T) {
	r := newRig(t, Config{MaxStrangers: 32})
	for i := range 200 {
		d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fmt.Sprintf("127.0.1.%d", i+1))}}
		defer must(d.Dial("tcp", r.address())).Close()
	}
	eventually(t, "all were looked at", func() bool { return r.port.Stats().Pushed == 200-32 })
	if s := r.port.Stats(); s.Strangers != 32 {
		t.Errorf("%+v", s)
	}
	if err := echoes(r.address(), r.as(r.control(), pki.Raft)); err != nil {
		t.Error(err)
	}
}

// clientHello gives the bytes that a client begins with.
func clientHello(t *testing.T, conf *tls.Config) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Client(near, conf).Handshake() // it fails when the pipe is closed
	}()
	head := make([]byte, 5)
	if _, err := io.ReadFull(far, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(head[3])<<8|int(head[4]))
	if _, err := io.ReadFull(far, body); err != nil {
		t.Fatal(err)
	}
	near.Close()
	<-done
	return append(head, body...)
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}
