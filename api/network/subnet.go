package network

import (
	"encoding/json"
	"net/netip"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// subnetShape has no status: a subnet is a range, not a thing that runs.
var subnetShape = newShape("subnet", map[string]rule{
	"network_id": needed, "ip_version": needed, "cidr": needed, "gateway_ip": {create: true, update: true, null: true}, "enable_dhcp": both,
	"allocation_pools": both, "dns_nameservers": both, "host_routes": both,
	"ipv6_ra_mode": only("null"), "ipv6_address_mode": only("null"), "subnetpool_id": only("null"), "segment_id": only("null"),
	"service_types": only("[]"), "use_default_subnetpool": only("false"),
})

func renderSubnet(_ state.View, _ rest.Caller, s *model.Subnet) object {
	pools, routes := []object{}, []object{}
	for _, p := range s.Pools {
		pools = append(pools, object{"start": p.Start, "end": p.End})
	}
	for _, r := range s.Routes {
		routes = append(routes, object{"destination": r.Destination, "nexthop": r.NextHop})
	}
	var gateway any
	if s.Gateway != "" {
		gateway = s.Gateway
	}
	return object{"id": s.ID, "name": s.Name, "description": s.Description, "network_id": s.NetworkID, "tenant_id": s.ProjectID, "project_id": s.ProjectID,
		"ip_version": 4, "cidr": s.CIDR, "gateway_ip": gateway, "enable_dhcp": !s.NoDHCP, "allocation_pools": pools,
		"dns_nameservers": append([]string{}, s.DNS...), "host_routes": routes, "ipv6_ra_mode": nil, "ipv6_address_mode": nil, "subnetpool_id": nil,
		"service_types": []string{}, "segment_id": nil, "created_at": at(s.CreatedAt), "updated_at": at(s.UpdatedAt),
		"revision_number": int(s.Revision), "tags": tagList(s.Tags)}
}

func seesSubnet(v state.View, who rest.Caller, s *model.Subnet) bool {
	return s != nil && (owns(who, s.ProjectID) || seesNetwork(who, v.Network(s.NetworkID)))
}

func listSubnets(c *rest.Call) (rest.Answer, error) {
	var all []object
	for s := range c.View.Subnets() {
		if seesSubnet(c.View, c.Caller, s) {
			all = append(all, renderSubnet(c.View, c.Caller, s))
		}
	}
	return list(c, subnetShape, all)
}

func showSubnet(c *rest.Call) (rest.Answer, error) {
	s := c.View.Subnet(model.SubnetID(c.Param("id")))
	if !seesSubnet(c.View, c.Caller, s) {
		return rest.Answer{}, notFound("Subnet", c.Param("id"))
	}
	return one(c, subnetShape, renderSubnet(c.View, c.Caller, s))
}

// subnetIn is the body of a subnet's create and update.
type subnetIn struct {
	owned
	Name        *string            `json:"name"`
	Description *string            `json:"description"`
	Network     string             `json:"network_id"`
	IPVersion   number             `json:"ip_version"`
	CIDR        string             `json:"cidr"`
	Gateway     optionalText       `json:"gateway_ip"`
	DHCP        *boolean           `json:"enable_dhcp"`
	Pools       *[]model.Pool      `json:"allocation_pools"`
	DNS         *[]string          `json:"dns_nameservers"`
	Routes      *[]model.HostRoute `json:"host_routes"`
}

// optionalText tells an attribute that is absent from one that is null: given
// says that it is there, and null gives an empty text.
type optionalText struct {
	given bool
	text  string
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *optionalText) UnmarshalJSON(b []byte) error {
	o.given = true
	return json.Unmarshal(b, &o.text)
}

// pointer is the text for commands that change only what is given.
func (o optionalText) pointer() *string {
	if !o.given {
		return nil
	}
	return &o.text
}

var subnetMaker = &maker[subnetIn, model.Subnet, *command.SubnetCreate]{
	shape: subnetShape,
	decide: func(c *rest.Call) func(subnetIn) (*command.SubnetCreate, error) {
		return func(in subnetIn) (*command.SubnetCreate, error) { return decideSubnet(c.View, c.Caller, in, c.UUID()) }
	},
	several: func(all []*command.SubnetCreate) command.Command { return &command.SubnetsCreate{Items: all} },
	find:    func(c *rest.Call, cmd *command.SubnetCreate) *model.Subnet { return c.View.Subnet(cmd.ID) },
	render:  renderSubnet,
}

// decideSubnet turns a new subnet's body into its command. Without a word
// about the gateway it is the range's first address.
func decideSubnet(v state.View, who rest.Caller, in subnetIn, id string) (*command.SubnetCreate, error) {
	if in.IPVersion == 6 {
		return nil, invalid("Invalid input for ip_version. Reason: '6' is not in [4]: hosts carry IPv4 only.")
	}
	if in.IPVersion != 4 {
		return nil, invalid("Invalid input for ip_version. Reason: '%d' is not in [4].", in.IPVersion)
	}
	prefix, err := netip.ParsePrefix(in.CIDR)
	if err != nil {
		return nil, invalid("Invalid input for cidr. Reason: '%.64s' is not a valid IP subnet.", in.CIDR)
	}
	if !prefix.Addr().Is4() {
		return nil, invalid("Invalid input for operation: cidr '%s' does not match the ip_version '%d'.", prefix, in.IPVersion)
	}
	if _, err := findNetwork(v, who, in.Network); err != nil {
		return nil, err
	}
	p, err := in.owner(who)
	if err != nil {
		return nil, err
	}
	gateway := in.Gateway.text
	if !in.Gateway.given {
		gateway = prefix.Masked().Addr().Next().String()
	}
	return &command.SubnetCreate{ID: model.SubnetID(id), NetworkID: model.NetworkID(in.Network), ProjectID: p, Name: or(in.Name, ""),
		Description: or(in.Description, ""), CIDR: in.CIDR, Gateway: gateway, NoDHCP: !bool(or(in.DHCP, true)),
		Pools: or(in.Pools, nil), DNS: or(in.DNS, nil), Routes: or(in.Routes, nil)}, nil
}

func updateSubnet(c *rest.Call) (rest.Answer, error) {
	in, err := read[subnetIn](c, subnetShape)
	if err != nil {
		return rest.Answer{}, err
	}
	id := model.SubnetID(c.Param("id"))
	if _, err := c.Do(&command.SubnetUpdate{ID: id, Name: in.Name, Description: in.Description, Gateway: in.Gateway.pointer(),
		NoDHCP: not(in.DHCP), Pools: in.Pools, DNS: in.DNS, Routes: in.Routes}); err != nil {
		return rest.Answer{}, err
	}
	return changed(c, subnetShape, c.View.Subnet(id), renderSubnet, notFound("Subnet", string(id)))
}

func deleteSubnet(c *rest.Call) (rest.Answer, error) {
	return remove(c, &command.SubnetDelete{ID: model.SubnetID(c.Param("id"))})
}
