package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxRequest bounds a certificate request, in bytes; ours have some 300.
const maxRequest = 8 << 10

// NewKey makes the private key of a node: ECDSA P-256.
func NewKey() (crypto.Signer, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, errs.E("pki.newKey", errs.Internal, "", err)
	}
	return k, nil
}

// NewRequest asks for a certificate (PKCS 10, DER): it names who asks, and
// proves that the asker has the key.
func NewRequest(key crypto.Signer, who Identity) ([]byte, error) {
	if err := who.Check(); err != nil {
		return nil, err
	}
	t := &x509.CertificateRequest{Subject: pkix.Name{CommonName: who.Name}, URIs: []*url.URL{who.URI()}}
	der, err := x509.CreateCertificateRequest(rand.Reader, t, key)
	if err != nil {
		return nil, errs.E("pki.newRequest", errs.Internal, "", err)
	}
	return der, nil
}

// CheckRequest gives the public key of a request that asks for exactly want.
// errs.Invalid: it is damaged, not signed by its own key, or of a kind of key
// that is not taken; errs.Forbidden: it asks for something else.
func CheckRequest(csr []byte, want Identity) (crypto.PublicKey, error) {
	const op = "pki.checkRequest"
	if len(csr) > maxRequest {
		return nil, errs.Errorf(op, errs.Invalid, "a certificate request has at most %d bytes", maxRequest)
	}
	r, err := x509.ParseCertificateRequest(csr)
	if err != nil {
		return nil, errs.E(op, errs.Invalid, "the certificate request is damaged", err)
	}
	if err := checkKey(r.PublicKey); err != nil {
		return nil, err
	}
	if err := r.CheckSignature(); err != nil {
		return nil, errs.E(op, errs.Invalid, "the certificate request is not signed by its own key", err)
	}
	for _, e := range r.Extensions {
		if !e.Id.Equal(oidSAN) {
			return nil, errs.Errorf(op, errs.Forbidden, "the certificate request asks for the extension %v, which nobody gets", e.Id)
		}
	}
	uri, err := onlyName(r.Extensions)
	if err != nil {
		return nil, errs.E(op, errs.Forbidden, "the certificate request must name "+want.URI().String()+" and nothing else", err)
	}
	if uri != want.URI().String() || r.Subject.CommonName != want.Name {
		return nil, errs.Errorf(op, errs.Forbidden, "the certificate request is for %.200q with the name %.80q, not for %s with the name %s",
			uri, r.Subject.CommonName, want.URI(), want.Name)
	}
	return r.PublicKey, nil
}

// checkKey takes the kinds of keys that nodes have.
func checkKey(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return nil
		}
	case ed25519.PublicKey:
		return nil
	}
	return errs.Errorf("pki.checkKey", errs.Invalid, "a node's key is of the kind ECDSA P-256 or Ed25519, and this one is not")
}
