package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

func showLimits(c *rest.Call) (rest.Answer, error) {
	if err := onlyQuery(c, "reserved", "tenant_id"); err != nil {
		return rest.Answer{}, err
	}
	p := c.Caller.ProjectID()
	if t := model.ProjectID(c.Query("tenant_id")); t != "" && t != p {
		if !c.Caller.Admin() {
			return rest.Answer{}, forbidden("limits:other_project")
		}
		p = t
	}
	out := object{
		"maxTotalInstances": c.View.Limit(p, "instances"), "maxTotalCores": c.View.Limit(p, "cores"), "maxTotalRAMSize": c.View.Limit(p, "ram"),
		"totalInstancesUsed": c.View.Used(p, "instances"), "totalCoresUsed": c.View.Used(p, "cores"), "totalRAMUsed": c.View.Used(p, "ram"),
		"maxTotalKeypairs": state.MaxKeyPairs, "maxServerMeta": maxMetadata,
		"maxServerGroups": 0, "maxServerGroupMembers": 0, "totalServerGroupsUsed": 0,
	}
	if !c.Version.AtLeast(57) {
		out["maxPersonality"], out["maxPersonalitySize"] = 0, 0
	}
	if !c.Version.AtLeast(39) {
		out["maxImageMeta"] = maxMetadata
	}
	if !c.Version.AtLeast(36) {
		out["maxSecurityGroups"], out["maxSecurityGroupRules"], out["totalSecurityGroupsUsed"] = 0, 0, 0
		out["maxTotalFloatingIps"], out["totalFloatingIpsUsed"] = 0, 0
	}
	return rest.JSON(http.StatusOK, object{"limits": object{"rate": []object{}, "absolute": out}}), nil
}
