package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// GrantPut gives a user a role on a project (Identity v3, "Assign role to user
// on project").
//
// Rules: the actor is an administrator; user, project and role are there. A
// grant that is there already stays and changes nothing; a new one raises the
// user's epoch.
type GrantPut struct {
	UserID    model.UserID    `json:"user_id"`
	ProjectID model.ProjectID `json:"project_id"`
	RoleID    model.RoleID    `json:"role_id"`
}

// Kind implements Command.
func (*GrantPut) Kind() string { return "grant.put/1" }

// Apply implements Command.
func (c *GrantPut) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "grant.put"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if _, err := findUser(tx, c.UserID); err != nil {
		return nil, err
	}
	if _, err := findProject(tx, c.ProjectID); err != nil {
		return nil, err
	}
	if tx.Role(c.RoleID) == nil {
		return nil, refuse(op, errs.NotFound, "Could not find role: %s.", c.RoleID)
	}
	g := model.Grant{UserID: c.UserID, ProjectID: c.ProjectID, RoleID: c.RoleID}
	if tx.Grant(g) == nil {
		tx.PutGrant(&g)
		bumpUser(tx, c.UserID)
	}
	return nil, nil
}

func exampleGrantPut() *GrantPut {
	return &GrantPut{UserID: "000000000000000000000000000000b2", ProjectID: "000000000000000000000000000000a2", RoleID: "000000000000000000000000000000c2"}
}

func workGrantPut(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	u, haveUser := pick(g, g.View().Users())
	p, haveProject := pick(g, g.View().Projects())
	r, haveRole := pick(g, g.View().Roles())
	if !ok || !haveUser || !haveProject || !haveRole {
		return nil, by, false
	}
	return &GrantPut{UserID: u.ID, ProjectID: p.ID, RoleID: r.ID}, by, true
}
