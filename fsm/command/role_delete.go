package command

import (
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// RoleDelete removes a role with its grants (Identity v3, "Delete role").
//
// Rules: the actor is an administrator; the role is there and not one that
// policy knows by name. The epochs of the users that had it rise; roles that
// implied it no longer do.
type RoleDelete struct {
	ID model.RoleID `json:"id"`
}

// Kind implements Command.
func (*RoleDelete) Kind() string { return "role.delete/1" }

// Apply implements Command.
func (c *RoleDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if _, err := changeRole(tx, m.By, "role.delete", "delete", c.ID); err != nil {
		return nil, err
	}
	for _, g := range collect(tx.Grants()) {
		if g.RoleID == c.ID {
			tx.DeleteGrant(*g)
			bumpUser(tx, g.UserID)
		}
	}
	for _, old := range collect(tx.Roles()) {
		if at := slices.Index(old.Implies, c.ID); at >= 0 {
			r := old.Clone()
			r.Implies = slices.Delete(r.Implies, at, at+1)
			tx.PutRole(r)
		}
	}
	tx.DeleteRole(c.ID)
	return []string{string(c.ID)}, nil
}

func exampleRoleDelete() *RoleDelete { return &RoleDelete{ID: "000000000000000000000000000000c4"} }

func workRoleDelete(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	r, haveRole := pick(g, g.View().Roles())
	if !ok || !haveRole {
		return nil, by, false
	}
	return &RoleDelete{ID: r.ID}, by, true
}
