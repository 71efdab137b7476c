package main

import (
	"crypto/tls"
	"net"
	"net/http"

	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/wire"
	"github.com/kvorum/kvorum/raftnode"
)

// advertised is where other nodes reach this one's internal port.
func (n *controlNode) advertised() string {
	if n.conf.Control.Advertise != "" {
		return n.conf.Control.Advertise
	}
	if _, port, err := net.SplitHostPort(n.conf.Control.Listen); err == nil && port == "0" {
		return n.tcp.Addr().String()
	}
	return n.conf.Control.Listen
}

// to makes HTTP calls to other control nodes by a protocol.
func (n *controlNode) to(protocol string) http.RoundTripper {
	conf := n.endpoint.Client(protocol, pki.Expect(pki.Control, ""))
	return wire.Transport(func(string) *tls.Config { return conf })
}

// advertisedListener tells raft's peers the address that they reach us by, and
// not the one that is listened on.
type advertisedListener struct {
	net.Listener
	address advertisedAddress
}

type advertisedAddress string

// Network implements net.Addr.
func (advertisedAddress) Network() string { return "tcp" }

// String implements net.Addr.
func (a advertisedAddress) String() string { return string(a) }

// Addr implements net.Listener.
func (l advertisedListener) Addr() net.Addr { return l.address }

// raftStream carries raft over the internal port.
func (n *controlNode) raftStream() raftnode.StreamLayer {
	conf := n.endpoint.Client(pki.Raft, pki.Expect(pki.Control, ""))
	return wire.Stream{
		Listener: advertisedListener{n.port.Listener(pki.Raft), advertisedAddress(n.advertised())},
		Client:   func(string) *tls.Config { return conf },
	}
}

// revoked tells whether a certificate was taken back, as far as this node
// knows.
func (n *controlNode) revoked(serial string) bool {
	c := n.machine.View().Certificate(serial)
	return c != nil && c.RevokedAt != 0
}
