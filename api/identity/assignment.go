package identity

import (
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// assignments are the filters of a list of role assignments (Identity v3, "List
// role assignments"). There are none of groups, and none on domains or the
// system: who asks for those gets nothing.
type assignments struct {
	user, project, role string
	nowhere             bool
	// effective shows implied roles beside those that imply them; names
	// shows names beside ids.
	effective, names bool
}

func parseAssignments(c *rest.Call) assignments {
	q := c.Request.URL.Query()
	truth := func(name string) bool {
		return q.Has(name) && !slices.Contains([]string{"0", "false"}, strings.ToLower(q.Get(name)))
	}
	return assignments{user: q.Get("user.id"), project: q.Get("scope.project.id"), role: q.Get("role.id"),
		nowhere:   q.Has("group.id") || q.Has("scope.domain.id") || q.Has("scope.system") || q.Has("scope.OS-INHERIT:inherited_to"),
		effective: truth("effective"), names: truth("include_names")}
}

func (d *Door) listAssignments(c *rest.Call) (rest.Answer, error) {
	want, out := parseAssignments(c), []object{}
	for _, g := range want.grants(c.View) {
		if want.fit(g) {
			out = append(out, renderAssignment(c, g, want.names))
		}
	}
	return collection(c, "role_assignments", out), nil
}

// grants are all that there are, in the order of users and projects.
func (a assignments) grants(v state.View) (out []model.Grant) {
	if a.nowhere {
		return nil
	}
	all := v.Grants()
	if a.user != "" {
		all = v.GrantsOf(model.UserID(a.user))
	}
	var last model.Grant // grants of a user on a project follow each other
	for g := range all {
		switch {
		case !a.effective:
			out = append(out, *g)
		case g.UserID != last.UserID || g.ProjectID != last.ProjectID:
			for _, r := range rolesOn(v, g.UserID, g.ProjectID) {
				out = append(out, model.Grant{UserID: g.UserID, ProjectID: g.ProjectID, RoleID: r.ID})
			}
		}
		last = *g
	}
	return out
}

func (a assignments) fit(g model.Grant) bool {
	return (a.project == "" || a.project == string(g.ProjectID)) && (a.role == "" || a.role == string(g.RoleID))
}

func renderAssignment(c *rest.Call, g model.Grant, names bool) object {
	user, project, role := object{"id": g.UserID}, object{"id": g.ProjectID}, object{"id": g.RoleID}
	if names {
		if u := c.View.User(g.UserID); u != nil {
			user["name"], user["domain"] = u.Name, domainNamed(c.View, u.DomainID)
		}
		if p := c.View.Project(g.ProjectID); p != nil {
			project["name"], project["domain"] = p.Name, domainNamed(c.View, p.DomainID)
		}
		if r := c.View.Role(g.RoleID); r != nil {
			role["name"] = r.Name
		}
	}
	path := "/v3/projects/" + string(g.ProjectID) + "/users/" + string(g.UserID) + "/roles/" + string(g.RoleID)
	return object{"role": role, "user": user, "scope": object{"project": project}, "links": object{"assignment": c.Endpoint + path}}
}

func domainNamed(v state.View, id model.DomainID) object {
	o := object{"id": id}
	if d := v.Domain(id); d != nil {
		o["name"] = d.Name
	}
	return o
}
