package network

import (
	"encoding/json"
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func renderRouter(r *model.Router) object {
	var gateway any
	if r.ExternalNetworkID != "" {
		gateway = object{"network_id": r.ExternalNetworkID, "enable_snat": true, "external_fixed_ips": []string{}}
	}
	return object{"id": r.ID, "name": r.Name, "description": r.Description, "tenant_id": r.ProjectID, "project_id": r.ProjectID,
		"admin_state_up": !r.Down, "status": word(r.Down), "external_gateway_info": gateway, "routes": []string{}, "ha": false, "distributed": false,
		"flavor_id": nil, "availability_zone_hints": []string{}, "availability_zones": []string{},
		"created_at": at(r.CreatedAt), "updated_at": at(r.UpdatedAt), "revision_number": r.Revision, "tags": []string{}}
}

func listRouters(c *rest.Call) (rest.Answer, error) {
	var all []object
	for r := range c.View.Routers() {
		if r.ProjectID == c.Caller.ProjectID() || c.Caller.Admin() {
			all = append(all, renderRouter(r))
		}
	}
	return list(c, "routers", all)
}

func findRouter(c *rest.Call) (*model.Router, error) {
	r := c.View.Router(model.RouterID(c.Param("id")))
	if r == nil || r.ProjectID != c.Caller.ProjectID() && !c.Caller.Admin() {
		return nil, notFound("Router", c.Param("id"))
	}
	return r, nil
}

func showRouter(c *rest.Call) (rest.Answer, error) {
	r, err := findRouter(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusOK, "router", renderRouter(r))
}

// routerIn is the body of a router's create and update.
type routerIn struct {
	Name        *string          `json:"name"`
	Description *string          `json:"description"`
	Up          *bool            `json:"admin_state_up"`
	Gateway     *json.RawMessage `json:"external_gateway_info"`
	Tenant      string           `json:"tenant_id"`
	Project     string           `json:"project_id"`
}

// gateway reads external_gateway_info; nil when it is absent, empty for none.
func (in routerIn) gateway() (*model.NetworkID, error) {
	if in.Gateway == nil {
		return nil, nil
	}
	var g struct {
		Network model.NetworkID `json:"network_id"`
		SNAT    *bool           `json:"enable_snat"`
	}
	if err := json.Unmarshal(*in.Gateway, &g); err != nil {
		return nil, invalid("Invalid input for external_gateway_info. Reason: it is not an object or null.")
	}
	if g.SNAT != nil && !*g.SNAT {
		return nil, errs.Errorf("network.router", errs.NotImplemented, "A gateway without source NAT is not offered.")
	}
	return &g.Network, nil
}

func createRouter(c *rest.Call) (rest.Answer, error) {
	var in routerIn
	if err := body(c, "router", &in); err != nil {
		return rest.Answer{}, err
	}
	p, err := owner(c, in.Tenant, in.Project)
	if err != nil {
		return rest.Answer{}, err
	}
	gateway, err := in.gateway()
	if err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.RouterCreate{ID: model.RouterID(c.UUID()), ProjectID: p, Name: or(in.Name, ""), Description: or(in.Description, ""),
		Down: !or(in.Up, true), ExternalNetworkID: or(gateway, "")}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusCreated, "router", renderRouter(c.View.Router(cmd.ID)))
}

func updateRouter(c *rest.Call) (rest.Answer, error) {
	var in routerIn
	if err := body(c, "router", &in); err != nil {
		return rest.Answer{}, err
	}
	gateway, err := in.gateway()
	if err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.RouterUpdate{ID: model.RouterID(c.Param("id")), Name: in.Name, Description: in.Description, Down: not(in.Up), ExternalNetworkID: gateway}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusOK, "router", renderRouter(c.View.Router(cmd.ID)))
}

func deleteRouter(c *rest.Call) (rest.Answer, error) {
	return remove(c, &command.RouterDelete{ID: model.RouterID(c.Param("id"))})
}

// interfaceIn names the subnet of an interface.
func interfaceIn(c *rest.Call) (model.SubnetID, error) {
	var in struct {
		Subnet string `json:"subnet_id"`
		Port   string `json:"port_id"`
	}
	if err := c.Decode(&in, true); err != nil {
		return "", err
	}
	if in.Port != "" {
		if p := c.View.Port(model.PortID(in.Port)); p != nil && p.DeviceID == c.Param("id") {
			for a := range c.View.FixedAddressesOf(p.ID) {
				return a.SubnetID, nil
			}
		}
		return "", errs.Errorf("network.router", errs.NotImplemented, "An interface is made by a subnet's id here, not by a port's.")
	}
	if in.Subnet == "" {
		return "", invalid("Either subnet_id or port_id must be specified")
	}
	return model.SubnetID(in.Subnet), nil
}

func attach(c *rest.Call) (rest.Answer, error) {
	subnet, err := interfaceIn(c)
	if err != nil {
		return rest.Answer{}, err
	}
	var network model.NetworkID
	if s := c.View.Subnet(subnet); s != nil {
		network = s.NetworkID
	}
	cmd := &command.RouterAttach{ID: model.RouterID(c.Param("id")), SubnetID: subnet, PortID: model.PortID(c.UUID()), MAC: newMAC(c, network)}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return interfaceOut(c, subnet, cmd.PortID)
}

func detach(c *rest.Call) (rest.Answer, error) {
	subnet, err := interfaceIn(c)
	if err != nil {
		return rest.Answer{}, err
	}
	var port model.PortID
	for p := range c.View.PortsOfDevice(c.Param("id")) {
		for a := range c.View.FixedAddressesOf(p.ID) {
			if a.SubnetID == subnet {
				port = p.ID
			}
		}
	}
	if _, err := c.Do(&command.RouterDetach{ID: model.RouterID(c.Param("id")), SubnetID: subnet}); err != nil {
		return rest.Answer{}, err
	}
	return interfaceOut(c, subnet, port)
}

func interfaceOut(c *rest.Call, subnet model.SubnetID, port model.PortID) (rest.Answer, error) {
	r, s := c.View.Router(model.RouterID(c.Param("id"))), c.View.Subnet(subnet)
	return rest.JSON(http.StatusOK, object{"id": r.ID, "tenant_id": r.ProjectID, "project_id": r.ProjectID, "port_id": port,
		"network_id": s.NetworkID, "subnet_id": subnet, "subnet_ids": []model.SubnetID{subnet}}), nil
}
