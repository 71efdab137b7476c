package faultnet

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// clientHello is what a client of crypto/tls sends first.
func clientHello(t *testing.T, config *tls.Config) []byte {
	t.Helper()
	client, server := net.Pipe()
	defer server.Close()
	defer client.Close()
	go func() { _ = tls.Client(client, config).Handshake() }()
	b := make([]byte, 1<<14)
	n, err := server.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

func TestALPNOfAClient(t *testing.T) {
	raft := clientHello(t, &tls.Config{ServerName: "c1", NextProtos: []string{"raft", "peer"}})
	// The hello is longer than a packet of the usual size.
	const first = 1400
	if len(raft) <= first {
		t.Logf("the hello has only %d bytes: nothing of it is missing", len(raft))
	}
	other := append([]byte(nil), raft...)
	other[5] = 2
	for _, row := range []struct {
		name string
		b    []byte
		want string
	}{
		{"its first packet", raft[:min(len(raft), first)], "raft"},
		{"whole", raft, "raft"},
		{"another protocol", clientHello(t, &tls.Config{ServerName: "c1", NextProtos: []string{"agent"}}), "agent"},
		{"none", clientHello(t, &tls.Config{ServerName: "c1"}), ""},
		{"no hello", other, ""},
		{"HTTP", []byte("GET /healthz HTTP/1.1\r\nHost: c1\r\n\r\n"), ""},
	} {
		if got := helloALPN(row.b); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	for i := range raft {
		if got := helloALPN(raft[:i]); got != "" && got != "raft" {
			t.Errorf("the first %d bytes give %q", i, got)
		}
	}
}

// TestFlowsAreBounded: the oldest goes, and both directions are one flow.
func TestFlowsAreBounded(t *testing.T) {
	hello := clientHello(t, &tls.Config{ServerName: "c1", NextProtos: []string{"raft"}})
	var f flows
	open := func(i int) (there, back packet) {
		src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 16), byte(i >> 8)}), uint16(1+i&0xff))
		b := ipv4(numberTCP, src, at(addrB, 8770), hello)
		p, _ := parse(b)
		f.watch(&p, b)
		f.watch(&p, b) // sent again
		reply, _ := parse(ipv4(numberTCP, at(addrB, 8770), src, nil))
		return p, reply
	}
	first, answer := open(0)
	if f.alpn(&first) != "raft" || f.alpn(&answer) != "raft" {
		t.Fatalf("the flow is known as %q and %q", f.alpn(&first), f.alpn(&answer))
	}
	for i := range maxFlows - 1 {
		open(i + 1)
	}
	if f.alpn(&first) != "raft" {
		t.Error("the first flow was forgotten while there was room")
	}
	second, _ := open(maxFlows)
	last, _ := open(maxFlows + 1)
	early, _ := open(1)
	if f.alpn(&early) != "raft" {
		t.Error("a flow that was opened again is not known")
	}
	if f.alpn(&first) != "" || f.alpn(&second) != "raft" || f.alpn(&last) != "raft" || len(f.known) != maxFlows || len(f.order) != maxFlows {
		t.Errorf("first %q, last %q, %d known, %d in order", f.alpn(&first), f.alpn(&last), len(f.known), len(f.order))
	}
	u, _ := parse(udp([]byte(strings.Repeat("x", 20))...))
	if f.alpn(&u) != "" {
		t.Error("a datagram has a protocol of TLS")
	}
}
