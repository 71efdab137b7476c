package wire

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
)

// Conn is an accepted connection. It is not a *tls.Conn itself, because an
// http.Server would look for a protocol of ours in its table of HTTP versions;
// as it is, requests have their TLS field and are plain HTTP/1.1.
type Conn struct{ *tls.Conn }

// PeerOf tells who is at the other end of a connection of a Port or of Dial.
// errs.Unauthorized: nobody known.
func PeerOf(c net.Conn) (pki.Identity, error) {
	s, ok := c.(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return pki.Identity{}, unknownPeer()
	}
	state := s.ConnectionState()
	return peer(&state)
}

// Peer tells which member sent a request. errs.Unauthorized: nobody known.
func Peer(r *http.Request) (pki.Identity, error) { return peer(r.TLS) }

// PeerIn tells who is at the other end of a connection in that state, such as
// the one of an http.Response. errs.Unauthorized: nobody known.
func PeerIn(s *tls.ConnectionState) (pki.Identity, error) { return peer(s) }

// AsPeer gives the request as if that member had sent it: for tests and for the
// simulator, which have no wire.
func AsPeer(r *http.Request, who pki.Identity) *http.Request {
	r = r.Clone(r.Context())
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{pki.Unsigned(who)}}
	return r
}

func peer(s *tls.ConnectionState) (pki.Identity, error) {
	if s == nil || len(s.PeerCertificates) == 0 {
		return pki.Identity{}, unknownPeer()
	}
	return pki.IdentityOf(s.PeerCertificates[0])
}

func unknownPeer() error {
	return errs.Errorf("wire.peer", errs.Unauthorized, "the peer has not shown who it is")
}
