package faultnet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

// selfSigned is a certificate for TLS servers of tests.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k}
}

// TestOnlyRaftsAnswersAreHeld: of the connections to one port, the answers on
// those that were opened for raft wait, and nothing else does.
func TestOnlyRaftsAnswersAreHeld(t *testing.T) {
	t.Parallel()
	b := newBed(t, "kvfh", &Options{Capture: 1000}, "a", "b", "c")
	l, err := b.host["b"].Listen(b.ctx, "tcp", b.addr("b", "8770"))
	b.must(err)
	asked := make(chan string, 256)
	config := &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, NextProtos: []string{"raft", "peer"}}
	b.serve(tls.NewListener(l, config), func(c net.Conn) {
		buf := make([]byte, 64)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if s := c.(*tls.Conn).ConnectionState(); s.NegotiatedProtocol == "raft" {
				asked <- string(buf[:n])
			}
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	open := func(from, protocol string) net.Conn {
		c := tls.Client(b.dial(from, "b", "8770"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}})
		b.must(c.HandshakeContext(b.ctx))
		return c
	}
	raft, peer, elsewhere := open("a", "raft"), open("a", "peer"), open("c", "raft")
	for _, c := range []net.Conn{raft, peer, elsewhere} {
		b.must(says(c, "before", 10*time.Second))
	}
	for len(asked) > 0 {
		<-asked
	}
	b.must(b.sw.Apply(b.ctx, Rule{From: "b", To: "a", Match: Match{Proto: TCP, SrcPort: 8770, ALPN: "raft"}, Fault: Fault{Hold: true}}))
	_, err = io.WriteString(raft, "question")
	b.must(err)
	select {
	case got := <-asked:
		if got != "question" {
			t.Fatalf("b was asked %q", got)
		}
	case <-b.ctx.Done():
		t.Fatal("the question did not arrive")
	}
	b.eventually("the answer is held", func() bool { return b.counts(b.sw, "b", "a").Held > 0 })
	for range 20 {
		b.must(says(peer, "peer goes on", 10*time.Second))
		b.must(says(elsewhere, "and so does c", 10*time.Second))
	}
	b.must(raft.SetReadDeadline(time.Now().Add(200 * time.Millisecond)))
	buf := make([]byte, 8)
	if n, err := raft.Read(buf); err == nil {
		t.Errorf("an answer came through the hold: %q", buf[:n])
	}
	if c := b.counts(b.sw, "b", "a"); c.Waiting == 0 || c.Cut+c.Dropped+c.Overflow > 0 {
		t.Errorf("%+v", c)
	}
	b.must(b.sw.Heal(b.ctx))
	// A TLS connection does not outlive a deadline in the midst of a record; none has begun.
	b.must(raft.SetReadDeadline(time.Now().Add(10 * time.Second)))
	if _, err := io.ReadFull(raft, buf); err != nil || string(buf) != "question" {
		t.Errorf("after the hold came %q, %v", buf, err)
	}
	var text strings.Builder
	b.must(b.sw.WriteCapture(&text))
	if strings.Count(text.String(), `"fate":"hold"`) == 0 || strings.Count(text.String(), `"fate":"pass"`) == 0 {
		t.Errorf("captured: %s", text.String())
	}
}
