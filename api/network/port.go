package network

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

func renderPort(c *rest.Call, p *model.Port) object {
	ips := []object{}
	for a := range c.View.FixedAddressesOf(p.ID) {
		ips = append(ips, object{"subnet_id": a.SubnetID, "ip_address": a.IP})
	}
	o := object{"id": p.ID, "name": p.Name, "description": p.Description, "network_id": p.NetworkID, "tenant_id": p.ProjectID, "project_id": p.ProjectID,
		"admin_state_up": !p.Down, "mac_address": p.MAC, "fixed_ips": ips, "device_id": p.DeviceID, "device_owner": p.DeviceOwner,
		"status": word(!p.Active && p.DeviceOwner != model.OwnerRouterInterface), "security_groups": []string{}, "port_security_enabled": true,
		"allowed_address_pairs": []string{}, "extra_dhcp_opts": []string{}, "binding:vnic_type": "normal",
		"created_at": at(p.CreatedAt), "updated_at": at(p.UpdatedAt), "revision_number": p.Revision, "tags": []string{}}
	if c.Caller.Admin() {
		host, kind := "", "unbound"
		if s := c.View.Server(model.ServerID(p.DeviceID)); s != nil {
			if h := c.View.Host(s.HostID); h != nil {
				host, kind = h.Name, "bridge"
			}
		}
		o["binding:host_id"], o["binding:vif_type"], o["binding:profile"], o["binding:vif_details"] = host, kind, object{}, object{}
	}
	return o
}

func listPorts(c *rest.Call) (rest.Answer, error) {
	var all []object
	for p := range c.View.Ports() {
		if p.ProjectID == c.Caller.ProjectID() || c.Caller.Admin() {
			all = append(all, renderPort(c, p))
		}
	}
	return list(c, "ports", all)
}

func showPort(c *rest.Call) (rest.Answer, error) {
	p := c.View.Port(model.PortID(c.Param("id")))
	if p == nil || p.ProjectID != c.Caller.ProjectID() && !c.Caller.Admin() {
		return rest.Answer{}, notFound("Port", c.Param("id"))
	}
	return answer(http.StatusOK, "port", renderPort(c, p))
}

// portIn is the body of a port's create and update.
type portIn struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
	Network     string  `json:"network_id"`
	Up          *bool   `json:"admin_state_up"`
	MAC         string  `json:"mac_address"`
	FixedIPs    *[]struct {
		Subnet string `json:"subnet_id"`
		IP     string `json:"ip_address"`
	} `json:"fixed_ips"`
	DeviceID    *string `json:"device_id"`
	DeviceOwner *string `json:"device_owner"`
	Tenant      string  `json:"tenant_id"`
	Project     string  `json:"project_id"`
}

// newMAC makes an address of the range that clouds use, from a new id, that
// is free on the network: with 24 bits, chance alone meets a taken one soon.
func newMAC(c *rest.Call, n model.NetworkID) (mac string) {
	for range 64 {
		h := c.Hex()
		mac = "fa:16:3e:" + h[0:2] + ":" + h[2:4] + ":" + h[4:6]
		if c.View.PortWithMAC(n, mac) == nil {
			break
		}
	}
	return mac
}

func createPort(c *rest.Call) (rest.Answer, error) {
	var in portIn
	if err := body(c, "port", &in); err != nil {
		return rest.Answer{}, err
	}
	if !seesNetwork(c, c.View.Network(model.NetworkID(in.Network))) {
		return rest.Answer{}, notFound("Network", in.Network)
	}
	p, err := owner(c, in.Tenant, in.Project)
	if err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.PortCreate{ID: model.PortID(c.UUID()), NetworkID: model.NetworkID(in.Network), ProjectID: p, Name: or(in.Name, ""),
		Description: or(in.Description, ""), MAC: in.MAC, Down: !or(in.Up, true), DeviceID: or(in.DeviceID, ""), DeviceOwner: or(in.DeviceOwner, "")}
	if cmd.MAC == "" {
		cmd.MAC = newMAC(c, cmd.NetworkID)
	}
	if in.FixedIPs != nil {
		cmd.NoAddress = len(*in.FixedIPs) == 0
		for _, f := range *in.FixedIPs {
			cmd.Wants = append(cmd.Wants, command.PortAddress{SubnetID: model.SubnetID(f.Subnet), IP: f.IP})
		}
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusCreated, "port", renderPort(c, c.View.Port(cmd.ID)))
}

func updatePort(c *rest.Call) (rest.Answer, error) {
	var in portIn
	if err := body(c, "port", &in); err != nil {
		return rest.Answer{}, err
	}
	if in.FixedIPs != nil || in.MAC != "" {
		return rest.Answer{}, invalid("The addresses of a port cannot be changed: make another port.")
	}
	cmd := &command.PortUpdate{ID: model.PortID(c.Param("id")), Name: in.Name, Description: in.Description, Down: not(in.Up), DeviceID: in.DeviceID, DeviceOwner: in.DeviceOwner}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusOK, "port", renderPort(c, c.View.Port(cmd.ID)))
}

func deletePort(c *rest.Call) (rest.Answer, error) {
	return remove(c, &command.PortDelete{ID: model.PortID(c.Param("id"))})
}
