package command

import (
	"fmt"
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// RoleUpdate changes a role: only the fields that are given (Identity v3,
// "Update role").
//
// Rules: the actor is an administrator; the role is there and not one that
// policy knows by name; the name is well-formed and free. Nobody's rights
// change, so no epoch rises.
type RoleUpdate struct {
	ID          model.RoleID `json:"id"`
	Name        *string      `json:"name,omitempty"`
	Description *string      `json:"description,omitempty"`
}

// Kind implements Command.
func (*RoleUpdate) Kind() string { return "role.update/1" }

// PolicyRole tells whether policy knows a role by its name: it stays as it is.
func PolicyRole(name string) bool {
	return slices.Contains([]string{"admin", "member", "reader"}, name)
}

// Apply implements Command.
func (c *RoleUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "role.update"
	r, err := changeRole(tx, m.By, op, "update", c.ID)
	if err != nil {
		return nil, err
	}
	set(&r.Name, c.Name)
	set(&r.Description, c.Description)
	if err := checkRole(tx, op, r); err != nil {
		return nil, err
	}
	tx.PutRole(r)
	return []string{string(c.ID)}, nil
}

// changeRole gives a copy of a role that an administrator changes or removes.
func changeRole(tx *state.Tx, by By, op, verb string, id model.RoleID) (*model.Role, error) {
	if err := onlyAdmin(op, by); err != nil {
		return nil, err
	}
	r := tx.Role(id)
	if r == nil {
		return nil, refuse(op, errs.NotFound, "Could not find role: %s.", id)
	}
	if PolicyRole(r.Name) {
		return nil, refuse(op, errs.Forbidden, "Unable to %s immutable role resource: `%s`. Policy knows it by its name.", verb, id)
	}
	return r.Clone(), nil
}

// checkRole checks a role's texts, and that its name is free.
func checkRole(tx *state.Tx, op string, r *model.Role) error {
	if err := invalid(op, model.CheckName("name", r.Name)); err != nil {
		return err
	}
	if err := invalid(op, model.CheckText("description", r.Description, maxDescription)); err != nil {
		return err
	}
	if other := tx.RoleNamed(r.Name); other != nil && other.ID != r.ID {
		return refuse(op, errs.Conflict, "Conflict occurred attempting to store role - Duplicate entry found with name %s.", r.Name)
	}
	return nil
}

func exampleRoleUpdate() *RoleUpdate {
	name := "host operator"
	return &RoleUpdate{ID: "000000000000000000000000000000c4", Name: &name}
}

func workRoleUpdate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	r, haveRole := pick(g, g.View().Roles())
	if !ok || !haveRole {
		return nil, by, false
	}
	name := fmt.Sprintf("role-%d", g.Intn(20))
	return &RoleUpdate{ID: r.ID, Name: &name}, by, true
}
