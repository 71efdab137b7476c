package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"

	"github.com/kvorum/kvorum/internal/errs"
)

// argonCost says how dear a password hash is; RFC 9106 section 4, its second
// recommendation with less memory, so that a login burst stays bounded.
type argonCost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

var defaultCost = argonCost{memory: 19 * 1024, passes: 2, threads: 1}

// maxPassword bounds a password, in bytes.
const maxPassword = 1024

// Passwords hashes and checks passwords, a bounded number at a time.
type Passwords struct {
	slots chan struct{}
	dummy string
}

// NewPasswords makes one that works on at most n passwords at once.
func NewPasswords(n int) (*Passwords, error) {
	p := &Passwords{slots: make(chan struct{}, n)}
	var err error
	p.dummy, err = p.Hash("no user has this password")
	return p, err
}

// Hash makes the PHC string of a password.
func (p *Passwords) Hash(password string) (string, error) {
	if len(password) > maxPassword {
		return "", errs.Errorf("identity.password", errs.Invalid, "A password has at most %d bytes.", maxPassword)
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", errs.E("identity.password", errs.Internal, "", err)
	}
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	c := defaultCost
	sum := argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, 32)
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads, enc(salt), enc(sum)), nil
}

// Check tells whether hash is password's. An empty hash (there is no such
// user) takes as long as a wrong password.
func (p *Passwords) Check(hash, password string) bool {
	known := hash != ""
	if !known {
		hash = p.dummy
	}
	var version int
	var c argonCost
	var rest string
	n, err := fmt.Sscanf(hash, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &c.memory, &c.passes, &c.threads, &rest)
	if err != nil || n != 5 || version != argon2.Version || len(password) > maxPassword {
		return false
	}
	salt, sum, ok := cutSalt(rest)
	if !ok {
		return false
	}
	p.slots <- struct{}{}
	defer func() { <-p.slots }()
	got := argon2.IDKey([]byte(password), salt, c.passes, c.memory, c.threads, uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1 && known
}

func cutSalt(s string) (salt, sum []byte, ok bool) {
	for i := range s {
		if s[i] != '$' {
			continue
		}
		salt, err1 := base64.RawStdEncoding.DecodeString(s[:i])
		sum, err2 := base64.RawStdEncoding.DecodeString(s[i+1:])
		return salt, sum, err1 == nil && err2 == nil && len(sum) > 0
	}
	return nil, nil, false
}
