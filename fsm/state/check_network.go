package state

import (
	"net/netip"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

func checkCarried(v View, bad func(string, ...any)) {
	for n := range v.Networks() {
		if n.MTU < assign.MinMTU || n.MTU > assign.MaxMTU || n.Segment > assign.MaxSegment {
			bad("network %s has MTU %d and segment %d", n.ID, n.MTU, n.Segment)
		}
	}
	for s := range v.Subnets() {
		p, err := netip.ParsePrefix(s.CIDR)
		if why := assign.CheckRange(p); err != nil || why != "" {
			bad("subnet %s has the range %q: %s", s.ID, s.CIDR, why)
		}
	}
	for r := range v.Routers() {
		if r.Num > assign.MaxRouter {
			bad("router %s has the number %d", r.ID, r.Num)
		}
	}
}

func checkPortOwners(v View, bad func(string, ...any)) {
	for p := range v.Ports() {
		if v.Network(p.NetworkID) == nil {
			bad("port %s names %s", p.ID, p.NetworkID)
		}
	}
}

// checkPortDevices looks for servers (or their unconfirmed tombstones) and
// routers behind the ports that say they belong to one.
func checkPortDevices(v View, bad func(string, ...any)) {
	for p := range v.Ports() {
		switch {
		case p.DeviceOwner == model.OwnerRouterInterface:
			if v.Router(model.RouterID(p.DeviceID)) == nil {
				bad("port %s is of router %q", p.ID, p.DeviceID)
			}
		case p.Auto:
			if v.Server(model.ServerID(p.DeviceID)) == nil {
				bad("port %s was made for server %q", p.ID, p.DeviceID)
			}
		}
	}
}

func checkMACs(v View, bad func(string, ...any)) {
	seen := once{}
	for p := range v.Ports() {
		seen.see(bad, "MAC %s on network %s", p.MAC, p.NetworkID)
	}
}

func checkAddresses(v View, bad func(string, ...any)) {
	for a := range v.FixedAddresses() {
		port := a.PortID != "" && v.Port(a.PortID) != nil && v.Port(a.PortID).NetworkID == a.NetworkID
		t := v.Tombstone(a.HeldBy)
		held := a.PortID == "" && a.HeldBy != "" && t != nil && !t.Confirmed
		if !port && !held {
			bad("%s on %s has port %q and holder %q", a.IP, a.NetworkID, a.PortID, a.HeldBy)
		}
	}
}

// checkAddressRange leaves out addresses that a deleted server still holds:
// their subnet may be gone.
func checkAddressRange(v View, bad func(string, ...any)) {
	for a := range v.FixedAddresses() {
		if a.HeldBy != "" && a.SubnetID == "" {
			continue
		}
		s := v.Subnet(a.SubnetID)
		if s == nil || s.NetworkID != a.NetworkID {
			bad("%s names subnet %s", a.IP, a.SubnetID)
			continue
		}
		p, err1 := netip.ParsePrefix(s.CIDR)
		ip, err2 := netip.ParseAddr(a.IP)
		if err1 != nil || err2 != nil || !p.Contains(ip) {
			bad("%s is not in %s", a.IP, s.CIDR)
		}
	}
}
