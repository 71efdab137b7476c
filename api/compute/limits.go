package compute

import (
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// counted are the resources of this API that are limited per project.
var counted = []string{"cores", "instances", "ram"}

// fixed are limits of this API that no project can change, with Nova's names.
var fixed = object{"metadata_items": maxMetadata, "key_pairs": state.MaxKeyPairs, "server_groups": 0, "server_group_members": 0,
	"injected_files": 0, "injected_file_content_bytes": 0, "injected_file_path_bytes": 0,
	"fixed_ips": -1, "floating_ips": 0, "security_groups": 0, "security_group_rules": 0}

func showLimits(c *rest.Call) (rest.Answer, error) {
	p := c.Caller.ProjectID()
	if t := c.Query("tenant_id"); t != "" && t != string(p) {
		if !c.Caller.Admin() {
			return rest.Answer{}, errs.Errorf("compute.limits", errs.Forbidden, "Policy doesn't allow os_compute_api:limits:other_project to be performed.")
		}
		p = model.ProjectID(t)
	}
	return rest.JSON(http.StatusOK, object{"limits": object{"rate": []object{}, "absolute": object{
		"maxTotalInstances": c.View.Limit(p, "instances"), "maxTotalCores": c.View.Limit(p, "cores"), "maxTotalRAMSize": c.View.Limit(p, "ram"),
		"totalInstancesUsed": c.View.Used(p, "instances"), "totalCoresUsed": c.View.Used(p, "cores"), "totalRAMUsed": c.View.Used(p, "ram"),
		"maxTotalKeypairs": state.MaxKeyPairs, "maxServerMeta": maxMetadata, "maxImageMeta": maxMetadata, "maxServerGroups": 0, "maxServerGroupMembers": 0,
		"totalServerGroupsUsed": 0, "maxPersonality": 0, "maxPersonalitySize": 0, "maxSecurityGroups": 0, "maxSecurityGroupRules": 0,
		"maxTotalFloatingIps": 0, "totalFloatingIpsUsed": 0, "totalSecurityGroupsUsed": 0}}}), nil
}

func quotaSet(id string, limit func(string) int64) object {
	out := object{"id": id}
	for k, v := range fixed {
		out[k] = v
	}
	for _, r := range counted {
		out[r] = limit(r)
	}
	return out
}

// quotaProject is the project that a quota's path names.
func quotaProject(c *rest.Call) (model.ProjectID, error) {
	p := model.ProjectID(c.Param("project"))
	if p != c.Caller.ProjectID() && !c.Caller.Admin() {
		return "", errs.Errorf("compute.quota", errs.Forbidden, "Policy doesn't allow os_compute_api:os-quota-sets:show to be performed.")
	}
	if c.View.Project(p) == nil {
		return "", invalid("Project ID %s is not a valid project.", shorten(string(p)))
	}
	return p, nil
}

func showQuota(c *rest.Call) (rest.Answer, error) {
	p, err := quotaProject(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"quota_set": quotaSet(string(p), func(r string) int64 { return c.View.Limit(p, r) })}), nil
}

func defaultQuota(c *rest.Call) (rest.Answer, error) {
	p, err := quotaProject(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"quota_set": quotaSet(string(p), func(name string) int64 {
		r, _ := state.ResourceNamed(name)
		return r.Default
	})}), nil
}

func setQuota(c *rest.Call) (rest.Answer, error) {
	p, err := quotaProject(c)
	if err != nil {
		return rest.Answer{}, err
	}
	var in struct {
		Quota map[string]any `json:"quota_set"`
	}
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.QuotaSet{ProjectID: p}
	for name, v := range in.Quota {
		n, isNumber := v.(float64)
		switch {
		case name == "force":
			cmd.Force = v == true || v == "True" || v == "true"
		case name == "tenant_id":
		case !slices.Contains(counted, name):
			return rest.Answer{}, badInput("quota_set", name, "This limit cannot be set here")
		case !isNumber || n != float64(int64(n)):
			return rest.Answer{}, badInput(name, v, "It is not of type 'integer'")
		default:
			cmd.Limits = append(cmd.Limits, command.QuotaLimit{Resource: name, Limit: int64(n)})
		}
	}
	sorted(cmd.Limits, func(l command.QuotaLimit) string { return l.Resource })
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	out := quotaSet("", func(r string) int64 { return c.View.Limit(p, r) })
	delete(out, "id")
	return rest.JSON(http.StatusOK, object{"quota_set": out}), nil
}

func resetQuota(c *rest.Call) (rest.Answer, error) {
	p, err := quotaProject(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return accepted(c, &command.QuotaReset{ProjectID: p})
}
