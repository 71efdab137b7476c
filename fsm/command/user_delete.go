package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// UserDelete removes a user with its grants and key pairs. What it made in
// projects stays: that belongs to the projects.
//
// Rules: the actor is an administrator; the user is there.
type UserDelete struct {
	ID model.UserID `json:"id"`
}

// Kind implements Command.
func (*UserDelete) Kind() string { return "user.delete/1" }

// Apply implements Command.
func (c *UserDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := onlyAdmin("user.delete", m.By); err != nil {
		return nil, err
	}
	u, err := findUser(tx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, g := range collect(tx.GrantsOf(u.ID)) {
		tx.DeleteGrant(*g)
	}
	for _, k := range collect(tx.KeyPairsOf(u.ID)) {
		tx.DeleteKeyPair(u.ID, k.Name)
	}
	tx.DeleteUser(u.ID)
	return []string{string(u.ID)}, nil
}

func exampleUserDelete() *UserDelete {
	return &UserDelete{ID: "000000000000000000000000000000b2"}
}

func workUserDelete(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	u, haveUser := pick(g, g.View().Users())
	if !ok || !haveUser || reserved(u.Name) {
		return nil, by, false
	}
	return &UserDelete{ID: u.ID}, by, true
}
