package network

import (
	"encoding/json"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

var routerShape = newShape("router", map[string]rule{
	"admin_state_up": both, "status": readOnly, "external_gateway_info": {create: true, update: true, null: true},
	"routes": only("[]"), "ha": adminOnly("false", "null"), "distributed": adminOnly("false", "null"), "flavor_id": only("null"),
	"availability_zone_hints": only("[]"), "availability_zones": readOnly,
})

func renderRouter(_ state.View, _ rest.Caller, r *model.Router) object {
	var gateway any
	if r.ExternalNetworkID != "" {
		gateway = object{"network_id": r.ExternalNetworkID, "enable_snat": true, "external_fixed_ips": []string{}}
	}
	return object{"id": r.ID, "name": r.Name, "description": r.Description, "tenant_id": r.ProjectID, "project_id": r.ProjectID,
		"admin_state_up": !r.Down, "status": word(r.Down), "external_gateway_info": gateway, "routes": []string{}, "ha": false, "distributed": false,
		"flavor_id": nil, "availability_zone_hints": []string{}, "availability_zones": []string{},
		"created_at": at(r.CreatedAt), "updated_at": at(r.UpdatedAt), "revision_number": int(r.Revision), "tags": tagList(r.Tags)}
}

func listRouters(c *rest.Call) (rest.Answer, error) {
	var all []object
	for r := range c.View.Routers() {
		if owns(c.Caller, r.ProjectID) {
			all = append(all, renderRouter(c.View, c.Caller, r))
		}
	}
	return list(c, routerShape, all)
}

// findRouter gives a router that is the caller's; others do not exist for it.
func findRouter(v state.View, who rest.Caller, id string) (*model.Router, error) {
	r := v.Router(model.RouterID(id))
	if r == nil || !owns(who, r.ProjectID) {
		return nil, notFound("Router", id)
	}
	return r, nil
}

func showRouter(c *rest.Call) (rest.Answer, error) {
	r, err := findRouter(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	return one(c, routerShape, renderRouter(c.View, c.Caller, r))
}

// routerIn is the body of a router's create and update.
type routerIn struct {
	owned
	Name        *string      `json:"name"`
	Description *string      `json:"description"`
	Up          *boolean     `json:"admin_state_up"`
	Gateway     optionalJSON `json:"external_gateway_info"`
}

// optionalJSON keeps an attribute as it is, null included; nil when absent.
type optionalJSON []byte

// UnmarshalJSON implements json.Unmarshaler.
func (o *optionalJSON) UnmarshalJSON(b []byte) error {
	*o = append(optionalJSON{}, b...)
	return nil
}

// gatewayShape is what external_gateway_info may have.
var gatewayShape = &shape{one: "external_gateway_info", attrs: map[string]rule{
	"network_id": both, "enable_snat": only("true"), "external_fixed_ips": only("[]"),
}}

// gateway is the external network that a body names: nil when it does not
// speak of it, empty for none. The way out is the host's own address, with
// source NAT, so neither addresses nor NAT can be chosen.
func (in routerIn) gateway() (*model.NetworkID, error) {
	if in.Gateway == nil {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(in.Gateway, &fields); err != nil {
		return nil, invalid("Invalid input for external_gateway_info. Reason: it is neither an object nor null.")
	}
	var g struct {
		Network model.NetworkID `json:"network_id"`
	}
	if len(fields) == 0 {
		return &g.Network, nil
	}
	if _, there := fields["network_id"]; !there {
		return nil, invalid("Invalid input for external_gateway_info. Reason: Validation of dictionary's keys failed. Expected keys: {'network_id'}.")
	}
	if err := gatewayShape.readOne(in.Gateway, false, true, &g); err != nil {
		return nil, err
	}
	if g.Network == "" {
		return nil, invalid("Invalid input for external_gateway_info. Reason: '' is not a valid UUID.")
	}
	return &g.Network, nil
}

var routerMaker = &maker[routerIn, model.Router, *command.RouterCreate]{
	shape: routerShape,
	decide: func(c *rest.Call) func(routerIn) (*command.RouterCreate, error) {
		return func(in routerIn) (*command.RouterCreate, error) { return decideRouter(c.Caller, in, c.UUID()) }
	},
	find:   func(c *rest.Call, cmd *command.RouterCreate) *model.Router { return c.View.Router(cmd.ID) },
	render: renderRouter,
}

// decideRouter turns a new router's body into its command.
func decideRouter(who rest.Caller, in routerIn, id string) (*command.RouterCreate, error) {
	p, err := in.owner(who)
	if err != nil {
		return nil, err
	}
	gateway, err := in.gateway()
	if err != nil {
		return nil, err
	}
	return &command.RouterCreate{ID: model.RouterID(id), ProjectID: p, Name: or(in.Name, ""), Description: or(in.Description, ""),
		Down: !bool(or(in.Up, true)), ExternalNetworkID: or(gateway, "")}, nil
}

func updateRouter(c *rest.Call) (rest.Answer, error) {
	in, err := read[routerIn](c, routerShape)
	if err != nil {
		return rest.Answer{}, err
	}
	gateway, err := in.gateway()
	if err != nil {
		return rest.Answer{}, err
	}
	id := model.RouterID(c.Param("id"))
	if _, err := c.Do(&command.RouterUpdate{ID: id, Name: in.Name, Description: in.Description, Down: not(in.Up), ExternalNetworkID: gateway}); err != nil {
		return rest.Answer{}, err
	}
	return changed(c, routerShape, c.View.Router(id), renderRouter, notFound("Router", string(id)))
}

func deleteRouter(c *rest.Call) (rest.Answer, error) {
	return remove(c, &command.RouterDelete{ID: model.RouterID(c.Param("id"))})
}
