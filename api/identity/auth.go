package identity

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// named refers to something by id, or by name in a domain.
type named struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain *struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"domain"`
}

// authRequest is the body of POST /v3/auth/tokens.
type authRequest struct {
	Auth struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password *struct {
				User struct {
					named
					Password *string `json:"password"`
				} `json:"user"`
			} `json:"password"`
			Token *struct {
				ID string `json:"id"`
			} `json:"token"`
		} `json:"identity"`
		Scope json.RawMessage `json:"scope"`
	} `json:"auth"`
}

// scope is what a token is asked for.
type scope struct {
	Project  *named          `json:"project"`
	Domain   json.RawMessage `json:"domain"`
	System   json.RawMessage `json:"system"`
	Unscoped json.RawMessage `json:"unscoped"`
}

func invalid(format string, args ...any) error {
	return errs.Errorf("identity.auth", errs.Invalid, format, args...)
}

// authenticate issues a token: POST /v3/auth/tokens.
func (d *Door) authenticate(c *rest.Call) (rest.Answer, error) {
	var in authRequest
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	tok, err := d.prove(c, &in)
	if err != nil {
		return rest.Answer{}, err
	}
	p, err := scopeOf(c.View, tok.User, in.Auth.Scope)
	if err != nil {
		return rest.Answer{}, err
	}
	if p != nil {
		tok.Project, tok.Bars = p.ID, p.Bars
	}
	own, err := auditID()
	if err != nil {
		return rest.Answer{}, err
	}
	if len(tok.Audit) > 0 {
		tok.Audit = []string{own, tok.Audit[len(tok.Audit)-1]}
	} else {
		tok.Audit = []string{own}
	}
	text, err := d.Tokens.issue(c.View, tok)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusCreated, d.render(c, tok, !c.Request.URL.Query().Has("nocatalog"))).With("X-Subject-Token", text), nil
}

// prove runs every method that the request names; all must succeed and name
// the same user. A token made from another one keeps its expiry and roots.
func (d *Door) prove(c *rest.Call, in *authRequest) (token, error) {
	id := in.Auth.Identity
	if len(id.Methods) == 0 {
		return token{}, invalid("identity: 'methods' is a required property.")
	}
	tok := token{Expires: c.Now.Add(d.Tokens.life).Unix(), issued: c.Now.Unix()}
	for _, method := range slices.Compact(slices.Sorted(slices.Values(id.Methods))) {
		var u *model.User
		var err error
		switch method {
		case "password":
			u, err = d.byPassword(c, in)
		case "token":
			u, err = d.byToken(c, in, &tok)
		default:
			return token{}, errs.Errorf("identity.auth", errs.Unauthorized, "Attempted to authenticate with an unsupported method.")
		}
		if err != nil {
			return token{}, err
		}
		if tok.User != "" && tok.User != u.ID {
			return token{}, unauthorized()
		}
		tok.User, tok.Proof = u.ID, proof(u)
		tok.Methods = append(tok.Methods, method)
	}
	slices.Sort(tok.Methods)
	tok.Methods = slices.Compact(tok.Methods)
	return tok, nil
}

func (d *Door) byPassword(c *rest.Call, in *authRequest) (*model.User, error) {
	p := in.Auth.Identity.Password
	if p == nil || p.User.Password == nil || p.User.ID == "" && p.User.Name == "" {
		return nil, invalid("password: 'user' with a name or id and a 'password' is required.")
	}
	if p.User.ID == "" && p.User.Domain == nil {
		return nil, invalid("password: a user's name needs its 'domain'.")
	}
	return d.proved(c, findUser(c.View, p.User.named), *p.User.Password)
}

// proved gives a user that may log in and whose password it is. Nobody (nil)
// takes as long as a wrong password.
func (d *Door) proved(c *rest.Call, u *model.User, password string) (*model.User, error) {
	hash := ""
	if u != nil {
		hash = u.PasswordHash
	}
	if !d.Passwords.Check(hash, password) || u.Disabled {
		return nil, unauthorized()
	}
	if dom := c.View.Domain(u.DomainID); dom == nil || dom.Disabled {
		return nil, unauthorized()
	}
	return u, nil
}

func (d *Door) byToken(c *rest.Call, in *authRequest, tok *token) (*model.User, error) {
	t := in.Auth.Identity.Token
	if t == nil || t.ID == "" {
		return nil, invalid("token: 'id' is a required property.")
	}
	old, err := d.Tokens.read(c.View, t.ID, c.Now)
	if err != nil {
		return nil, err
	}
	tok.Expires, tok.Audit = old.Expires, old.Audit
	tok.Methods = append(tok.Methods, old.Methods...)
	return c.View.User(old.User), nil
}

// domainOf resolves a reference's domain; empty if there is no such domain.
func domainOf(v state.View, n named) model.DomainID {
	if n.Domain == nil {
		return ""
	}
	if n.Domain.ID != "" {
		return model.DomainID(n.Domain.ID)
	}
	for d := range v.Domains() {
		if d.Name == n.Domain.Name {
			return d.ID
		}
	}
	return ""
}

func findUser(v state.View, n named) *model.User {
	if n.ID != "" {
		return v.User(model.UserID(n.ID))
	}
	return v.UserNamed(domainOf(v, n), n.Name)
}

func findProject(v state.View, n named) *model.Project {
	if n.ID != "" {
		return v.Project(model.ProjectID(n.ID))
	}
	return v.ProjectNamed(domainOf(v, n), n.Name)
}

// scopeOf finds the project that a token is for; nil for an unscoped one.
// Without a scope it is the user's default project, if it has a role there.
func scopeOf(v state.View, user model.UserID, raw json.RawMessage) (*model.Project, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		u := v.User(user)
		if p := v.Project(u.DefaultProject); p != nil && !p.Disabled && len(rolesOn(v, user, p.ID)) > 0 {
			return p, nil
		}
		return nil, nil
	}
	if bytes.Equal(raw, []byte(`"unscoped"`)) {
		return nil, nil
	}
	var s scope
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, invalid("scope: it must be an object or \"unscoped\".")
	}
	switch {
	case s.Project != nil:
		p := findProject(v, *s.Project)
		if p == nil || p.Disabled || len(rolesOn(v, user, p.ID)) == 0 {
			return nil, unauthorized()
		}
		return p, nil
	case s.Domain != nil, s.System != nil:
		return nil, errs.Errorf("identity.auth", errs.Unauthorized, "Nobody has a role on a domain or on the system here: ask for a project.")
	case s.Unscoped != nil:
		return nil, nil
	}
	return nil, invalid("scope: 'project' or 'unscoped' is required.")
}

// subject reads the token that a request asks about.
func (d *Door) subject(c *rest.Call) (token, string, error) {
	text := c.Request.Header.Get("X-Subject-Token")
	if text == "" {
		return token{}, "", invalid("The header X-Subject-Token is required.")
	}
	tok, err := d.Tokens.read(c.View, text, c.Now)
	if err != nil {
		return token{}, "", notFound("token", "it is not valid")
	}
	own := c.Caller.Token.(token)
	if tok.User != own.User && !c.Caller.Admin() && !c.Caller.Has("service") {
		return token{}, "", errs.Errorf("identity.token", errs.Forbidden, "You are not authorized to perform the requested action: identity:validate_token.")
	}
	return tok, text, nil
}

func (d *Door) validate(c *rest.Call) (rest.Answer, error) {
	tok, text, err := d.subject(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, d.render(c, tok, !c.Request.URL.Query().Has("nocatalog"))).With("X-Subject-Token", text), nil
}

func (d *Door) revoke(c *rest.Call) (rest.Answer, error) {
	tok, _, err := d.subject(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.TokenRevoke{AuditID: tok.Audit[0], ExpiresAt: tok.Expires * 1e9}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
