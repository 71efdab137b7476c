package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// RoleCreate makes a role (Identity v3, "Create role"). It implies nothing.
//
// Rules: the actor is an administrator; the id is new; the name is well-formed
// and free.
type RoleCreate struct {
	ID          model.RoleID `json:"id"`
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
}

// Kind implements Command.
func (*RoleCreate) Kind() string { return "role.create/1" }

// Apply implements Command.
func (c *RoleCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "role.create"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if err := newHexID(op, string(c.ID), tx.Role(c.ID) != nil); err != nil {
		return nil, err
	}
	r := &model.Role{ID: c.ID, Name: c.Name, Description: c.Description}
	if err := checkRole(tx, op, r); err != nil {
		return nil, err
	}
	tx.PutRole(r)
	return []string{string(c.ID)}, nil
}

func exampleRoleCreate() *RoleCreate {
	return &RoleCreate{ID: "000000000000000000000000000000c4", Name: "operator", Description: "looks after hosts"}
}

func workRoleCreate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	return &RoleCreate{ID: model.RoleID(g.Hex()), Name: fmt.Sprintf("role-%d", g.Intn(20))}, by, ok
}
