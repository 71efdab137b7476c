package network

import (
	"maps"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// zoneShape and agentShape are for lists only.
var (
	zoneShape  = &shape{one: "availability_zone", many: "availability_zones", attrs: map[string]rule{"name": readOnly, "resource": readOnly, "state": readOnly}}
	agentShape = newShape("agent", map[string]rule{"host": readOnly, "alive": readOnly, "admin_state_up": readOnly, "availability_zone": readOnly,
		"agent_type": readOnly, "binary": readOnly})
)

// listZones lists the zones that hosts are in. Every host is its own gateway,
// so each zone has both networks and routers, while it has a host that works.
func listZones(c *rest.Call) (rest.Answer, error) {
	works := map[string]bool{}
	for h := range c.View.Hosts() {
		works[h.Zone] = works[h.Zone] || !h.Down && !h.Disabled
	}
	var all []object
	for _, name := range slices.Sorted(maps.Keys(works)) {
		for _, resource := range []string{"network", "router"} {
			state := "unavailable"
			if works[name] {
				state = "available"
			}
			all = append(all, object{"name": name, "resource": resource, "state": state})
		}
	}
	return list(c, zoneShape, all)
}

// renderAgent shows a host as what it is for networks: the one agent there
// that does all of it. When it was last heard of is not in the state.
func renderAgent(_ state.View, _ rest.Caller, h *model.Host) object {
	return object{"id": h.ID, "agent_type": "Host agent", "binary": "kvorum", "host": h.Name, "topic": "N/A", "availability_zone": h.Zone,
		"admin_state_up": !h.Disabled, "alive": !h.Down, "created_at": at(h.CreatedAt), "started_at": nil, "heartbeat_timestamp": nil,
		"configurations": object{}, "resources_synced": nil, "description": nil}
}

func listAgents(c *rest.Call) (rest.Answer, error) {
	var all []object
	for h := range c.View.Hosts() {
		all = append(all, renderAgent(c.View, c.Caller, h))
	}
	return list(c, agentShape, all)
}

func showAgent(c *rest.Call) (rest.Answer, error) {
	h := c.View.Host(model.HostID(c.Param("id")))
	if h == nil {
		return rest.Answer{}, notFound("Agent", c.Param("id"))
	}
	return one(c, agentShape, renderAgent(c.View, c.Caller, h))
}
