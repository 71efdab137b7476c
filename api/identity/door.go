package identity

import (
	"net/http"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// Door is the front door; make it with its parts filled in.
type Door struct {
	Tokens    *Tokens
	Passwords *Passwords
	// Services are what the catalog lists, in order.
	Services []Service
	Region   string
}

// maxLogin bounds the body of a login, in bytes: anybody may send one.
const maxLogin = 16 << 10

// Routes is the whole API as one table.
func (d *Door) Routes() []rest.Route {
	get, post, del, put, patch, head := http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodPut, http.MethodPatch, http.MethodHead
	return []rest.Route{
		{Name: "identity:versions", Method: get, Path: "", Quiet: true, Handle: d.versions},
		{Name: "identity:versions", Method: get, Path: "/", Quiet: true, Handle: d.versions},
		{Name: "identity:version", Method: get, Path: "/v3", Quiet: true, Handle: d.version},
		{Name: "identity:version", Method: get, Path: "/v3/", Quiet: true, Handle: d.version},

		{Name: "identity:authenticate", Method: post, Path: "/v3/auth/tokens", Persona: rest.Nobody, MaxBytes: maxLogin, Handle: d.authenticate},
		{Name: "identity:validate_token", Method: get, Path: "/v3/auth/tokens", Persona: rest.Anyone, Handle: d.validate},
		{Name: "identity:check_token", Method: head, Path: "/v3/auth/tokens", Persona: rest.Anyone, Handle: d.validate},
		{Name: "identity:revoke_token", Method: del, Path: "/v3/auth/tokens", Persona: rest.Anyone, Handle: d.revoke},
		{Name: "identity:get_auth_catalog", Method: get, Path: "/v3/auth/catalog", Persona: rest.Anyone, Handle: d.authCatalog},
		{Name: "identity:get_auth_projects", Method: get, Path: "/v3/auth/projects", Persona: rest.Anyone, Handle: d.authProjects},
		{Name: "identity:get_auth_domains", Method: get, Path: "/v3/auth/domains", Persona: rest.Anyone, Handle: d.authDomains},
		{Name: "identity:get_auth_system", Method: get, Path: "/v3/auth/system", Persona: rest.Anyone, Handle: d.authSystem},

		{Name: "identity:list_domains", Method: get, Path: "/v3/domains", Persona: rest.Admin, Handle: d.listDomains},
		{Name: "identity:get_domain", Method: get, Path: "/v3/domains/{id}", Persona: rest.Anyone, Handle: d.showDomain},
		{Name: "identity:list_projects", Method: get, Path: "/v3/projects", Persona: rest.Admin, Handle: d.listProjects},
		{Name: "identity:create_project", Method: post, Path: "/v3/projects", Persona: rest.Admin, Handle: d.createProject},
		{Name: "identity:get_project", Method: get, Path: "/v3/projects/{id}", Persona: rest.Anyone, Handle: d.showProject},
		{Name: "identity:update_project", Method: patch, Path: "/v3/projects/{id}", Persona: rest.Admin, Handle: d.updateProject},
		{Name: "identity:delete_project", Method: del, Path: "/v3/projects/{id}", Persona: rest.Admin, Handle: d.deleteProject},
		{Name: "identity:list_users", Method: get, Path: "/v3/users", Persona: rest.Admin, Handle: d.listUsers},
		{Name: "identity:create_user", Method: post, Path: "/v3/users", Persona: rest.Admin, Handle: d.createUser},
		{Name: "identity:get_user", Method: get, Path: "/v3/users/{id}", Persona: rest.Anyone, Handle: d.showUser},
		{Name: "identity:update_user", Method: patch, Path: "/v3/users/{id}", Persona: rest.Admin, Handle: d.updateUser},
		{Name: "identity:delete_user", Method: del, Path: "/v3/users/{id}", Persona: rest.Admin, Handle: d.deleteUser},
		{Name: "identity:change_password", Method: post, Path: "/v3/users/{id}/password", Persona: rest.Nobody, MaxBytes: maxLogin, Handle: d.changePassword},
		{Name: "identity:list_user_projects", Method: get, Path: "/v3/users/{id}/projects", Persona: rest.Anyone, Handle: d.userProjects},
		{Name: "identity:list_roles", Method: get, Path: "/v3/roles", Persona: rest.Admin, Handle: d.listRoles},
		{Name: "identity:create_role", Method: post, Path: "/v3/roles", Persona: rest.Admin, Handle: d.createRole},
		{Name: "identity:get_role", Method: get, Path: "/v3/roles/{id}", Persona: rest.Admin, Handle: d.showRole},
		{Name: "identity:update_role", Method: patch, Path: "/v3/roles/{id}", Persona: rest.Admin, Handle: d.updateRole},
		{Name: "identity:delete_role", Method: del, Path: "/v3/roles/{id}", Persona: rest.Admin, Handle: d.deleteRole},
		{Name: "identity:list_grants", Method: get, Path: "/v3/projects/{project}/users/{user}/roles", Persona: rest.Admin, Handle: d.listGrants},
		{Name: "identity:create_grant", Method: put, Path: "/v3/projects/{project}/users/{user}/roles/{role}", Persona: rest.Admin, Handle: d.putGrant},
		{Name: "identity:check_grant", Method: head, Path: "/v3/projects/{project}/users/{user}/roles/{role}", Persona: rest.Admin, Handle: d.checkGrant},
		{Name: "identity:revoke_grant", Method: del, Path: "/v3/projects/{project}/users/{user}/roles/{role}", Persona: rest.Admin, Handle: d.deleteGrant},
		{Name: "identity:list_role_assignments", Method: get, Path: "/v3/role_assignments", Persona: rest.Admin, Handle: d.listAssignments},
		{Name: "identity:list_services", Method: get, Path: "/v3/services", Persona: rest.Admin, Handle: d.listServices},
		{Name: "identity:get_service", Method: get, Path: "/v3/services/{id}", Persona: rest.Admin, Handle: d.showService},
		{Name: "identity:list_endpoints", Method: get, Path: "/v3/endpoints", Persona: rest.Admin, Handle: d.listEndpoints},
		{Name: "identity:get_endpoint", Method: get, Path: "/v3/endpoints/{id}", Persona: rest.Admin, Handle: d.showEndpoint},
		{Name: "identity:list_regions", Method: get, Path: "/v3/regions", Persona: rest.Anyone, Handle: d.listRegions},
		{Name: "identity:get_region", Method: get, Path: "/v3/regions/{id}", Persona: rest.Anyone, Handle: d.showRegion},
	}
}

// notFound is Identity's sentence for what is not there.
func notFound(what, id string) error {
	return errs.Errorf("identity.find", errs.NotFound, "Could not find %s: %s.", what, id)
}

// collection is the form of every list of Identity. Its own link is the path
// that was asked for: the same things are listed at more than one.
func collection(c *rest.Call, plural string, items any) rest.Answer {
	_, path, _ := strings.Cut(c.Request.URL.EscapedPath(), "/v3/")
	return rest.JSON(http.StatusOK, map[string]any{plural: items, "links": map[string]any{
		"self": c.Endpoint + "/v3/" + path, "next": nil, "previous": nil}})
}

// self is a resource's links.
func self(c *rest.Call, path string) map[string]string {
	return map[string]string{"self": c.Endpoint + "/v3/" + path}
}
