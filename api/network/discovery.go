package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func versions(c *rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"versions": []object{{"id": "v2.0", "status": "CURRENT",
		"links": []object{{"rel": "self", "href": c.Endpoint + "/v2.0/"}}}}}), nil
}

func resources(c *rest.Call) (rest.Answer, error) {
	out := []object{}
	for _, name := range []string{"network", "subnet", "port", "router"} {
		out = append(out, object{"name": name, "collection": name + "s",
			"links": []object{{"rel": "self", "href": c.Endpoint + "/v2.0/" + name + "s"}}})
	}
	return rest.JSON(http.StatusOK, object{"resources": out}), nil
}

// aliases are the extensions that are handled.
var aliases = []struct{ alias, name string }{
	{"router", "Neutron L3 Router"}, {"external-net", "Neutron external network"}, {"net-mtu", "Network MTU"},
	{"net-mtu-writable", "Network MTU (writable)"}, {"project-id", "project_id field enabled"}, {"quotas", "Quota management support"},
	{"standard-attr-description", "standard-attr-description"}, {"standard-attr-timestamp", "Resource timestamps"},
	{"standard-attr-revisions", "Resource revision numbers"}, {"binding", "Port Binding"}, {"pagination", "Pagination support"}, {"sorting", "Sorting support"},
}

func renderExtension(alias, name string) object {
	return object{"alias": alias, "name": name, "description": name, "updated": "2026-01-01T00:00:00-00:00", "links": []object{}}
}

func extensions(*rest.Call) (rest.Answer, error) {
	out := []object{}
	for _, a := range aliases {
		out = append(out, renderExtension(a.alias, a.name))
	}
	return rest.JSON(http.StatusOK, object{"extensions": out}), nil
}

func extension(c *rest.Call) (rest.Answer, error) {
	for _, a := range aliases {
		if a.alias == c.Param("alias") {
			return rest.JSON(http.StatusOK, object{"extension": renderExtension(a.alias, a.name)}), nil
		}
	}
	return rest.Answer{}, notFound("Extension", c.Param("alias"))
}

// counted are the resources of this API that are limited per project.
var counted = []string{"network", "port", "router", "subnet"}

func quotaOf(c *rest.Call, p model.ProjectID) object {
	out := object{}
	for _, r := range counted {
		out[r] = c.View.Limit(p, r)
	}
	return out
}

func showQuota(c *rest.Call) (rest.Answer, error) {
	p := model.ProjectID(c.Param("project"))
	if p != c.Caller.ProjectID() && !c.Caller.Admin() || c.View.Project(p) == nil {
		return rest.Answer{}, notFound("Quota", string(p))
	}
	return answer(http.StatusOK, "quota", quotaOf(c, p))
}

func setQuota(c *rest.Call) (rest.Answer, error) {
	in := map[string]int64{}
	if err := body(c, "quota", &in); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.QuotaSet{ProjectID: model.ProjectID(c.Param("project")), Force: true}
	for _, r := range counted {
		if n, ok := in[r]; ok {
			cmd.Limits = append(cmd.Limits, command.QuotaLimit{Resource: r, Limit: n})
		}
	}
	if len(cmd.Limits) != len(in) {
		return rest.Answer{}, errs.Errorf("network.quota", errs.Invalid, "Only network, port, router and subnet have quotas here")
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusOK, "quota", quotaOf(c, cmd.ProjectID))
}
