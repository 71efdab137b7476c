package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func word(down bool) string {
	if down {
		return "DOWN"
	}
	return "ACTIVE"
}

func renderNetwork(c *rest.Call, n *model.Network) object {
	subnets := []model.SubnetID{}
	for s := range c.View.SubnetsOf(n.ID) {
		subnets = append(subnets, s.ID)
	}
	o := object{"id": n.ID, "name": n.Name, "description": n.Description, "admin_state_up": !n.Down, "status": word(n.Down), "subnets": subnets,
		"shared": n.Shared, "tenant_id": n.ProjectID, "project_id": n.ProjectID, "router:external": n.External, "mtu": n.MTU,
		"created_at": at(n.CreatedAt), "updated_at": at(n.UpdatedAt), "revision_number": n.Revision, "tags": []string{},
		"availability_zone_hints": []string{}, "availability_zones": []string{}, "ipv4_address_scope": nil, "ipv6_address_scope": nil}
	if c.Caller.Admin() {
		o["provider:network_type"], o["provider:physical_network"], o["provider:segmentation_id"] = "vxlan", nil, n.Segment
	}
	return o
}

func seesNetwork(c *rest.Call, n *model.Network) bool {
	return n != nil && (n.ProjectID == c.Caller.ProjectID() || n.Shared || n.External || c.Caller.Admin())
}

func findNetwork(c *rest.Call) (*model.Network, error) {
	n := c.View.Network(model.NetworkID(c.Param("id")))
	if !seesNetwork(c, n) {
		return nil, notFound("Network", c.Param("id"))
	}
	return n, nil
}

func listNetworks(c *rest.Call) (rest.Answer, error) {
	var all []object
	for n := range c.View.Networks() {
		if seesNetwork(c, n) {
			all = append(all, renderNetwork(c, n))
		}
	}
	return list(c, "networks", all)
}

func showNetwork(c *rest.Call) (rest.Answer, error) {
	n, err := findNetwork(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusOK, "network", renderNetwork(c, n))
}

// networkIn is the body of a network's create and update.
type networkIn struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
	Up          *bool   `json:"admin_state_up"`
	Shared      *bool   `json:"shared"`
	External    *bool   `json:"router:external"`
	MTU         *int    `json:"mtu"`
	Tenant      string  `json:"tenant_id"`
	Project     string  `json:"project_id"`
}

// or gives what is given, or a default.
func or[T any](given *T, def T) T {
	if given == nil {
		return def
	}
	return *given
}

func not(b *bool) *bool {
	if b == nil {
		return nil
	}
	n := !*b
	return &n
}

func (in networkIn) allowed(c *rest.Call) error {
	if (or(in.Shared, false) || or(in.External, false)) && !c.Caller.Admin() {
		return errs.Errorf("network.policy", errs.Forbidden, "shared and router:external are for administrators: it is disallowed by policy")
	}
	return nil
}

func createNetwork(c *rest.Call) (rest.Answer, error) {
	var in networkIn
	if err := body(c, "network", &in); err != nil {
		return rest.Answer{}, err
	}
	if err := in.allowed(c); err != nil {
		return rest.Answer{}, err
	}
	p, err := owner(c, in.Tenant, in.Project)
	if err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.NetworkCreate{ID: model.NetworkID(c.UUID()), ProjectID: p, Name: or(in.Name, ""), Description: or(in.Description, ""),
		Down: !or(in.Up, true), Shared: or(in.Shared, false), External: or(in.External, false), MTU: or(in.MTU, 0)}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusCreated, "network", renderNetwork(c, c.View.Network(cmd.ID)))
}

func updateNetwork(c *rest.Call) (rest.Answer, error) {
	var in networkIn
	if err := body(c, "network", &in); err != nil {
		return rest.Answer{}, err
	}
	if err := in.allowed(c); err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.NetworkUpdate{ID: model.NetworkID(c.Param("id")), Name: in.Name, Description: in.Description, Down: not(in.Up),
		Shared: in.Shared, External: in.External, MTU: in.MTU}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusOK, "network", renderNetwork(c, c.View.Network(cmd.ID)))
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
