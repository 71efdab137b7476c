package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// counted are the resources of this API that are limited per project.
var counted = []string{"network", "port", "router", "subnet"}

var quotaShape = &shape{one: "quota", many: "quotas", attrs: map[string]rule{
	"network": both, "port": both, "router": both, "subnet": both, "tenant_id": both, "project_id": both,
}}

// limits, defaults and details are what is shown of a project's quota.
func limits(v state.View, p model.ProjectID, resource string) any { return v.Limit(p, resource) }

func defaults(_ state.View, _ model.ProjectID, resource string) any {
	r, _ := state.ResourceNamed(resource)
	return r.Default
}

func details(v state.View, p model.ProjectID, resource string) any {
	return object{"limit": v.Limit(p, resource), "used": v.Used(p, resource), "reserved": 0}
}

func quotaOf(v state.View, p model.ProjectID, of func(state.View, model.ProjectID, string) any) object {
	out := object{}
	for _, r := range counted {
		out[r] = of(v, p, r)
	}
	return out
}

// findProject gives a project whose quota the caller may see; others do not
// exist for it.
func findProject(v state.View, who rest.Caller, id string) (model.ProjectID, error) {
	p := v.Project(model.ProjectID(id))
	if p == nil || !owns(who, p.ID) {
		return "", notFound("The project", id)
	}
	return p.ID, nil
}

func showQuota(of func(state.View, model.ProjectID, string) any) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		p, err := findProject(c.View, c.Caller, c.Param("project"))
		if err != nil {
			return rest.Answer{}, err
		}
		return rest.JSON(http.StatusOK, object{"quota": quotaOf(c.View, p, of)}), nil
	}
}

// quotaProject tells the project of the caller, under the name that was asked.
func quotaProject(name string) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		p := c.Caller.ProjectID()
		return rest.JSON(http.StatusOK, object{name: object{"tenant_id": p, "project_id": p}}), nil
	}
}

// listQuotas lists the projects that have limits of their own here.
func listQuotas(c *rest.Call) (rest.Answer, error) {
	out := []object{}
	for p := range c.View.Projects() {
		if len(ownLimits(c.View, p.ID)) > 0 {
			o := quotaOf(c.View, p.ID, limits)
			o["tenant_id"], o["project_id"] = p.ID, p.ID
			out = append(out, o)
		}
	}
	return rest.JSON(http.StatusOK, object{"quotas": out}), nil
}

// ownLimits gives, for each limit of this API that a project has of its own,
// what it would be without.
func ownLimits(v state.View, p model.ProjectID) (out []command.QuotaLimit) {
	for _, name := range counted {
		if r, _ := state.ResourceNamed(name); v.Limit(p, name) != r.Default {
			out = append(out, command.QuotaLimit{Resource: name, Limit: r.Default})
		}
	}
	return out
}

// quotaIn is the body of a quota's update.
type quotaIn struct {
	owned
	Network *number `json:"network"`
	Port    *number `json:"port"`
	Router  *number `json:"router"`
	Subnet  *number `json:"subnet"`
}

func setQuota(c *rest.Call) (rest.Answer, error) {
	in, _, err := read[quotaIn](c, quotaShape, false)
	if err != nil {
		return rest.Answer{}, err
	}
	p, err := findProject(c.View, c.Caller, c.Param("project"))
	if err != nil {
		return rest.Answer{}, err
	}
	// Neutron lets limits go below what is used: that only stops growth.
	cmd := &command.QuotaSet{ProjectID: p, Force: true}
	for i, limit := range []*number{in.Network, in.Port, in.Router, in.Subnet} {
		if limit != nil {
			cmd.Limits = append(cmd.Limits, command.QuotaLimit{Resource: counted[i], Limit: int64(*limit)})
		}
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"quota": quotaOf(c.View, p, limits)}), nil
}

// resetQuota gives a project the default limits of this API. Those of other
// APIs stay, so it does not use the command that resets them all.
func resetQuota(c *rest.Call) (rest.Answer, error) {
	p, err := findProject(c.View, c.Caller, c.Param("project"))
	if err != nil {
		return rest.Answer{}, err
	}
	back := ownLimits(c.View, p)
	if len(back) == 0 {
		return rest.Empty(http.StatusNoContent), nil
	}
	return remove(c, &command.QuotaSet{ProjectID: p, Limits: back, Force: true})
}
