package pki

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const (
	// tokenPrefix marks a join token's text, and its form.
	tokenPrefix = "kvorum1."
	// MaxTokenAddresses is how many control nodes a token names at most.
	MaxTokenAddresses = 5
	maxAddress        = 255
	// maxToken bounds a token's text, in characters.
	maxToken = 2048

	uuidBytes   = 16
	secretBytes = 32
	checkBytes  = 4
	tokenFixed  = uuidBytes + secretBytes + sha256.Size + uuidBytes
)

// Token is what a person carries to a new node, so that it may join once: the
// right to join, and how to know the cluster.
type Token struct {
	// ID names the token; it is no secret.
	ID string
	// Secret is 256 bits of chance. The state knows its hash alone.
	Secret [secretBytes]byte
	// Authority names the cluster's authority: it is how the new node knows
	// that it talks to the right cluster.
	Authority Fingerprint
	// Cluster is the cluster's UUID.
	Cluster string
	// Addresses are internal ports of control nodes, host:port; 1 to
	// MaxTokenAddresses.
	Addresses []string
}

// NewToken makes a token with an id and a secret of chance. errs.Invalid: the
// addresses cannot be used.
func NewToken(cluster string, authority Fingerprint, addresses []string) (Token, error) {
	const op = "pki.newToken"
	t := Token{Authority: authority, Cluster: cluster, Addresses: addresses}
	var id [uuidBytes]byte
	if _, err := rand.Read(id[:]); err != nil {
		return Token{}, errs.E(op, errs.Internal, "", err)
	}
	if _, err := rand.Read(t.Secret[:]); err != nil {
		return Token{}, errs.E(op, errs.Internal, "", err)
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a UUID of chance (RFC 9562, 5.4)
	t.ID = formatUUID(id[:])
	return t, t.check()
}

// SecretHash is what the state knows of the secret.
func (t Token) SecretHash() []byte { return HashSecret(t.Secret[:]) }

// HashSecret hashes a token's secret. It has 256 bits of chance, which nobody
// can try out: no slow hash is needed.
func HashSecret(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}

// String is for logs: it does not show the secret.
func (t Token) String() string { return "join token " + t.ID }

// GoString is String: the secret shows nowhere by accident.
func (t Token) GoString() string { return t.String() }

func (t Token) check() error {
	const op = "pki.token"
	if !model.IsUUID(t.ID) || !model.IsUUID(t.Cluster) {
		return errs.Errorf(op, errs.Invalid, "the token's id and its cluster's must be UUIDs")
	}
	if n := len(t.Addresses); n == 0 || n > MaxTokenAddresses {
		return errs.Errorf(op, errs.Invalid, "a join token names 1 to %d control nodes, not %d", MaxTokenAddresses, n)
	}
	for _, a := range t.Addresses {
		host, port, err := net.SplitHostPort(a)
		n, perr := strconv.ParseUint(port, 10, 16)
		if err != nil || perr != nil || host == "" || n == 0 || len(a) > maxAddress || !printable(a) {
			return errs.Errorf(op, errs.Invalid, "%.80q is not the address of a control node, host:port", a)
		}
	}
	return nil
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Text is the token as it is carried, on one line. It shows the secret.
func (t Token) Text() (string, error) {
	if err := t.check(); err != nil {
		return "", err
	}
	b := append(parseUUID(t.ID), t.Secret[:]...)
	b = append(b, t.Authority[:]...)
	b = append(b, parseUUID(t.Cluster)...)
	for _, a := range t.Addresses {
		b = append(append(b, byte(len(a))), a...)
	}
	sum := sha256.Sum256(b)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:checkBytes]...)), nil
}

// ParseToken reads a token's text; spaces and line breaks around it are no
// matter. errs.Invalid: it is none, or was damaged on its way.
func ParseToken(text string) (Token, error) {
	const op = "pki.parseToken"
	if len(text) > maxToken {
		return Token{}, errs.Errorf(op, errs.Invalid, "this is no join token: it has over %d characters", maxToken)
	}
	body, ok := strings.CutPrefix(strings.TrimSpace(text), tokenPrefix)
	if !ok {
		return Token{}, errs.Errorf(op, errs.Invalid, "this is no join token: it does not begin with %s", tokenPrefix)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || len(b) < tokenFixed+checkBytes {
		return Token{}, errs.Errorf(op, errs.Invalid, "the join token is damaged: copy it again, whole")
	}
	b, check := b[:len(b)-checkBytes], b[len(b)-checkBytes:]
	if sum := sha256.Sum256(b); string(sum[:checkBytes]) != string(check) {
		return Token{}, errs.Errorf(op, errs.Invalid, "the join token is damaged: copy it again, whole")
	}
	var t Token
	cut := func(n int) (part []byte) { part, b = b[:n], b[n:]; return part }
	t.ID = formatUUID(cut(uuidBytes))
	copy(t.Secret[:], cut(secretBytes))
	copy(t.Authority[:], cut(len(t.Authority)))
	t.Cluster = formatUUID(cut(uuidBytes))
	for len(b) > 0 {
		n := int(cut(1)[0])
		if n > len(b) || len(t.Addresses) == MaxTokenAddresses {
			return Token{}, errs.Errorf(op, errs.Invalid, "the join token's addresses cannot be read")
		}
		t.Addresses = append(t.Addresses, string(cut(n)))
	}
	return t, t.check()
}

func formatUUID(b []byte) string {
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// parseUUID is formatUUID's inverse, for what is known to be a UUID.
func parseUUID(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(b) != uuidBytes {
		return make([]byte, uuidBytes)
	}
	return b
}
