package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// interfaceIn is the body that names a router's interface.
type interfaceIn struct {
	Subnet string `json:"subnet_id"`
	Port   string `json:"port_id"`
}

func readInterface(c *rest.Call) (in interfaceIn, err error) {
	if err := c.Decode(&in, true); err != nil {
		return in, err
	}
	if in == (interfaceIn{}) {
		return in, invalid("Bad router request: Either subnet_id or port_id must be specified.")
	}
	return in, nil
}

func attach(c *rest.Call) (rest.Answer, error) {
	in, err := readInterface(c)
	if err != nil {
		return rest.Answer{}, err
	}
	cmd, err := decideAttach(c.View, c.Caller, in, c.Param("id"), c.UUID(), c.Hex)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return interfaceOut(c, cmd.SubnetID, cmd.PortID)
}

// decideAttach gives a router an interface on a subnet, by a new port.
func decideAttach(v state.View, who rest.Caller, in interfaceIn, router, port string, hex func() string) (*command.RouterAttach, error) {
	if _, err := findRouter(v, who, router); err != nil {
		return nil, err
	}
	if in.Port != "" && in.Subnet != "" {
		return nil, invalid("Bad router request: Cannot specify both subnet-id and port-id.")
	}
	if in.Port != "" {
		if p := v.Port(model.PortID(in.Port)); p == nil || !owns(who, p.ProjectID) {
			return nil, notFound("Port", in.Port)
		}
		return nil, notOffered("An interface is made by a subnet's id here, not by a port's.")
	}
	s := v.Subnet(model.SubnetID(in.Subnet))
	if !seesSubnet(v, who, s) {
		return nil, notFound("Subnet", in.Subnet)
	}
	return &command.RouterAttach{ID: model.RouterID(router), SubnetID: s.ID, PortID: model.PortID(port), MAC: newMAC(v, s.NetworkID, hex, map[string]bool{})}, nil
}

func detach(c *rest.Call) (rest.Answer, error) {
	in, err := readInterface(c)
	if err != nil {
		return rest.Answer{}, err
	}
	subnet, port, err := findInterface(c.View, c.Caller, in, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.RouterDetach{ID: model.RouterID(c.Param("id")), SubnetID: subnet}); err != nil {
		return rest.Answer{}, err
	}
	return interfaceOut(c, subnet, port)
}

// findInterface finds a router's interface by its port, its subnet or both.
func findInterface(v state.View, who rest.Caller, in interfaceIn, router string) (model.SubnetID, model.PortID, error) {
	if _, err := findRouter(v, who, router); err != nil {
		return "", "", err
	}
	for p := range v.PortsOfDevice(router) {
		for a := range v.FixedAddressesOf(p.ID) {
			switch {
			case in.Port == string(p.ID) && in.Subnet != "" && in.Subnet != string(a.SubnetID):
				return "", "", errs.Errorf("network.interface", errs.Conflict, "Subnet on port %s does not match the requested subnet %.64s.", p.ID, in.Subnet)
			case in.Port == string(p.ID), in.Port == "" && in.Subnet == string(a.SubnetID):
				return a.SubnetID, p.ID, nil
			}
		}
	}
	if in.Port != "" {
		return "", "", errs.Errorf("network.interface", errs.NotFound, "Router %s does not have an interface with id %.64s", router, in.Port)
	}
	if !seesSubnet(v, who, v.Subnet(model.SubnetID(in.Subnet))) {
		return "", "", notFound("Subnet", in.Subnet)
	}
	return "", "", errs.Errorf("network.interface", errs.NotFound, "Router %s has no interface on subnet %.64s", router, in.Subnet)
}

func interfaceOut(c *rest.Call, subnet model.SubnetID, port model.PortID) (rest.Answer, error) {
	r, s := c.View.Router(model.RouterID(c.Param("id"))), c.View.Subnet(subnet)
	if r == nil || s == nil {
		return rest.Answer{}, notFound("Router", c.Param("id"))
	}
	return rest.JSON(http.StatusOK, object{"id": r.ID, "tenant_id": r.ProjectID, "project_id": r.ProjectID, "port_id": port,
		"network_id": s.NetworkID, "subnet_id": subnet, "subnet_ids": []model.SubnetID{subnet}}), nil
}
