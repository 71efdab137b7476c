package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net/url"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Authority signs the certificates of one cluster. It is safe for concurrent
// use.
type Authority struct {
	cluster string
	cert    *x509.Certificate
	key     *ecdsa.PrivateKey
}

// NewAuthority makes the authority of a new cluster: an ECDSA P-256 key, and a
// certificate of its own for ten years.
func NewAuthority(cluster string, now time.Time) (*Authority, error) {
	const op = "pki.newAuthority"
	if !model.IsUUID(cluster) {
		return nil, errs.Errorf(op, errs.Invalid, "a cluster's id is a UUID; %.80q is not", cluster)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	terms, err := NewTerms(now, authorityLife)
	if err != nil {
		return nil, err
	}
	serial, err := terms.number()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "kvorum cluster " + cluster},
		URIs: []*url.URL{authorityURI(cluster)}, NotBefore: terms.NotBefore, NotAfter: terms.NotAfter,
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	return &Authority{cluster: cluster, cert: cert, key: key}, nil
}

func authorityURI(cluster string) *url.URL { return &url.URL{Scheme: scheme, Host: cluster} }

// LoadAuthority brings back an authority from its certificate, DER or PEM, and
// its key as Key gave it. errs.Invalid: they are damaged or do not belong
// together.
func LoadAuthority(certificate, key []byte) (*Authority, error) {
	const op = "pki.loadAuthority"
	if block, _ := pem.Decode(certificate); block != nil {
		certificate = block.Bytes
	}
	cert, cluster, err := parseAuthority(certificate)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, errs.E(op, errs.Invalid, "the authority's key is damaged", err)
	}
	k, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !k.PublicKey.Equal(cert.PublicKey) {
		return nil, errs.Errorf(op, errs.Invalid, "the key is not that of the authority's certificate")
	}
	return &Authority{cluster: cluster, cert: cert, key: k}, nil
}

// parseAuthority reads an authority's certificate and makes sure that it was
// made by whoever has its key: it is signed by itself.
func parseAuthority(der []byte) (*x509.Certificate, string, error) {
	const op = "pki.parseAuthority"
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, "", errs.E(op, errs.Invalid, "the authority's certificate is damaged", err)
	}
	if !c.IsCA || c.CheckSignatureFrom(c) != nil {
		return nil, "", errs.Errorf(op, errs.Invalid, "the certificate is not an authority's own")
	}
	if len(c.URIs) != 1 || !model.IsUUID(c.URIs[0].Host) || c.URIs[0].String() != authorityURI(c.URIs[0].Host).String() {
		return nil, "", errs.Errorf(op, errs.Invalid, "the certificate is not that of a cluster's authority")
	}
	return c, c.URIs[0].Host, nil
}

// Cluster is the UUID of the cluster that it signs for.
func (a *Authority) Cluster() string { return a.cluster }

// Certificate is the authority's own.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// Fingerprint names the authority; join tokens carry it.
func (a *Authority) Fingerprint() Fingerprint { return FingerprintOf(a.cert) }

// Key is the private key (PKCS 8, DER), to be sealed and kept.
func (a *Authority) Key() ([]byte, error) {
	b, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, errs.E("pki.key", errs.Internal, "", err)
	}
	return b, nil
}

// Sign is Issue with new terms: a serial number of chance, good from now on for
// life.
func (a *Authority) Sign(csr []byte, want Identity, now time.Time, life time.Duration) (*x509.Certificate, error) {
	terms, err := NewTerms(now, life)
	if err != nil {
		return nil, err
	}
	return a.Issue(csr, want, terms)
}

// Issue gives want a certificate for the key of a request (PKCS 10, DER). Only
// the key is taken from it. errs.Invalid: the request is damaged, or its key
// of a kind that is not taken; errs.Forbidden: it asks for anything but want.
// A certificate never outlives its authority.
func (a *Authority) Issue(csr []byte, want Identity, terms Terms) (*x509.Certificate, error) {
	const op = "pki.issue"
	if err := want.Check(); err != nil {
		return nil, err
	}
	if want.Cluster != a.cluster {
		return nil, errs.Errorf(op, errs.Invalid, "the authority is that of cluster %s, not of %s", a.cluster, want.Cluster)
	}
	public, err := CheckRequest(csr, want)
	if err != nil {
		return nil, err
	}
	serial, err := terms.number()
	if err != nil {
		return nil, err
	}
	if a.cert.NotAfter.Before(terms.NotAfter) {
		terms.NotAfter = a.cert.NotAfter
	}
	if !terms.NotBefore.Before(terms.NotAfter) {
		return nil, errs.Errorf(op, errs.Invalid, "a certificate from %v to %v has no life", terms.NotBefore, terms.NotAfter)
	}
	// Agents listen, too, and control nodes call each other: every member is a
	// server and a client.
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: want.Name}, URIs: []*url.URL{want.URI()},
		NotBefore: terms.NotBefore, NotAfter: terms.NotAfter, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, public, a.key)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	return c, nil
}
