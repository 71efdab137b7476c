package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Opener opens what was sealed under the cluster's data key.
type Opener interface {
	Open(what string, sealed []byte) ([]byte, error)
}

// SealedTokenKey is the word that token keys are sealed with.
const SealedTokenKey = "token_key"

// token is what a token says. It is encoded as JSON inside Fernet.
type token struct {
	User    model.UserID    `json:"u"`
	Project model.ProjectID `json:"p,omitempty"`
	// Bars is how often the project had been disabled.
	Bars    uint64   `json:"b,omitempty"`
	Methods []string `json:"m"`
	// Expires is in Unix seconds.
	Expires int64 `json:"e"`
	// Audit has the token's own id and, if it was made from another one, the
	// first one's.
	Audit []string `json:"a"`
	// Proof changes with the user's password, and when the user is disabled.
	Proof []byte `json:"h"`

	issued int64
}

// Tokens issues and validates tokens.
type Tokens struct {
	opener Opener
	life   time.Duration

	mu   sync.Mutex
	keys map[uint64][]byte
}

// NewTokens makes tokens that live for life.
func NewTokens(o Opener, life time.Duration) *Tokens {
	return &Tokens{opener: o, life: life, keys: map[uint64][]byte{}}
}

// key opens a token key once and remembers it.
func (t *Tokens) key(k *model.TokenKey) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b, ok := t.keys[k.Num]; ok {
		return b, nil
	}
	b, err := t.opener.Open(SealedTokenKey, k.Sealed)
	if err != nil {
		return nil, err
	}
	if len(b) != FernetKeyBytes {
		return nil, errs.Errorf("identity.key", errs.Internal, "")
	}
	t.keys[k.Num] = b
	return b, nil
}

// issue makes the text of a token.
func (t *Tokens) issue(v state.View, tok token) (string, error) {
	const op = "identity.issue"
	var primary *model.TokenKey
	for k := range v.TokenKeys() {
		primary = k
	}
	if primary == nil {
		return "", errs.Errorf(op, errs.Unavailable, "The cloud is not initialized yet.")
	}
	key, err := t.key(primary)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(tok)
	if err != nil {
		return "", errs.E(op, errs.Internal, "", err)
	}
	text, err := fernetSeal(key, payload, tok.issued)
	if err != nil {
		return "", errs.E(op, errs.Internal, "", err)
	}
	return text, nil
}

// read validates a token's text against the state: signature, life,
// revocation, and that its user, password and project are still what they
// were, and were not disabled meanwhile. errs.Unauthorized if not.
func (t *Tokens) read(v state.View, text string, now time.Time) (token, error) {
	tok, ok := t.open(v, text)
	if !ok || now.Unix() >= tok.Expires || tok.issued > now.Add(2*time.Minute).Unix() || revoked(v, tok) {
		return token{}, unauthorized()
	}
	u := v.User(tok.User)
	if u == nil || u.Disabled || !slices.Equal(tok.Proof, proof(u)) {
		return token{}, unauthorized()
	}
	if d := v.Domain(u.DomainID); d == nil || d.Disabled {
		return token{}, unauthorized()
	}
	if tok.Project != "" {
		p := v.Project(tok.Project)
		if p == nil || p.Disabled || p.Bars != tok.Bars || len(rolesOn(v, u.ID, p.ID)) == 0 {
			return token{}, unauthorized()
		}
	}
	return tok, nil
}

func (t *Tokens) open(v state.View, text string) (tok token, ok bool) {
	for k := range v.TokenKeys() {
		key, err := t.key(k)
		if err != nil {
			continue
		}
		payload, at, err := fernetOpen(key, text)
		if err == nil && json.Unmarshal(payload, &tok) == nil && len(tok.Audit) > 0 {
			tok.issued = at
			return tok, true
		}
	}
	return token{}, false
}

func revoked(v state.View, tok token) bool {
	for _, id := range tok.Audit {
		if v.Revocation(id) != nil {
			return true
		}
	}
	return false
}

// proof ties a token to the password that its user had, and to the time since
// the user was disabled last.
func proof(u *model.User) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", u.Bars, u.PasswordHash))
	return sum[:8]
}

func unauthorized() error {
	return errs.Errorf("identity.token", errs.Unauthorized, "The request you have made requires authentication.")
}

// auditID makes a new one: 16 random bytes, 22 characters.
func auditID() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", errs.E("identity.audit", errs.Internal, "", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Authenticate implements rest.Authenticator.
func (t *Tokens) Authenticate(v state.View, text string, c *rest.Call) (rest.Caller, error) {
	if text == "" {
		return rest.Caller{}, unauthorized()
	}
	tok, err := t.read(v, text, c.Now)
	if err != nil {
		return rest.Caller{}, err
	}
	return caller(v, tok), nil
}

func caller(v state.View, tok token) rest.Caller {
	c := rest.Caller{User: v.User(tok.User), AuditIDs: tok.Audit, Token: tok}
	if tok.Project != "" {
		c.Project = v.Project(tok.Project)
		for _, r := range rolesOn(v, tok.User, tok.Project) {
			c.Roles = append(c.Roles, r.Name)
		}
	}
	return c
}

// rolesOn gives the roles of a user on a project, implied ones included,
// ordered by name.
func rolesOn(v state.View, u model.UserID, p model.ProjectID) []*model.Role {
	found := map[model.RoleID]*model.Role{}
	var add func(id model.RoleID)
	add = func(id model.RoleID) {
		if r := v.Role(id); r != nil && found[id] == nil {
			found[id] = r
			for _, implied := range r.Implies {
				add(implied)
			}
		}
	}
	for g := range v.GrantsOf(u) {
		if g.ProjectID == p {
			add(g.RoleID)
		}
	}
	var all []*model.Role
	for _, r := range found {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *model.Role) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}
