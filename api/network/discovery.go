package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
)

func versions(c *rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"versions": []object{{"id": "v2.0", "status": "CURRENT",
		"links": []object{{"rel": "self", "href": c.Endpoint + "/v2.0/"}}}}}), nil
}

func resources(c *rest.Call) (rest.Answer, error) {
	out := []object{}
	for _, s := range []*shape{networkShape, subnetShape, portShape, routerShape} {
		out = append(out, object{"name": s.one, "collection": s.many,
			"links": []object{{"rel": "self", "href": c.Endpoint + "/v2.0/" + s.many}}})
	}
	return rest.JSON(http.StatusOK, object{"resources": out}), nil
}

// extensions are those that are handled, and no others: clients switch on
// them.
var extensions = []struct{ alias, name, text string }{
	{"agent", "agent", "The hosts, as agents; read only."},
	{"availability_zone", "Availability Zone", "The zones that hosts are in."},
	{"binding", "Port Binding", "Shows administrators which host has a port."},
	{"external-net", "Neutron external network", "Networks that lead outside."},
	{"net-mtu", "Network MTU", "Shows the MTU of networks."},
	{"net-mtu-writable", "Network MTU (writable)", "Lets the MTU of networks be set."},
	{"pagination", "Pagination support", "Lists come in pages."},
	{"project-id", "project_id field enabled", "project_id is another name of tenant_id."},
	{"provider", "Provider Network", "Shows administrators how networks are carried."},
	{"quota_details", "Quota details management support", "Shows limits with what is used of them."},
	{"quotas", "Quota management support", "Limits per project."},
	{"router", "Neutron L3 Router", "Routers, their interfaces and their way out."},
	{"sorting", "Sorting support", "Lists are sorted by any attributes."},
	{"standard-attr-description", "standard-attr-description", "Everything has a description."},
	{"standard-attr-revisions", "Resource revision numbers", "Everything counts its changes."},
	{"standard-attr-tag", "Tag support for resources with standard attribute", "Networks, subnets, ports and routers have tags."},
	{"standard-attr-timestamp", "Resource timestamps", "Everything knows when it was made and changed."},
}

func renderExtension(alias, name, text string) object {
	return object{"alias": alias, "name": name, "description": text, "updated": "2026-01-01T00:00:00-00:00", "links": []object{}}
}

func listExtensions(*rest.Call) (rest.Answer, error) {
	out := []object{}
	for _, e := range extensions {
		out = append(out, renderExtension(e.alias, e.name, e.text))
	}
	return rest.JSON(http.StatusOK, object{"extensions": out}), nil
}

func showExtension(c *rest.Call) (rest.Answer, error) {
	for _, e := range extensions {
		if e.alias == c.Param("alias") {
			return rest.JSON(http.StatusOK, object{"extension": renderExtension(e.alias, e.name, e.text)}), nil
		}
	}
	return rest.Answer{}, notFound("Extension", c.Param("alias"))
}
