package network

import (
	"iter"
	"net"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

var portShape = newShape("port", map[string]rule{
	"network_id": needed, "admin_state_up": both, "status": readOnly, "mac_address": both, "fixed_ips": both, "device_id": both, "device_owner": both,
	"security_groups": only("[]"), "port_security_enabled": only("true"), "allowed_address_pairs": only("[]"), "extra_dhcp_opts": only("[]"),
	"binding:vnic_type": only(`"normal"`), "binding:host_id": adminOnly(`""`), "binding:profile": adminOnly("{}", "null"),
	"binding:vif_type": readOnly, "binding:vif_details": readOnly,
})

func renderPort(v state.View, who rest.Caller, p *model.Port) object {
	ips := []object{}
	for a := range v.FixedAddressesOf(p.ID) {
		ips = append(ips, object{"subnet_id": a.SubnetID, "ip_address": a.IP})
	}
	o := object{"id": p.ID, "name": p.Name, "description": p.Description, "network_id": p.NetworkID, "tenant_id": p.ProjectID, "project_id": p.ProjectID,
		"admin_state_up": !p.Down, "mac_address": p.MAC, "fixed_ips": ips, "device_id": p.DeviceID, "device_owner": p.DeviceOwner,
		"status": portStatus(v, p), "security_groups": []string{}, "port_security_enabled": true,
		"allowed_address_pairs": []string{}, "extra_dhcp_opts": []string{}, "binding:vnic_type": "normal",
		"created_at": at(p.CreatedAt), "updated_at": at(p.UpdatedAt), "revision_number": int(p.Revision), "tags": tagList(p.Tags)}
	if who.Admin() {
		host, kind := "", "unbound"
		if s := v.Server(model.ServerID(p.DeviceID)); s != nil {
			if h := v.Host(s.HostID); h != nil {
				host, kind = h.Name, "bridge"
			}
		}
		o["binding:host_id"], o["binding:vif_type"], o["binding:profile"], o["binding:vif_details"] = host, kind, object{}, object{}
	}
	return o
}

// portStatus is BUILD while the port's server is being built and its host has
// not plugged it in. A router's interface is on every host that needs it.
func portStatus(v state.View, p *model.Port) string {
	if p.Down {
		return "DOWN"
	}
	if p.Active || p.DeviceOwner == model.OwnerRouterInterface {
		return "ACTIVE"
	}
	if s := v.Server(model.ServerID(p.DeviceID)); s != nil && s.VMState == model.Building {
		return "BUILD"
	}
	return "DOWN"
}

// portsFor gives the ports that a list's query can mean, by the narrowest
// index: a cloud has very many ports, and most lists ask for one server's.
func portsFor(c *rest.Call) iter.Seq[*model.Port] {
	q := c.Request.URL.Query()
	switch devices, networks := q["device_id"], q["network_id"]; {
	case len(devices) == 1 && devices[0] != "":
		return c.View.PortsOfDevice(devices[0])
	case len(networks) == 1:
		return c.View.PortsOn(model.NetworkID(networks[0]))
	case !c.Caller.Admin():
		return c.View.PortsOf(c.Caller.ProjectID())
	}
	return c.View.Ports()
}

func listPorts(c *rest.Call) (rest.Answer, error) {
	var rows []*model.Port
	for p := range portsFor(c) {
		if owns(c.Caller, p.ProjectID) {
			rows = append(rows, p)
		}
	}
	slices.SortFunc(rows, func(a, b *model.Port) int { return compare(string(a.ID), string(b.ID)) })
	var all []object
	for _, p := range rows {
		all = append(all, renderPort(c.View, c.Caller, p))
	}
	return list(c, portShape, all)
}

func showPort(c *rest.Call) (rest.Answer, error) {
	p := c.View.Port(model.PortID(c.Param("id")))
	if p == nil || !owns(c.Caller, p.ProjectID) {
		return rest.Answer{}, notFound("Port", c.Param("id"))
	}
	return one(c, portShape, renderPort(c.View, c.Caller, p))
}

// portIn is the body of a port's create and update.
type portIn struct {
	owned
	Name        *string    `json:"name"`
	Description *string    `json:"description"`
	Network     string     `json:"network_id"`
	Up          *boolean   `json:"admin_state_up"`
	MAC         *string    `json:"mac_address"`
	FixedIPs    *[]fixedIP `json:"fixed_ips"`
	DeviceID    *string    `json:"device_id"`
	DeviceOwner *string    `json:"device_owner"`
}

type fixedIP struct {
	Subnet string `json:"subnet_id"`
	IP     string `json:"ip_address"`
}

// newMAC makes an address of the range that clouds use, from new ids, that is
// free on the network and not among those given by this request: with 24 bits,
// chance alone meets a taken one soon.
func newMAC(v state.View, n model.NetworkID, hex func() string, given map[string]bool) (mac string) {
	for range 64 {
		h := hex()
		mac = "fa:16:3e:" + h[0:2] + ":" + h[2:4] + ":" + h[4:6]
		if v.PortWithMAC(n, mac) == nil && !given[mac] {
			break
		}
	}
	given[mac] = true
	return mac
}

var portMaker = &maker[portIn, model.Port, *command.PortCreate]{
	shape: portShape,
	decide: func(c *rest.Call) func(portIn) (*command.PortCreate, error) {
		given := map[string]bool{}
		mac := func(n model.NetworkID) string { return newMAC(c.View, n, c.Hex, given) }
		return func(in portIn) (*command.PortCreate, error) { return decidePort(c.View, c.Caller, in, c.UUID(), mac) }
	},
	several: func(all []*command.PortCreate) command.Command { return &command.PortsCreate{Items: all} },
	find:    func(c *rest.Call, cmd *command.PortCreate) *model.Port { return c.View.Port(cmd.ID) },
	render:  renderPort,
}

// decidePort turns a new port's body into its command; newMAC is where chance
// comes from. Only who owns the network chooses MACs and addresses on it.
func decidePort(v state.View, who rest.Caller, in portIn, id string, newMAC func(model.NetworkID) string) (*command.PortCreate, error) {
	n, err := findNetwork(v, who, in.Network)
	if err != nil {
		return nil, err
	}
	p, err := in.owner(who)
	if err != nil {
		return nil, err
	}
	cmd := &command.PortCreate{ID: model.PortID(id), NetworkID: n.ID, ProjectID: p, Name: or(in.Name, ""), Description: or(in.Description, ""),
		Down: !bool(or(in.Up, true)), DeviceID: or(in.DeviceID, ""), DeviceOwner: or(in.DeviceOwner, "")}
	if in.MAC == nil {
		cmd.MAC = newMAC(n.ID)
	} else if cmd.MAC, err = chosenMAC(who, n, *in.MAC); err != nil {
		return nil, err
	}
	if in.FixedIPs == nil {
		return cmd, nil
	}
	cmd.NoAddress = len(*in.FixedIPs) == 0
	for _, f := range *in.FixedIPs {
		if f.Subnet == "" && f.IP == "" {
			return nil, invalid("Invalid input for fixed_ips. Reason: each needs a subnet_id or an ip_address.")
		}
		if f.IP != "" && !owns(who, n.ProjectID) {
			return nil, forbidden("(rule:create_port:fixed_ips:ip_address) is disallowed by policy")
		}
		cmd.Wants = append(cmd.Wants, command.PortAddress{SubnetID: model.SubnetID(f.Subnet), IP: f.IP})
	}
	return cmd, nil
}

func chosenMAC(who rest.Caller, n *model.Network, text string) (string, error) {
	if !owns(who, n.ProjectID) {
		return "", forbidden("(rule:create_port:mac_address) is disallowed by policy")
	}
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 {
		return "", invalid("Invalid input for mac_address. Reason: '%.64s' is not a valid MAC address.", text)
	}
	return mac.String(), nil
}

func updatePort(c *rest.Call) (rest.Answer, error) {
	in, err := read[portIn](c, portShape)
	if err != nil {
		return rest.Answer{}, err
	}
	cmd, err := decidePortUpdate(c.View, c.Caller, in, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return changed(c, portShape, c.View.Port(cmd.ID), renderPort, notFound("Port", c.Param("id")))
}

// decidePortUpdate turns a port's change into its command. A port keeps its
// MAC and addresses for life; naming the ones that it has is no change.
func decidePortUpdate(v state.View, who rest.Caller, in portIn, id string) (*command.PortUpdate, error) {
	p := v.Port(model.PortID(id))
	if p == nil || !owns(who, p.ProjectID) {
		return nil, notFound("Port", id)
	}
	if in.MAC != nil {
		if mac, err := net.ParseMAC(*in.MAC); err != nil || mac.String() != p.MAC {
			return nil, notOffered("The MAC address of a port cannot be changed: make another port.")
		}
	}
	if in.FixedIPs != nil && !hasAddresses(v, p, *in.FixedIPs) {
		return nil, notOffered("The addresses of a port cannot be changed: make another port.")
	}
	return &command.PortUpdate{ID: p.ID, Name: in.Name, Description: in.Description, Down: not(in.Up), DeviceID: in.DeviceID, DeviceOwner: in.DeviceOwner}, nil
}

// hasAddresses tells whether a port has exactly the addresses that are named.
func hasAddresses(v state.View, p *model.Port, want []fixedIP) bool {
	n := 0
	for a := range v.FixedAddressesOf(p.ID) {
		n++
		if !slices.ContainsFunc(want, func(f fixedIP) bool {
			return f.IP == a.IP && (f.Subnet == "" || f.Subnet == string(a.SubnetID))
		}) {
			return false
		}
	}
	return n == len(want)
}

func deletePort(c *rest.Call) (rest.Answer, error) {
	return remove(c, &command.PortDelete{ID: model.PortID(c.Param("id"))})
}
