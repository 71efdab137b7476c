package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

var networkShape = newShape("network", map[string]rule{
	"admin_state_up": both, "status": readOnly, "shared": both, "router:external": both, "mtu": both, "subnets": readOnly,
	"port_security_enabled": only("true"), "is_default": only("false"),
	"availability_zone_hints": only("[]"), "availability_zones": readOnly, "ipv4_address_scope": readOnly, "ipv6_address_scope": readOnly,
	"provider:network_type": adminOnly(`"vxlan"`), "provider:physical_network": adminOnly("null"), "provider:segmentation_id": adminOnly("null"),
})

func renderNetwork(v state.View, who rest.Caller, n *model.Network) object {
	subnets := []model.SubnetID{}
	for s := range v.SubnetsOf(n.ID) {
		subnets = append(subnets, s.ID)
	}
	o := object{"id": n.ID, "name": n.Name, "description": n.Description, "admin_state_up": !n.Down, "status": word(n.Down), "subnets": subnets,
		"shared": n.Shared, "tenant_id": n.ProjectID, "project_id": n.ProjectID, "router:external": n.External, "mtu": n.MTU,
		"port_security_enabled": true, "created_at": at(n.CreatedAt), "updated_at": at(n.UpdatedAt), "revision_number": int(n.Revision),
		"tags": tagList(n.Tags), "availability_zone_hints": []string{}, "availability_zones": []string{}, "ipv4_address_scope": nil, "ipv6_address_scope": nil}
	if who.Admin() {
		o["provider:network_type"], o["provider:physical_network"], o["provider:segmentation_id"] = "vxlan", nil, int(n.Segment)
	}
	return o
}

func seesNetwork(who rest.Caller, n *model.Network) bool {
	return n != nil && (n.Shared || n.External || owns(who, n.ProjectID))
}

// owns tells whether what belongs to a project is the caller's to use.
func owns(who rest.Caller, p model.ProjectID) bool { return p == who.ProjectID() || who.Admin() }

// findNetwork gives a network that the caller may see; others do not exist for
// it.
func findNetwork(v state.View, who rest.Caller, id string) (*model.Network, error) {
	n := v.Network(model.NetworkID(id))
	if !seesNetwork(who, n) {
		return nil, notFound("Network", id)
	}
	return n, nil
}

func listNetworks(c *rest.Call) (rest.Answer, error) {
	var all []object
	for n := range c.View.Networks() {
		if seesNetwork(c.Caller, n) {
			all = append(all, renderNetwork(c.View, c.Caller, n))
		}
	}
	return list(c, networkShape, all)
}

func showNetwork(c *rest.Call) (rest.Answer, error) {
	n, err := findNetwork(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	return one(c, networkShape, renderNetwork(c.View, c.Caller, n))
}

// networkIn is the body of a network's create and update.
type networkIn struct {
	owned
	Name        *string  `json:"name"`
	Description *string  `json:"description"`
	Up          *boolean `json:"admin_state_up"`
	Shared      *boolean `json:"shared"`
	External    *boolean `json:"router:external"`
	MTU         *number  `json:"mtu"`
}

var networkMaker = &maker[networkIn, model.Network, *command.NetworkCreate]{
	shape: networkShape,
	decide: func(c *rest.Call) func(networkIn) (*command.NetworkCreate, error) {
		return func(in networkIn) (*command.NetworkCreate, error) { return decideNetwork(c.Caller, in, c.UUID()) }
	},
	several: func(all []*command.NetworkCreate) command.Command { return &command.NetworksCreate{Items: all} },
	find:    func(c *rest.Call, cmd *command.NetworkCreate) *model.Network { return c.View.Network(cmd.ID) },
	render:  renderNetwork,
}

// decideNetwork turns a new network's body into its command.
func decideNetwork(who rest.Caller, in networkIn, id string) (*command.NetworkCreate, error) {
	p, err := in.owner(who)
	if err != nil {
		return nil, err
	}
	return &command.NetworkCreate{ID: model.NetworkID(id), ProjectID: p, Name: or(in.Name, ""), Description: or(in.Description, ""),
		Down: !bool(or(in.Up, true)), Shared: bool(or(in.Shared, false)), External: bool(or(in.External, false)), MTU: int(or(in.MTU, 0))}, nil
}

func updateNetwork(c *rest.Call) (rest.Answer, error) {
	in, err := read[networkIn](c, networkShape)
	if err != nil {
		return rest.Answer{}, err
	}
	id := model.NetworkID(c.Param("id"))
	if _, err := c.Do(&command.NetworkUpdate{ID: id, Name: in.Name, Description: in.Description, Down: not(in.Up),
		Shared: (*bool)(in.Shared), External: (*bool)(in.External), MTU: in.MTU.whole()}); err != nil {
		return rest.Answer{}, err
	}
	return changed(c, networkShape, c.View.Network(id), renderNetwork, notFound("Network", string(id)))
}

func deleteNetwork(c *rest.Call) (rest.Answer, error) {
	return remove(c, &command.NetworkDelete{ID: model.NetworkID(c.Param("id"))})
}

// remove carries a delete out.
func remove(c *rest.Call, cmd command.Command) (rest.Answer, error) {
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}
