package network

import (
	"encoding/json"
	"net/http"
	"net/netip"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

func renderSubnet(s *model.Subnet) object {
	pools, routes, dns := []object{}, []object{}, s.DNS
	for _, p := range s.Pools {
		pools = append(pools, object{"start": p.Start, "end": p.End})
	}
	for _, r := range s.Routes {
		routes = append(routes, object{"destination": r.Destination, "nexthop": r.NextHop})
	}
	if dns == nil {
		dns = []string{}
	}
	var gateway any
	if s.Gateway != "" {
		gateway = s.Gateway
	}
	version := 4
	if p, err := netip.ParsePrefix(s.CIDR); err == nil && p.Addr().Is6() {
		version = 6
	}
	return object{"id": s.ID, "name": s.Name, "description": s.Description, "network_id": s.NetworkID, "tenant_id": s.ProjectID, "project_id": s.ProjectID,
		"ip_version": version, "cidr": s.CIDR, "gateway_ip": gateway, "enable_dhcp": !s.NoDHCP, "allocation_pools": pools, "dns_nameservers": dns,
		"host_routes": routes, "ipv6_ra_mode": nil, "ipv6_address_mode": nil, "subnetpool_id": nil, "service_types": []string{}, "segment_id": nil,
		"created_at": at(s.CreatedAt), "updated_at": at(s.UpdatedAt), "revision_number": s.Revision, "tags": []string{}}
}

func seesSubnet(c *rest.Call, s *model.Subnet) bool {
	return s != nil && (s.ProjectID == c.Caller.ProjectID() || seesNetwork(c, c.View.Network(s.NetworkID)))
}

func listSubnets(c *rest.Call) (rest.Answer, error) {
	var all []object
	for s := range c.View.Subnets() {
		if seesSubnet(c, s) {
			all = append(all, renderSubnet(s))
		}
	}
	return list(c, "subnets", all)
}

func showSubnet(c *rest.Call) (rest.Answer, error) {
	s := c.View.Subnet(model.SubnetID(c.Param("id")))
	if !seesSubnet(c, s) {
		return rest.Answer{}, notFound("Subnet", c.Param("id"))
	}
	return answer(http.StatusOK, "subnet", renderSubnet(s))
}

// subnetIn is the body of a subnet's create and update.
type subnetIn struct {
	Name        *string            `json:"name"`
	Description *string            `json:"description"`
	Network     string             `json:"network_id"`
	IPVersion   *int               `json:"ip_version"`
	CIDR        string             `json:"cidr"`
	Gateway     *json.RawMessage   `json:"gateway_ip"`
	DHCP        *bool              `json:"enable_dhcp"`
	Pools       *[]model.Pool      `json:"allocation_pools"`
	DNS         *[]string          `json:"dns_nameservers"`
	Routes      *[]model.HostRoute `json:"host_routes"`
	Tenant      string             `json:"tenant_id"`
	Project     string             `json:"project_id"`
}

// gateway reads gateway_ip: given is false when it is absent, and null is
// "none".
func (in subnetIn) gateway() (ip string, given bool, err error) {
	if in.Gateway == nil {
		return "", false, nil
	}
	if string(*in.Gateway) == "null" {
		return "", true, nil
	}
	if json.Unmarshal(*in.Gateway, &ip) != nil {
		return "", true, invalid("Invalid input for gateway_ip. Reason: it is not an IP address.")
	}
	return ip, true, nil
}

func createSubnet(c *rest.Call) (rest.Answer, error) {
	var in subnetIn
	if err := body(c, "subnet", &in); err != nil {
		return rest.Answer{}, err
	}
	prefix, err := netip.ParsePrefix(in.CIDR)
	if err != nil {
		return rest.Answer{}, invalid("Invalid input for cidr. Reason: '%.64s' is not a valid IP subnet.", in.CIDR)
	}
	if v := or(in.IPVersion, 4); v == 4 != prefix.Addr().Is4() {
		return rest.Answer{}, invalid("Invalid input for operation: the IP version %d does not match the range %s.", v, in.CIDR)
	}
	if !seesNetwork(c, c.View.Network(model.NetworkID(in.Network))) {
		return rest.Answer{}, notFound("Network", in.Network)
	}
	p, err := owner(c, in.Tenant, in.Project)
	if err != nil {
		return rest.Answer{}, err
	}
	gateway, given, err := in.gateway()
	if err != nil {
		return rest.Answer{}, err
	}
	if !given {
		gateway = prefix.Masked().Addr().Next().String()
	}
	cmd := &command.SubnetCreate{ID: model.SubnetID(c.UUID()), NetworkID: model.NetworkID(in.Network), ProjectID: p, Name: or(in.Name, ""),
		Description: or(in.Description, ""), CIDR: prefix.Masked().String(), Gateway: gateway, NoDHCP: !or(in.DHCP, true), Pools: or(in.Pools, nil), DNS: or(in.DNS, nil), Routes: or(in.Routes, nil)}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusCreated, "subnet", renderSubnet(c.View.Subnet(cmd.ID)))
}

func updateSubnet(c *rest.Call) (rest.Answer, error) {
	var in subnetIn
	if err := body(c, "subnet", &in); err != nil {
		return rest.Answer{}, err
	}
	gateway, given, err := in.gateway()
	if err != nil {
		return rest.Answer{}, err
	}
	cmd := &command.SubnetUpdate{ID: model.SubnetID(c.Param("id")), Name: in.Name, Description: in.Description, NoDHCP: not(in.DHCP), Pools: in.Pools, DNS: in.DNS, Routes: in.Routes}
	if given {
		cmd.Gateway = &gateway
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return answer(http.StatusOK, "subnet", renderSubnet(c.View.Subnet(cmd.ID)))
}

func deleteSubnet(c *rest.Call) (rest.Answer, error) {
	return remove(c, &command.SubnetDelete{ID: model.SubnetID(c.Param("id"))})
}
