package metadata

import (
	"fmt"
	"net/netip"
	"slices"
)

// networkData is network_data.json. Source: legacy spec 2.4; which keys cloud-init insists on is in 2.8.
type networkData struct {
	Links    []networkLink    `json:"links"`
	Networks []networkSubnet  `json:"networks"`
	Services []networkService `json:"services"`
}

type networkLink struct {
	ID    string `json:"id"`
	VifID string `json:"vif_id"`
	Type  string `json:"type"`
	MTU   *int   `json:"mtu"`
	MAC   string `json:"ethernet_mac_address"`
}

type networkSubnet struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Link      string            `json:"link"`
	NetworkID string            `json:"network_id"`
	IPAddress string            `json:"ip_address,omitempty"`
	Netmask   string            `json:"netmask,omitempty"`
	Routes    *[]networkRoute   `json:"routes,omitempty"`
	Services  *[]networkService `json:"services,omitempty"`
}

type networkRoute struct {
	Network string `json:"network"`
	Netmask string `json:"netmask"`
	Gateway string `json:"gateway"`
}

type networkService struct {
	Type    string `json:"type"`
	Address string `json:"address"`
}

// networkDataJSON describes every NIC that has an address. A NIC without one is left out, as OpenStack does: the guest
// could not configure it.
func networkDataJSON(nics []NIC) networkData {
	data := networkData{Links: []networkLink{}, Networks: []networkSubnet{}, Services: []networkService{}}
	for i, nic := range nics {
		v4, has4 := nic.first(true)
		v6, has6 := nic.first(false)
		if !has4 && !has6 {
			continue
		}
		link := linkOf(nic, i)
		data.Links = append(data.Links, link)
		if has4 {
			data.add(v4, nic, link.ID)
		}
		if has6 {
			data.add(v6, nic, link.ID)
		}
	}
	return data
}

// add appends an address as the next network and its name servers as services, each server once.
func (d *networkData) add(a Address, nic NIC, link string) {
	id := fmt.Sprintf("network%d", len(d.Networks))
	d.Networks = append(d.Networks, subnetOf(a, id, link, nic.NetworkID))
	for _, s := range servicesOf(a.DNS) {
		if !slices.Contains(d.Services, s) {
			d.Services = append(d.Services, s)
		}
	}
}

// linkOf describes the NIC itself. With DHCP the MTU is null, because the lease says it.
func linkOf(nic NIC, index int) networkLink {
	link := networkLink{ID: nic.Tap, VifID: nic.PortID, Type: "bridge", MAC: nic.MAC}
	if link.ID == "" {
		link.ID = fmt.Sprintf("interface%d", index)
	}
	dhcp := slices.ContainsFunc(nic.Addresses, func(a Address) bool { return a.DHCP })
	if nic.MTU > 0 && !dhcp {
		link.MTU = &nic.MTU
	}
	return link
}

// subnetOf describes one address. A guest that is sent to DHCP is told nothing else.
func subnetOf(a Address, id, link, networkID string) networkSubnet {
	ip := a.IP.Unmap()
	family := "ipv6"
	if ip.Is4() {
		family = "ipv4"
	}
	s := networkSubnet{ID: id, Type: family, Link: link, NetworkID: networkID}
	switch {
	case !ip.Is4() && a.Mode != "":
		s.Type = family + "_" + string(a.Mode)
	case a.DHCP:
		s.Type = family + "_dhcp"
		return s
	}
	routes, services := routesOf(a), servicesOf(a.DNS)
	s.IPAddress, s.Netmask = ip.WithZone("").String(), netmask(a.Prefix)
	s.Routes, s.Services = &routes, &services
	return s
}

func routesOf(a Address) []networkRoute {
	routes := []networkRoute{}
	if a.Gateway.IsValid() {
		any := netip.IPv6Unspecified()
		if a.IP.Unmap().Is4() {
			any = netip.IPv4Unspecified()
		}
		routes = append(routes, networkRoute{any.String(), any.String(), addrText(a.Gateway)})
	}
	for _, r := range a.Routes {
		if r.Destination.IsValid() && r.NextHop.IsValid() {
			network := r.Destination.Masked().Addr().String()
			routes = append(routes, networkRoute{network, netmask(r.Destination), addrText(r.NextHop)})
		}
	}
	return routes
}

func servicesOf(dns []netip.Addr) []networkService {
	services := []networkService{}
	for _, ip := range dns {
		if ip.IsValid() {
			services = append(services, networkService{Type: "dns", Address: addrText(ip)})
		}
	}
	return services
}

// netmask spells a prefix length as an address of its family: 255.255.255.0, ffff:ffff:ffff:ffff::.
func netmask(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	ones := make([]byte, p.Addr().BitLen()/8)
	for i := range ones {
		ones[i] = 0xff
	}
	all, _ := netip.AddrFromSlice(ones)
	return netip.PrefixFrom(all, p.Bits()).Masked().Addr().String()
}
