package pki

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Endpoint makes the TLS settings of a node, for both of its ends.
type Endpoint struct {
	Credentials *Credentials
	Clock       clock.Clock
	// Revoked (optional) tells whether a certificate was taken back, by its
	// serial number. It is asked once a handshake and must not block.
	Revoked func(serial string) bool
}

// Server accepts the protocols named, by TLS 1.3 alone. Who calls must name
// exactly one of them, must show a certificate of this cluster's authority that
// is good now, and must be of a role that the protocol is for; only Join asks
// for no certificate.
func (e Endpoint) Server(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		Time:       e.Clock.Now,
		// A client that could name two protocols could be checked for the one
		// and served by the other; so it names one.
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			offer := hello.SupportedProtos
			if len(offer) != 1 || !slices.Contains(protocols, offer[0]) {
				return nil, refused("the client names %d protocols, and must name one that is served here", len(offer))
			}
			return e.serverFor(offer[0]), nil
		},
	}
}

func (e Endpoint) serverFor(protocol string) *tls.Config {
	m := e.Credentials.now.Load()
	c := &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Time:         e.Clock.Now,
		Certificates: []tls.Certificate{m.tls()},
		NextProtos:   []string{protocol},
		// A resumed session would be that of an older check.
		SessionTicketsDisabled: true,
		ClientAuth:             tls.NoClientCert,
	}
	if protocol != Join {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, m.trusted
	}
	c.VerifyConnection = func(s tls.ConnectionState) error {
		if s.NegotiatedProtocol != protocol {
			return refused("the protocol %q was agreed on, not %q", s.NegotiatedProtocol, protocol)
		}
		if protocol == Join {
			return nil
		}
		_, err := e.peer(m, s, callers[protocol]...)
		return err
	}
	return c
}

// peer gives who is at the other end of a connection whose certificate has been
// verified, if that is a member of this cluster in one of the roles.
func (e Endpoint) peer(m *material, s tls.ConnectionState, roles ...Role) (Identity, error) {
	if len(s.PeerCertificates) == 0 {
		return Identity{}, refused("the peer showed no certificate")
	}
	leaf := s.PeerCertificates[0]
	who, err := IdentityOf(leaf)
	switch {
	case err != nil:
		return Identity{}, err
	case who.Cluster != m.who.Cluster:
		return Identity{}, refused("%s belongs to cluster %s, not to %s", who, who.Cluster, m.who.Cluster)
	case !slices.Contains(roles, who.Role):
		return Identity{}, refused("%s may not use %s", who, s.NegotiatedProtocol)
	case e.Revoked != nil && e.Revoked(SerialOf(leaf)):
		return Identity{}, refused("the certificate of %s was taken back", who)
	}
	return who, nil
}

// Client calls a protocol of another member: its certificate must be good now
// and from this cluster's authority, and check must agree with who it is.
func (e Endpoint) Client(protocol string, check func(Identity) error) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		Time:       e.Clock.Now,
		NextProtos: []string{protocol},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			own := e.Credentials.now.Load().tls()
			return &own, nil
		},
		// The library's own verification is by host name, and names and
		// addresses are nothing that a member is known by. VerifyConnection does
		// all of it instead, and is called for every handshake.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			m := e.Credentials.now.Load()
			if s.NegotiatedProtocol != protocol {
				return refused("the protocol %q was agreed on, not %q", s.NegotiatedProtocol, protocol)
			}
			if err := verifyChain(s.PeerCertificates, m.trusted, e.Clock.Now()); err != nil {
				return err
			}
			who, err := e.peer(m, s, Control, Agent)
			if err != nil {
				return err
			}
			return check(who)
		},
	}
}

// verifyChain holds a server's certificate against the one authority.
func verifyChain(chain []*x509.Certificate, trusted *x509.CertPool, now time.Time) error {
	if len(chain) == 0 {
		return refused("the server showed no certificate")
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: trusted, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	if err != nil {
		return errs.E("pki.verify", errs.Unauthorized, "the server's certificate is not good", err)
	}
	return nil
}

// Expect is a check for Client: the peer has the role, and the id unless that is
// empty.
func Expect(role Role, id string) func(Identity) error {
	return func(who Identity) error {
		if who.Role != role || id != "" && who.ID != id {
			return refused("%s answered where %s %s was expected", who, role, id)
		}
		return nil
	}
}

// JoinClient calls Join with a token: whoever answers must be a control node of
// the token's cluster, under the authority that the token names. It has no
// certificate of its own.
func JoinClient(t Token, clk clock.Clock) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		Time:       clk.Now,
		NextProtos: []string{Join},
		// As in Client: VerifyConnection does all of it.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if s.NegotiatedProtocol != Join {
				return refused("the protocol %q was agreed on, not %q", s.NegotiatedProtocol, Join)
			}
			return t.verify(s.PeerCertificates, clk.Now())
		},
	}
}

// verify finds the token's authority in the chain that a server showed, and
// holds the server's certificate against it.
func (t Token) verify(chain []*x509.Certificate, now time.Time) error {
	for _, c := range chain {
		if FingerprintOf(c) != t.Authority {
			continue
		}
		ca, cluster, err := parseAuthority(c.Raw)
		if err != nil {
			return err
		}
		trusted := x509.NewCertPool()
		trusted.AddCert(ca)
		if err := verifyChain(chain, trusted, now); err != nil {
			return err
		}
		who, err := IdentityOf(chain[0])
		if err != nil {
			return err
		}
		if who.Role != Control || who.Cluster != t.Cluster || cluster != t.Cluster {
			return refused("%s of cluster %s answered where a control node of %s was expected", who, who.Cluster, t.Cluster)
		}
		return nil
	}
	return refused("the server is not of the cluster that the join token is for")
}

func refused(format string, args ...any) error {
	return errs.Errorf("pki.refused", errs.Unauthorized, format, args...)
}
