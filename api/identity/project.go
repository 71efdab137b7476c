package identity

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// projectIn is the body of a project's create and update.
type projectIn struct {
	Project struct {
		Name        *string `json:"name"`
		DomainID    string  `json:"domain_id"`
		ParentID    string  `json:"parent_id"`
		Description *string `json:"description"`
		Enabled     *bool   `json:"enabled"`
	} `json:"project"`
}

func renderProject(c *rest.Call, p *model.Project) map[string]any {
	return showExtra(map[string]any{"id": p.ID, "name": p.Name, "domain_id": p.DomainID, "description": p.Description,
		"enabled": !p.Disabled, "is_domain": false, "parent_id": p.DomainID, "tags": []string{},
		"options": map[string]any{}, "links": self(c, "projects/"+string(p.ID))}, p.Extra)
}

func (d *Door) listProjects(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for p := range c.View.Projects() {
		out = append(out, renderProject(c, p))
	}
	return collection(c, "projects", chosen(c, out, "name", "domain_id", "enabled", "parent_id", "is_domain")), nil
}

// projectAnswer shows a project after a change. Somebody may have deleted it
// right after.
func projectAnswer(c *rest.Call, status int, id model.ProjectID) (rest.Answer, error) {
	p := c.View.Project(id)
	if p == nil {
		return rest.Answer{}, notFound("project", string(id))
	}
	return rest.JSON(status, map[string]any{"project": renderProject(c, p)}), nil
}

func (d *Door) showProject(c *rest.Call) (rest.Answer, error) {
	id := model.ProjectID(c.Param("id"))
	p := c.View.Project(id)
	if p == nil || !c.Caller.Admin() && len(rolesOn(c.View, c.Caller.User.ID, id)) == 0 {
		return rest.Answer{}, notFound("project", string(id))
	}
	return rest.JSON(http.StatusOK, map[string]any{"project": renderProject(c, p)}), nil
}

// stays refuses to move a project: its domain is what it is made in, and all
// that is above it.
func (in *projectIn) stays(domain model.DomainID) error {
	if id := model.DomainID(in.Project.DomainID); id != "" && id != domain {
		return invalid("project: 'domain_id' stays what it is.")
	}
	if id := model.DomainID(in.Project.ParentID); id != "" && id != domain {
		return invalid("project: 'parent_id' can only be the project's domain: projects below projects are not offered.")
	}
	return nil
}

func (d *Door) createProject(c *rest.Call) (rest.Answer, error) {
	var in projectIn
	extra, err := projectShape.decode(c, &in, "")
	if err != nil {
		return rest.Answer{}, err
	}
	if in.Project.Name == nil {
		return rest.Answer{}, invalid("project: 'name' is a required property.")
	}
	cmd := &command.ProjectCreate{ID: model.ProjectID(c.Hex()), Name: *in.Project.Name, DomainID: model.DomainID(in.Project.DomainID), Extra: extra}
	if cmd.DomainID == "" {
		cmd.DomainID = c.Caller.User.DomainID
	}
	if err := in.stays(cmd.DomainID); err != nil {
		return rest.Answer{}, err
	}
	if in.Project.Description != nil {
		cmd.Description = *in.Project.Description
	}
	cmd.Disabled = in.Project.Enabled != nil && !*in.Project.Enabled
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return projectAnswer(c, http.StatusCreated, cmd.ID)
}

func (d *Door) updateProject(c *rest.Call) (rest.Answer, error) {
	var in projectIn
	id := model.ProjectID(c.Param("id"))
	extra, err := projectShape.decode(c, &in, string(id))
	if err != nil {
		return rest.Answer{}, err
	}
	p := c.View.Project(id)
	if p == nil {
		return rest.Answer{}, notFound("project", string(id))
	}
	if err := in.stays(p.DomainID); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.ProjectUpdate{ID: id, Name: in.Project.Name,
		Description: in.Project.Description, Disabled: not(in.Project.Enabled), Extra: extra}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return projectAnswer(c, http.StatusOK, cmd.ID)
}

func not(b *bool) *bool {
	if b == nil {
		return nil
	}
	n := !*b
	return &n
}

func (d *Door) deleteProject(c *rest.Call) (rest.Answer, error) {
	if _, err := c.Do(&command.ProjectDelete{ID: model.ProjectID(c.Param("id"))}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

// projectsOf lists the projects that a user has a role on.
func projectsOf(c *rest.Call, u model.UserID) []map[string]any {
	out := []map[string]any{}
	seen := map[model.ProjectID]bool{}
	for g := range c.View.GrantsOf(u) {
		if p := c.View.Project(g.ProjectID); p != nil && !p.Disabled && !seen[p.ID] {
			seen[p.ID] = true
			out = append(out, renderProject(c, p))
		}
	}
	return out
}

func (d *Door) authProjects(c *rest.Call) (rest.Answer, error) {
	return collection(c, "projects", projectsOf(c, c.Caller.User.ID)), nil
}
