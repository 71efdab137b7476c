package identity

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

func renderRole(c *rest.Call, r *model.Role) map[string]any {
	out := map[string]any{"id": r.ID, "name": r.Name, "domain_id": nil, "description": nil,
		"options": map[string]any{}, "links": self(c, "roles/"+string(r.ID))}
	if r.Description != "" {
		out["description"] = r.Description
	}
	return out
}

func (d *Door) listRoles(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for r := range c.View.Roles() {
		if matches(c, map[string]string{"name": r.Name}) {
			out = append(out, renderRole(c, r))
		}
	}
	return collection(c, "roles", out), nil
}

func (d *Door) showRole(c *rest.Call) (rest.Answer, error) {
	r := c.View.Role(model.RoleID(c.Param("id")))
	if r == nil {
		return rest.Answer{}, notFound("role", c.Param("id"))
	}
	return rest.JSON(http.StatusOK, map[string]any{"role": renderRole(c, r)}), nil
}

func (d *Door) createRole(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Role struct {
			Name        string `json:"name"`
			Description string `json:"description"`
		} `json:"role"`
	}
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.RoleCreate{ID: model.RoleID(c.Hex()), Name: in.Role.Name, Description: in.Role.Description}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusCreated, map[string]any{"role": renderRole(c, c.View.Role(cmd.ID))}), nil
}

// grant is the one that the path names.
func grant(c *rest.Call) model.Grant {
	return model.Grant{UserID: model.UserID(c.Param("user")), ProjectID: model.ProjectID(c.Param("project")),
		RoleID: model.RoleID(c.Param("role"))}
}

func (d *Door) listGrants(c *rest.Call) (rest.Answer, error) {
	want := grant(c)
	if c.View.Project(want.ProjectID) == nil {
		return rest.Answer{}, notFound("project", string(want.ProjectID))
	}
	if c.View.User(want.UserID) == nil {
		return rest.Answer{}, notFound("user", string(want.UserID))
	}
	out := []map[string]any{}
	for g := range c.View.GrantsOf(want.UserID) {
		if g.ProjectID == want.ProjectID {
			out = append(out, renderRole(c, c.View.Role(g.RoleID)))
		}
	}
	return collection(c, "roles", out), nil
}

func (d *Door) putGrant(c *rest.Call) (rest.Answer, error) {
	g := grant(c)
	if _, err := c.Do(&command.GrantPut{UserID: g.UserID, ProjectID: g.ProjectID, RoleID: g.RoleID}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

func (d *Door) checkGrant(c *rest.Call) (rest.Answer, error) {
	g := grant(c)
	if c.View.Grant(g) == nil {
		return rest.Answer{}, notFound("role assignment", string(g.RoleID))
	}
	return rest.Empty(http.StatusNoContent), nil
}

func (d *Door) deleteGrant(c *rest.Call) (rest.Answer, error) {
	g := grant(c)
	if _, err := c.Do(&command.GrantDelete{UserID: g.UserID, ProjectID: g.ProjectID, RoleID: g.RoleID}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
