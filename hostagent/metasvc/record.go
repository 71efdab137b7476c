package metasvc

import (
	"net/netip"
	"path"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/metadata"
)

// Domain is the domain that guests' host names are in.
const Domain = "novalocal"

// Find gives the record of the guest that has an address on a network.
func Find(d assign.Desired, network string, addr netip.Addr) (metadata.Record, bool) {
	i, ok := find(d, network, addr)
	if !ok {
		return metadata.Record{}, false
	}
	return Record(d, d.Guests[i]), true
}

// find gives the place of the only guest that has an address on a network.
func find(d assign.Desired, network string, addr netip.Addr) (int, bool) {
	found := -1
	for i, g := range d.Guests {
		if g.Power != assign.Gone && has(g, network, addr) {
			if found >= 0 {
				return 0, false
			}
			found = i
		}
	}
	return found, found >= 0
}

func has(g assign.Guest, network string, addr netip.Addr) bool {
	for _, nic := range g.NICs {
		for _, a := range nic.Addresses {
			if ip, err := netip.ParseAddr(a); err == nil && nic.NetworkID == network && ip == addr.Unmap() {
				return true
			}
		}
	}
	return false
}

// Record is a guest's metadata, but for what is drawn anew at each answer.
func Record(d assign.Desired, g assign.Guest) metadata.Record {
	r := metadata.Record{
		UUID: g.ID, Name: g.Name, Hostname: g.Hostname, Domain: Domain, Num: g.Num, ImageNum: g.Image.Num,
		LaunchIndex: g.LaunchIndex, ReservationID: g.ReservationID, FlavorName: g.Flavor, Zone: g.Zone,
		ProjectID: g.ProjectID, Metadata: g.Metadata, UserData: g.UserData, Password: string(g.Password),
		// No other disk is there: one that were named would be waited for, or mounted.
		BlockDevices: map[string]string{"ami": path.Base(assign.RootDevice), "root": assign.RootDevice},
	}
	if g.Kernel != nil {
		r.KernelNum = g.Kernel.Num
	}
	if g.Ramdisk != nil {
		r.RamdiskNum = g.Ramdisk.Num
	}
	if g.Key != nil {
		r.Keys = []metadata.Key{{Name: g.Key.Name, Type: g.Key.Type, PublicKey: g.Key.PublicKey}}
	}
	for _, nic := range g.NICs {
		r.NICs = append(r.NICs, card(d, nic))
	}
	return r
}

func card(d assign.Desired, nic assign.NIC) metadata.NIC {
	out := metadata.NIC{PortID: nic.PortID, NetworkID: nic.NetworkID, MAC: nic.MAC}
	for _, n := range d.Networks {
		if n.ID != nic.NetworkID {
			continue
		}
		out.MTU = n.MTU
		for _, a := range nic.Addresses {
			if addr, ok := address(n, a); ok {
				out.Addresses = append(out.Addresses, addr)
			}
		}
	}
	return out
}

// address describes one of a guest's addresses by its subnet.
func address(n assign.Network, text string) (metadata.Address, bool) {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return metadata.Address{}, false
	}
	for _, s := range n.Subnets {
		prefix, err := netip.ParsePrefix(s.CIDR)
		if err != nil || !prefix.Contains(ip) {
			continue
		}
		out := metadata.Address{IP: ip, Prefix: prefix, DHCP: s.DHCP}
		// What does not parse is left out: it was checked when it was made.
		out.Gateway, _ = netip.ParseAddr(s.Gateway)
		for _, d := range s.DNS {
			if dns, err := netip.ParseAddr(d); err == nil {
				out.DNS = append(out.DNS, dns)
			}
		}
		for _, r := range s.Routes {
			to, err1 := netip.ParsePrefix(r.Destination)
			via, err2 := netip.ParseAddr(r.NextHop)
			if err1 == nil && err2 == nil {
				out.Routes = append(out.Routes, metadata.Route{Destination: to, NextHop: via})
			}
		}
		return out, true
	}
	return metadata.Address{}, false
}
