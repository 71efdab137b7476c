package state

import (
	"cmp"
	"maps"
	"slices"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// Desired is the whole truth for one host, as a pure function of the view. A
// host that is not known, or a cluster that is not initialized, gets an empty
// one. What it is computed from must be known to Concerned, which says whose
// must be computed again.
func Desired(v View, host model.HostID) assign.Desired {
	d := Undigested(v, host)
	d.Digest = d.Sum()
	return d
}

// Undigested is Desired for those who compute the digest themselves.
func Undigested(v View, host model.HostID) assign.Desired {
	d := assign.Desired{HostID: string(host), Index: v.Index}
	if c := v.Cluster(); c != nil {
		d.ClusterID, d.Incarnation = c.ID, c.Incarnation
	}
	nets := map[model.NetworkID]bool{}
	for s := range v.ServersOn(host) {
		d.Guests = append(d.Guests, desiredGuest(v, s, nets))
	}
	for t := range v.TombstonesOn(host) {
		d.Guests = append(d.Guests, goneGuest(v, &t.Server))
	}
	slices.SortFunc(d.Guests, func(a, b assign.Guest) int { return cmp.Compare(a.ID, b.ID) })
	d.Routers = desiredRouters(v, nets)
	tunnel := ""
	if h := v.Host(host); h != nil {
		tunnel = h.Tunnel
	}
	for _, id := range slices.Sorted(maps.Keys(nets)) {
		n := desiredNetwork(v, v.Network(id))
		if tunnel != "" {
			n.Tunnel, n.Remotes = tunnel, desiredRemotes(v, id, host)
		}
		d.Networks = append(d.Networks, n)
	}
	return d
}

func goneGuest(v View, s *model.Server) assign.Guest {
	g := assign.Guest{ID: string(s.ID), Num: s.Num, Power: assign.Gone, Name: s.Name}
	if p := v.Permit(s.ID); p != nil {
		g.Permit = p.Number
	}
	return g
}

func desiredGuest(v View, s *model.Server, nets map[model.NetworkID]bool) assign.Guest {
	g := goneGuest(v, s)
	g.Power = assign.On
	if s.Off {
		g.Power = assign.Off
	}
	g.PowerEpoch, g.RebootEpoch, g.RebootHard = s.PowerEpoch, s.RebootEpoch, s.RebootHard
	g.Hostname, g.ProjectID, g.UserID = s.Hostname, string(s.ProjectID), string(s.UserID)
	g.VCPUs, g.RAM, g.Disk, g.Flavor = s.Size.VCPUs, s.Size.RAM, s.Size.Disk, s.Size.FlavorName
	g.Zone, g.LaunchIndex, g.ReservationID = s.Zone, s.LaunchIndex, s.ReservationID
	g.Metadata, g.UserData, g.Password, g.CreatedAt = s.Metadata, s.UserData, s.Password, s.CreatedAt
	if s.KeyName != "" {
		g.Key = &assign.Key{Name: s.KeyName, Type: s.KeyType, PublicKey: s.PublicKey}
	}
	desiredImages(v, s, &g)
	for p := range v.PortsOfDevice(string(s.ID)) {
		nic := assign.NIC{PortID: string(p.ID), NetworkID: string(p.NetworkID), MAC: p.MAC, Down: p.Down}
		for a := range v.FixedAddressesOf(p.ID) {
			nic.Addresses = append(nic.Addresses, a.IP)
		}
		nets[p.NetworkID] = true
		g.NICs = append(g.NICs, nic)
	}
	return g
}

// desiredImages fills in the root image and, where the image names them, the
// kernel and ramdisk. An image that is gone leaves its field empty; a disk
// that was made from it lives on.
func desiredImages(v View, s *model.Server, g *assign.Guest) {
	root := v.Image(s.ImageID)
	if root == nil {
		return
	}
	g.Image = desiredImage(root)
	if k := v.Image(model.ImageID(root.Properties["kernel_id"])); k != nil {
		img := desiredImage(k)
		g.Kernel = &img
		g.CommandLine = root.Properties["os_command_line"]
	}
	if r := v.Image(model.ImageID(root.Properties["ramdisk_id"])); r != nil {
		img := desiredImage(r)
		g.Ramdisk = &img
	}
}

func desiredImage(i *model.Image) assign.Image {
	return assign.Image{ID: string(i.ID), Num: i.Num, SHA256: i.SHA256, Format: i.DiskFormat,
		Size: i.Size, VirtualSize: i.VirtualSize}
}

func desiredNetwork(v View, n *model.Network) assign.Network {
	out := assign.Network{ID: string(n.ID), ProjectID: string(n.ProjectID), Segment: n.Segment, MTU: n.MTU, Down: n.Down}
	for s := range v.SubnetsOf(n.ID) {
		sub := assign.Subnet{ID: string(s.ID), CIDR: s.CIDR, Gateway: s.Gateway, DHCP: !s.NoDHCP, DNS: s.DNS}
		for _, r := range s.Routes {
			sub.Routes = append(sub.Routes, assign.Route{Destination: r.Destination, NextHop: r.NextHop})
		}
		out.Subnets = append(out.Subnets, sub)
	}
	for a := range v.FixedAddressesOn(n.ID) {
		p := v.Port(a.PortID)
		if p == nil {
			continue
		}
		if s := v.Server(model.ServerID(p.DeviceID)); s != nil {
			out.Names = append(out.Names, assign.Name{Hostname: s.Hostname, Address: a.IP})
		}
	}
	return out
}

// desiredRouters lists the routers that the networks are joined by, and adds
// the further networks that those routers join.
func desiredRouters(v View, nets map[model.NetworkID]bool) []assign.Router {
	found := map[model.RouterID]bool{}
	for _, n := range slices.Sorted(maps.Keys(nets)) {
		for p := range v.PortsOn(n) {
			if p.DeviceOwner == model.OwnerRouterInterface && !p.Down {
				found[model.RouterID(p.DeviceID)] = true
			}
		}
	}
	var out []assign.Router
	for _, id := range slices.Sorted(maps.Keys(found)) {
		r := v.Router(id)
		if r == nil || r.Down {
			continue
		}
		out = append(out, desiredRouter(v, r, nets))
	}
	return out
}

func desiredRouter(v View, r *model.Router, nets map[model.NetworkID]bool) assign.Router {
	out := assign.Router{ID: string(r.ID), Num: r.Num, External: r.ExternalNetworkID != ""}
	for p := range v.PortsOfDevice(string(r.ID)) {
		if p.Down {
			continue // the router has no address there
		}
		nets[p.NetworkID] = true
		out.NetworkIDs = append(out.NetworkIDs, string(p.NetworkID))
		for a := range v.FixedAddressesOf(p.ID) {
			out.SubnetIDs = append(out.SubnetIDs, string(a.SubnetID))
		}
	}
	slices.Sort(out.NetworkIDs)
	out.NetworkIDs = slices.Compact(out.NetworkIDs)
	slices.Sort(out.SubnetIDs)
	return out
}
