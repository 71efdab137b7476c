package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// UserUpdate changes a user: only the fields that are given.
//
// Rules: the actor is an administrator, or the user itself when nothing but
// the password changes; the user is there; a new name is free in its domain; a
// default project, if given, is there; further attributes are JSON, and within
// their bounds. The user's epoch rises; disabling ends its tokens for good.
type UserUpdate struct {
	ID           model.UserID `json:"id"`
	Name         *string      `json:"name,omitempty"`
	Email        *string      `json:"email,omitempty"`
	PasswordHash *string      `json:"password_hash,omitempty"`
	// DefaultProject is cleared by an empty id.
	DefaultProject *model.ProjectID `json:"default_project,omitempty"`
	Disabled       *bool            `json:"disabled,omitempty"`
	// Extra are further attributes to set, or to take away where the text is
	// empty.
	Extra map[string]string `json:"extra,omitempty"`
}

// Kind implements Command.
func (*UserUpdate) Kind() string { return "user.update/1" }

// Apply implements Command.
func (c *UserUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	self := m.By.UserID != "" && m.By.UserID == c.ID
	onlyPassword := c.Name == nil && c.Email == nil && c.DefaultProject == nil && c.Disabled == nil && len(c.Extra) == 0
	if !self || !onlyPassword {
		if err := onlyAdmin("user.update", m.By); err != nil {
			return nil, err
		}
	}
	old, err := findUser(tx, c.ID)
	if err != nil {
		return nil, err
	}
	u := old.Clone()
	set(&u.Name, c.Name)
	set(&u.Email, c.Email)
	set(&u.PasswordHash, c.PasswordHash)
	set(&u.DefaultProject, c.DefaultProject)
	set(&u.Disabled, c.Disabled)
	u.Extra = extended(u.Extra, c.Extra)
	if u.Disabled && !old.Disabled {
		u.Bars++
	}
	u.Epoch++
	if err := checkUser(tx, u); err != nil {
		return nil, err
	}
	tx.PutUser(u)
	return []string{string(u.ID)}, nil
}

func exampleUserUpdate() *UserUpdate {
	email, yes := "demo@example.com", true
	return &UserUpdate{ID: "000000000000000000000000000000b2", Email: &email, Disabled: &yes, Extra: map[string]string{"description": "", "colour": `["red", 7]`}}
}

func workUserUpdate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	u, haveUser := pick(g, g.View().Users())
	if !ok || !haveUser || reserved(u.Name) {
		return nil, by, false
	}
	if g.Intn(3) == 0 {
		hash := "$argon2id$" + g.Hex()
		return &UserUpdate{ID: u.ID, PasswordHash: &hash}, asUser(g.View(), u.ID, u.DefaultProject), true
	}
	name, disabled := fmt.Sprintf("u-%d", g.Intn(50)), u.Disabled != (g.Intn(8) == 0)
	return &UserUpdate{ID: u.ID, Name: &name, Disabled: &disabled, Extra: extraAtRandom(g)}, by, true
}
