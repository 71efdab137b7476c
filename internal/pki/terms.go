package pki

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// DefaultLife is how long a node's certificate is good for: a year.
	DefaultLife = 365 * 24 * time.Hour
	// authorityLife is the same for the authority's own: ten years.
	authorityLife = 10 * 365 * 24 * time.Hour
	// backdate lets a certificate begin a little before it was made, because
	// the clocks of the nodes are not equal.
	backdate = 5 * time.Minute

	serialBytes = 16
)

// Terms are what a certificate says besides who it is for.
type Terms struct {
	// Serial is 32 hex digits.
	Serial string
	// NotBefore and NotAfter are whole seconds.
	NotBefore, NotAfter time.Time
}

// NewTerms are those of a new certificate: a serial number of 128 bits of
// chance, and a life that begins a little before now.
func NewTerms(now time.Time, life time.Duration) (Terms, error) {
	b := make([]byte, serialBytes)
	if _, err := rand.Read(b); err != nil {
		return Terms{}, errs.E("pki.terms", errs.Internal, "", err)
	}
	return termsOf(b, now, life), nil
}

// JoinTerms are those of the certificate that a node with this key gets for a
// join token. They follow from their arguments, so that a repeated request, at
// whichever control node, is for the very same certificate. The serial number
// cannot be told without the token's secret.
func JoinTerms(secretHash []byte, key Fingerprint, created time.Time, life time.Duration) Terms {
	mac := hmac.New(sha256.New, secretHash)
	mac.Write([]byte("kvorum certificate serial"))
	mac.Write(key[:])
	return termsOf(mac.Sum(nil)[:serialBytes], created, life)
}

func termsOf(serial []byte, from time.Time, life time.Duration) Terms {
	return Terms{Serial: hex.EncodeToString(serial), NotBefore: from.Add(-backdate).UTC().Truncate(time.Second),
		NotAfter: from.Add(life).UTC().Truncate(time.Second)}
}

// number is the serial number; errs.Invalid if it is none.
func (t Terms) number() (*big.Int, error) {
	b, err := hex.DecodeString(t.Serial)
	n := new(big.Int).SetBytes(b)
	if err != nil || len(b) != serialBytes || n.Sign() == 0 {
		return nil, errs.Errorf("pki.terms", errs.Invalid, "a serial number has 32 hex digits, not all of them 0; %.80q has not", t.Serial)
	}
	return n, nil
}
