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
	if command.PolicyRole(r.Name) {
		out["options"] = map[string]any{"immutable": true}
	}
	if r.Description != "" {
		out["description"] = r.Description
	}
	return out
}

func (d *Door) listRoles(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for r := range c.View.Roles() {
		out = append(out, renderRole(c, r))
	}
	return collection(c, "roles", chosen(c, out, "name", "domain_id")), nil
}

func (d *Door) showRole(c *rest.Call) (rest.Answer, error) {
	r := c.View.Role(model.RoleID(c.Param("id")))
	if r == nil {
		return rest.Answer{}, notFound("role", c.Param("id"))
	}
	return rest.JSON(http.StatusOK, map[string]any{"role": renderRole(c, r)}), nil
}

// roleIn is the body of a role's create and update.
type roleIn struct {
	Role struct {
		Name        *string `json:"name"`
		Description *string `json:"description"`
	} `json:"role"`
}

// roleAnswer shows a role after a change. Somebody may have deleted it right
// after.
func roleAnswer(c *rest.Call, status int, id model.RoleID) (rest.Answer, error) {
	r := c.View.Role(id)
	if r == nil {
		return rest.Answer{}, notFound("role", string(id))
	}
	return rest.JSON(status, map[string]any{"role": renderRole(c, r)}), nil
}

func (d *Door) createRole(c *rest.Call) (rest.Answer, error) {
	var in roleIn
	if _, err := roleShape.decode(c, &in, ""); err != nil {
		return rest.Answer{}, err
	}
	if in.Role.Name == nil {
		return rest.Answer{}, invalid("role: 'name' is a required property.")
	}
	cmd := &command.RoleCreate{ID: model.RoleID(c.Hex()), Name: *in.Role.Name}
	if in.Role.Description != nil {
		cmd.Description = *in.Role.Description
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return roleAnswer(c, http.StatusCreated, cmd.ID)
}

func (d *Door) updateRole(c *rest.Call) (rest.Answer, error) {
	var in roleIn
	if _, err := roleShape.decode(c, &in, c.Param("id")); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.RoleUpdate{ID: model.RoleID(c.Param("id")), Name: in.Role.Name, Description: in.Role.Description}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return roleAnswer(c, http.StatusOK, cmd.ID)
}

func (d *Door) deleteRole(c *rest.Call) (rest.Answer, error) {
	if _, err := c.Do(&command.RoleDelete{ID: model.RoleID(c.Param("id"))}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
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
			if r := c.View.Role(g.RoleID); r != nil {
				out = append(out, renderRole(c, r))
			}
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
