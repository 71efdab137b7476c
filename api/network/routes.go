package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
)

// Routes is the whole API as one table.
func (d *Door) Routes() []rest.Route {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	out := []rest.Route{
		{Name: "versions", Method: get, Path: "", Quiet: true, Handle: versions},
		{Name: "versions", Method: get, Path: "/", Quiet: true, Handle: versions},
		{Name: "resources", Method: get, Path: "/v2.0/", Persona: rest.Anyone, Handle: resources},
		{Name: "get_extensions", Method: get, Path: "/v2.0/extensions", Persona: rest.Anyone, Handle: extensions},
		{Name: "get_extension", Method: get, Path: "/v2.0/extensions/{alias}", Persona: rest.Anyone, Handle: extension},
		{Name: "get_quota", Method: get, Path: "/v2.0/quotas/{project}", Persona: rest.Reader, Handle: showQuota},
		{Name: "update_quota", Method: put, Path: "/v2.0/quotas/{project}", Persona: rest.Admin, Handle: setQuota},
		{Name: "add_router_interface", Method: put, Path: "/v2.0/routers/{id}/add_router_interface", Persona: rest.Member, Handle: attach},
		{Name: "remove_router_interface", Method: put, Path: "/v2.0/routers/{id}/remove_router_interface", Persona: rest.Member, Handle: detach},
	}
	for _, r := range []struct {
		one, many                          string
		list, show, create, update, remove rest.Handler
	}{
		{"network", "networks", listNetworks, showNetwork, createNetwork, updateNetwork, deleteNetwork},
		{"subnet", "subnets", listSubnets, showSubnet, createSubnet, updateSubnet, deleteSubnet},
		{"port", "ports", listPorts, showPort, createPort, updatePort, deletePort},
		{"router", "routers", listRouters, showRouter, createRouter, updateRouter, deleteRouter},
	} {
		path := "/v2.0/" + r.many
		out = append(out,
			rest.Route{Name: "get_" + r.many, Method: get, Path: path, Persona: rest.Reader, Handle: r.list},
			rest.Route{Name: "create_" + r.one, Method: post, Path: path, Persona: rest.Member, Handle: r.create},
			rest.Route{Name: "get_" + r.one, Method: get, Path: path + "/{id}", Persona: rest.Reader, Handle: r.show},
			rest.Route{Name: "update_" + r.one, Method: put, Path: path + "/{id}", Persona: rest.Member, Handle: r.update},
			rest.Route{Name: "delete_" + r.one, Method: del, Path: path + "/{id}", Persona: rest.Member, Handle: r.remove})
	}
	return out
}
