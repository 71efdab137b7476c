package pki

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// Credentials are what a node proves itself with: its key, its certificate and
// that of the authority. They may be swapped for newer ones while they are in
// use; each handshake uses those of its moment. Safe for concurrent use.
type Credentials struct{ now atomic.Pointer[material] }

// material is one set of credentials; it never changes.
type material struct {
	key      crypto.Signer
	cert, ca *x509.Certificate
	who      Identity
	trusted  *x509.CertPool // the authority alone
}

// NewCredentials puts credentials together from a key and the certificates, DER.
// errs.Invalid: they do not belong together. Whether the certificate is still
// good is not looked at: see Period.
func NewCredentials(key crypto.Signer, certificate, authority []byte) (*Credentials, error) {
	const op = "pki.newCredentials"
	ca, cluster, err := parseAuthority(authority)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, errs.E(op, errs.Invalid, "the node's certificate is damaged", err)
	}
	who, err := IdentityOf(cert)
	if err != nil {
		return nil, errs.E(op, errs.Invalid, "the node's certificate says not who the node is", err)
	}
	if err := cert.CheckSignatureFrom(ca); err != nil || who.Cluster != cluster {
		return nil, errs.E(op, errs.Invalid, "the node's certificate is not from this authority", err)
	}
	own, err := KeyFingerprint(key.Public())
	if err != nil {
		return nil, err
	}
	if own != FingerprintOf(cert) {
		return nil, errs.Errorf(op, errs.Invalid, "the certificate is not for this node's key")
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(ca)
	c := &Credentials{}
	c.now.Store(&material{key: key, cert: cert, ca: ca, who: who, trusted: trusted})
	return c, nil
}

// Swap puts newer credentials in the place of these. errs.Conflict: they are
// another node's, or another authority's.
func (c *Credentials) Swap(newer *Credentials) error {
	was, is := c.now.Load(), newer.now.Load()
	if was.who != is.who || !bytes.Equal(was.ca.Raw, is.ca.Raw) {
		return errs.Errorf("pki.swap", errs.Conflict, "the credentials of %s cannot take the place of those of %s", is.who, was.who)
	}
	c.now.Store(is)
	return nil
}

// Identity is who the node is.
func (c *Credentials) Identity() Identity { return c.now.Load().who }

// Authority is the certificate of the cluster's authority.
func (c *Credentials) Authority() *x509.Certificate { return c.now.Load().ca }

// Certificate is the node's own.
func (c *Credentials) Certificate() *x509.Certificate { return c.now.Load().cert }

// Period is from when until when the certificate is good.
func (c *Credentials) Period() (from, until time.Time) {
	m := c.now.Load()
	return m.cert.NotBefore, m.cert.NotAfter
}

// tls is the set as the library wants it: the authority's certificate goes
// along, for nodes that know only its fingerprint.
func (m *material) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{m.cert.Raw, m.ca.Raw}, PrivateKey: m.key, Leaf: m.cert}
}
