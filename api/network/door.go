package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
)

// Door is the front door.
type Door struct{}

type object = map[string]any

// Routes is the whole API as one table.
func (d *Door) Routes() []rest.Route {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	out := []rest.Route{
		{Name: "versions", Method: get, Path: "", Quiet: true, Handle: versions},
		{Name: "versions", Method: get, Path: "/", Quiet: true, Handle: versions},
		{Name: "resources", Method: get, Path: "/v2.0/", Persona: rest.Anyone, Handle: resources},
		{Name: "get_extensions", Method: get, Path: "/v2.0/extensions", Persona: rest.Anyone, Handle: listExtensions},
		{Name: "get_extension", Method: get, Path: "/v2.0/extensions/{alias}", Persona: rest.Anyone, Handle: showExtension},

		{Name: "get_availability_zones", Method: get, Path: "/v2.0/availability_zones", Persona: rest.Reader, Handle: listZones},
		{Name: "get_agents", Method: get, Path: "/v2.0/agents", Persona: rest.Admin, Handle: listAgents},
		{Name: "get_agent", Method: get, Path: "/v2.0/agents/{id}", Persona: rest.Admin, Handle: showAgent},

		{Name: "get_security_groups", Method: get, Path: "/v2.0/security-groups", Persona: rest.Reader, Handle: listGroups},
		{Name: "get_security_group", Method: get, Path: "/v2.0/security-groups/{id}", Persona: rest.Reader, Handle: noGroup},
		{Name: "create_security_group", Method: post, Path: "/v2.0/security-groups", Persona: rest.Member, Handle: newGroup},

		{Name: "add_router_interface", Method: put, Path: "/v2.0/routers/{id}/add_router_interface", Persona: rest.Member, Handle: attach},
		{Name: "remove_router_interface", Method: put, Path: "/v2.0/routers/{id}/remove_router_interface", Persona: rest.Member, Handle: detach},
	}
	for _, r := range []struct {
		one, many                          string
		list, show, create, update, remove rest.Handler
	}{
		{"network", "networks", listNetworks, showNetwork, networkMaker.create, updateNetwork, deleteNetwork},
		{"subnet", "subnets", listSubnets, showSubnet, subnetMaker.create, updateSubnet, deleteSubnet},
		{"port", "ports", listPorts, showPort, portMaker.create, updatePort, deletePort},
		{"router", "routers", listRouters, showRouter, routerMaker.create, updateRouter, deleteRouter},
	} {
		path := "/v2.0/" + r.many
		out = append(out,
			rest.Route{Name: "get_" + r.many, Method: get, Path: path, Persona: rest.Reader, Handle: r.list},
			rest.Route{Name: "create_" + r.one, Method: post, Path: path, Persona: rest.Member, Handle: r.create},
			rest.Route{Name: "get_" + r.one, Method: get, Path: path + "/{id}", Persona: rest.Reader, Handle: r.show},
			rest.Route{Name: "update_" + r.one, Method: put, Path: path + "/{id}", Persona: rest.Member, Handle: r.update},
			rest.Route{Name: "delete_" + r.one, Method: del, Path: path + "/{id}", Persona: rest.Member, Handle: r.remove})
	}
	out = append(out, quotaRoutes()...)
	for _, t := range taggedThings {
		out = append(out, t.routes()...)
	}
	return out
}

func quotaRoutes() []rest.Route {
	return []rest.Route{
		{Name: "get_quotas", Method: http.MethodGet, Path: "/v2.0/quotas", Persona: rest.Admin, Handle: listQuotas},
		{Name: "get_quota_project", Method: http.MethodGet, Path: "/v2.0/quotas/tenant", Persona: rest.Reader, Handle: quotaProject("tenant")},
		{Name: "get_quota_project", Method: http.MethodGet, Path: "/v2.0/quotas/project", Persona: rest.Reader, Handle: quotaProject("project")},
		{Name: "get_quota", Method: http.MethodGet, Path: "/v2.0/quotas/{project}", Persona: rest.Reader, Handle: showQuota(limits)},
		{Name: "get_quota_default", Method: http.MethodGet, Path: "/v2.0/quotas/{project}/default", Persona: rest.Reader, Handle: showQuota(defaults)},
		{Name: "get_quota_details", Method: http.MethodGet, Path: "/v2.0/quotas/{project}/details", Persona: rest.Reader, Handle: showQuota(details)},
		{Name: "get_quota_details", Method: http.MethodGet, Path: "/v2.0/quotas/{project}/details.json", Persona: rest.Reader, Handle: showQuota(details)},
		{Name: "update_quota", Method: http.MethodPut, Path: "/v2.0/quotas/{project}", Persona: rest.Admin, Handle: setQuota},
		{Name: "delete_quota", Method: http.MethodDelete, Path: "/v2.0/quotas/{project}", Persona: rest.Admin, Handle: resetQuota},
	}
}
