package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// UserCreate makes a user (Identity v3, "Create user").
//
// Rules: the actor is an administrator; the id is new; the domain is there;
// the name is well-formed and free in the domain; a default project, if given,
// is there; further attributes are JSON, and within their bounds.
type UserCreate struct {
	ID       model.UserID   `json:"id"`
	DomainID model.DomainID `json:"domain_id"`
	Name     string         `json:"name"`
	Email    string         `json:"email,omitempty"`
	// PasswordHash is a PHC string; empty for a user that cannot log in by
	// password.
	PasswordHash   string          `json:"password_hash,omitempty"`
	DefaultProject model.ProjectID `json:"default_project,omitempty"`
	Disabled       bool            `json:"disabled,omitempty"`
	// Extra are further attributes, as in model.User.
	Extra map[string]string `json:"extra,omitempty"`
}

// Kind implements Command.
func (*UserCreate) Kind() string { return "user.create/1" }

// maxPasswordHash bounds a PHC string, in bytes.
const maxPasswordHash = 512

// Apply implements Command.
func (c *UserCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "user.create"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if err := newHexID(op, string(c.ID), tx.User(c.ID) != nil); err != nil {
		return nil, err
	}
	u := &model.User{ID: c.ID, DomainID: c.DomainID, Name: c.Name, Email: c.Email, Disabled: c.Disabled,
		PasswordHash: c.PasswordHash, DefaultProject: c.DefaultProject, Extra: extended(nil, c.Extra), Epoch: 1, CreatedAt: m.At}
	if err := checkUser(tx, u); err != nil {
		return nil, err
	}
	tx.PutUser(u)
	return []string{string(c.ID)}, nil
}

// checkUser checks a user's texts, its domain and default project, and that
// its name is free.
func checkUser(tx *state.Tx, u *model.User) error {
	const op = "user.check"
	if tx.Domain(u.DomainID) == nil {
		return refuse(op, errs.NotFound, "Could not find domain: %s.", u.DomainID)
	}
	if err := invalid(op, model.CheckName("name", u.Name)); err != nil {
		return err
	}
	if err := invalid(op, model.CheckText("email", u.Email, model.MaxName)); err != nil {
		return err
	}
	if err := invalid(op, checkExtra(u.Extra)); err != nil {
		return err
	}
	if len(u.PasswordHash) > maxPasswordHash {
		return refuse(op, errs.Invalid, "the password's hash has %d bytes; the limit is %d", len(u.PasswordHash), maxPasswordHash)
	}
	if u.DefaultProject != "" && tx.Project(u.DefaultProject) == nil {
		return refuse(op, errs.NotFound, "Could not find project: %s.", u.DefaultProject)
	}
	if other := tx.UserNamed(u.DomainID, u.Name); other != nil && other.ID != u.ID {
		return duplicate("user", u.Name, u.DomainID)
	}
	return nil
}

func exampleUserCreate() *UserCreate {
	return &UserCreate{ID: "000000000000000000000000000000b2", DomainID: "default", Name: "demo", Email: "demo@example.org",
		PasswordHash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA", DefaultProject: "000000000000000000000000000000a2",
		Extra: map[string]string{"description": `"for trying things out"`}}
}

func workUserCreate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	p, haveProject := pick(g, g.View().Projects())
	if !ok || !haveProject {
		return nil, by, false
	}
	return &UserCreate{ID: model.UserID(g.Hex()), DomainID: p.DomainID, Name: fmt.Sprintf("u-%d", g.Intn(50)), DefaultProject: p.ID, Extra: extraAtRandom(g)}, by, true
}
