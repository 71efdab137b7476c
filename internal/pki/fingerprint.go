package pki

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"github.com/kvorum/kvorum/internal/errs"
)

// Fingerprint names a public key: the SHA-256 of its SubjectPublicKeyInfo. A
// certificate is named by its key's.
type Fingerprint [sha256.Size]byte

// String gives 64 hex digits.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// FingerprintOf names a certificate by its public key.
func FingerprintOf(c *x509.Certificate) Fingerprint { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// KeyFingerprint names a public key. errs.Invalid: it is of a kind that has no
// encoding.
func KeyFingerprint(public crypto.PublicKey) (Fingerprint, error) {
	b, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Fingerprint{}, errs.E("pki.fingerprint", errs.Invalid, "the public key is of an unknown kind", err)
	}
	return sha256.Sum256(b), nil
}

// SerialOf is a certificate's serial number in 32 hex digits.
func SerialOf(c *x509.Certificate) string { return fmt.Sprintf("%032x", c.SerialNumber) }

// AuthorityFingerprint is the fingerprint of an authority's certificate, DER.
// errs.Invalid: it is not one.
func AuthorityFingerprint(der []byte) (Fingerprint, error) {
	c, _, err := parseAuthority(der)
	if err != nil {
		return Fingerprint{}, err
	}
	return FingerprintOf(c), nil
}
