package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// GrantDelete takes a role from a user (Identity v3, "Unassign role from user
// on project").
//
// Rules: the actor is an administrator; the grant is there. The user's epoch
// rises.
type GrantDelete struct {
	UserID    model.UserID    `json:"user_id"`
	ProjectID model.ProjectID `json:"project_id"`
	RoleID    model.RoleID    `json:"role_id"`
}

// Kind implements Command.
func (*GrantDelete) Kind() string { return "grant.delete/1" }

// Apply implements Command.
func (c *GrantDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "grant.delete"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	g := model.Grant{UserID: c.UserID, ProjectID: c.ProjectID, RoleID: c.RoleID}
	if tx.Grant(g) == nil {
		return nil, refuse(op, errs.NotFound,
			"Could not find role assignment with role: %s, user or group: %s, project, domain, or system: %s.", c.RoleID, c.UserID, c.ProjectID)
	}
	tx.DeleteGrant(g)
	bumpUser(tx, c.UserID)
	return nil, nil
}

func exampleGrantDelete() *GrantDelete {
	return &GrantDelete{UserID: "000000000000000000000000000000b2", ProjectID: "000000000000000000000000000000a2", RoleID: "000000000000000000000000000000c2"}
}

func workGrantDelete(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	x, haveGrant := pick(g, g.View().Grants())
	if !ok || !haveGrant {
		return nil, by, false
	}
	if u := g.View().User(x.UserID); u == nil || reserved(u.Name) {
		return nil, by, false
	}
	return &GrantDelete{UserID: x.UserID, ProjectID: x.ProjectID, RoleID: x.RoleID}, by, true
}
