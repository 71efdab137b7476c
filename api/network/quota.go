package network

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// counted are the resources of this API that are limited per project.
var counted = func() (out []string) {
	for _, r := range state.ResourcesOf(state.NetworkQuota) {
		out = append(out, r.Name)
	}
	return out
}()

var quotaShape = func() *shape {
	attrs := map[string]rule{"tenant_id": both, "project_id": both}
	for _, name := range counted {
		attrs[name] = both
	}
	return &shape{one: "quota", many: "quotas", attrs: attrs}
}()

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
		if slices.ContainsFunc(counted, func(name string) bool { return c.View.QuotaRow(p.ID, name) != nil }) {
			o := quotaOf(c.View, p.ID, limits)
			o["tenant_id"], o["project_id"] = p.ID, p.ID
			out = append(out, o)
		}
	}
	return rest.JSON(http.StatusOK, object{"quotas": out}), nil
}

// quotaIn is the body of a quota's update, by attribute.
type quotaIn map[string]json.RawMessage

func setQuota(c *rest.Call) (rest.Answer, error) {
	in, err := read[quotaIn](c, quotaShape)
	if err != nil {
		return rest.Answer{}, err
	}
	p, err := findProject(c.View, c.Caller, c.Param("project"))
	if err != nil {
		return rest.Answer{}, err
	}
	cmd, err := decideQuota(p, in)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"quota": quotaOf(c.View, p, limits)}), nil
}

// decideQuota is the command that sets a project's limits. Neutron lets them
// go below what is used: that only stops growth.
func decideQuota(p model.ProjectID, in quotaIn) (*command.QuotaSet, error) {
	for _, name := range []string{"tenant_id", "project_id"} {
		var named model.ProjectID
		if raw, given := in[name]; given && (json.Unmarshal(raw, &named) != nil || named != p) {
			return nil, invalid("Invalid input for %s. Reason: it is not the project whose quota is set.", name)
		}
	}
	cmd := &command.QuotaSet{ProjectID: p, Force: true}
	for _, name := range counted {
		raw, given := in[name]
		if !given {
			continue
		}
		var n number
		if json.Unmarshal(raw, &n) != nil {
			return nil, invalid("Invalid input for %s. Reason: %s is not a valid type.", name, kindOf(raw))
		}
		cmd.Limits = append(cmd.Limits, command.QuotaLimit{Resource: name, Limit: int64(n)})
	}
	return cmd, nil
}

// resetQuota gives a project the default limits of this API. Those of other
// APIs stay.
func resetQuota(c *rest.Call) (rest.Answer, error) {
	p, err := findProject(c.View, c.Caller, c.Param("project"))
	if err != nil {
		return rest.Answer{}, err
	}
	return remove(c, &command.QuotaReset{ProjectID: p, Resources: counted})
}
