package state

import (
	"iter"

	"github.com/kvorum/kvorum/internal/model"
)

// Network finds a network.
func (v View) Network(id model.NetworkID) *model.Network {
	return v.t.networks.get(model.Network{ID: id})
}

// Networks lists all networks.
func (v View) Networks() iter.Seq[*model.Network] { return v.t.networks.all() }

// NetworksOf lists a project's own networks.
func (v View) NetworksOf(p model.ProjectID) iter.Seq[*model.Network] {
	return v.t.networks.where(networksByOwn, &model.Network{ProjectID: p})
}

// PutNetwork stores a network.
func (tx *Tx) PutNetwork(n *model.Network) { tx.t.networks.put(n) }

// DeleteNetwork removes a network.
func (tx *Tx) DeleteNetwork(id model.NetworkID) { tx.t.networks.delete(&model.Network{ID: id}) }

// Subnet finds a subnet.
func (v View) Subnet(id model.SubnetID) *model.Subnet { return v.t.subnets.get(model.Subnet{ID: id}) }

// Subnets lists all subnets.
func (v View) Subnets() iter.Seq[*model.Subnet] { return v.t.subnets.all() }

// SubnetsOf lists a network's subnets.
func (v View) SubnetsOf(n model.NetworkID) iter.Seq[*model.Subnet] {
	return v.t.subnets.where(subnetsByNet, &model.Subnet{NetworkID: n})
}

// PutSubnet stores a subnet.
func (tx *Tx) PutSubnet(s *model.Subnet) { tx.t.subnets.put(s) }

// DeleteSubnet removes a subnet.
func (tx *Tx) DeleteSubnet(id model.SubnetID) { tx.t.subnets.delete(&model.Subnet{ID: id}) }

// Port finds a port.
func (v View) Port(id model.PortID) *model.Port { return v.t.ports.get(model.Port{ID: id}) }

// Ports lists all ports.
func (v View) Ports() iter.Seq[*model.Port] { return v.t.ports.all() }

// PortsOn lists a network's ports.
func (v View) PortsOn(n model.NetworkID) iter.Seq[*model.Port] {
	return v.t.ports.where(portsByNet, &model.Port{NetworkID: n})
}

// PortsOfDevice lists the ports of a server or router.
func (v View) PortsOfDevice(device string) iter.Seq[*model.Port] {
	return v.t.ports.where(portsByDevice, &model.Port{DeviceID: device})
}

// PortsOf lists a project's ports.
func (v View) PortsOf(p model.ProjectID) iter.Seq[*model.Port] {
	return v.t.ports.where(portsByOwner, &model.Port{ProjectID: p})
}

// PortWithMAC finds the port that has a MAC on a network.
func (v View) PortWithMAC(n model.NetworkID, mac string) *model.Port {
	return v.t.ports.first(portsByMAC, model.Port{NetworkID: n, MAC: mac})
}

// PutPort stores a port.
func (tx *Tx) PutPort(p *model.Port) { tx.t.ports.put(p) }

// DeletePort removes a port.
func (tx *Tx) DeletePort(id model.PortID) { tx.t.ports.delete(&model.Port{ID: id}) }

// FixedAddress finds who has an address of a network.
func (v View) FixedAddress(n model.NetworkID, ip string) *model.FixedAddress {
	return v.t.fixed.get(model.FixedAddress{NetworkID: n, IP: ip})
}

// FixedAddresses lists all taken addresses.
func (v View) FixedAddresses() iter.Seq[*model.FixedAddress] { return v.t.fixed.all() }

// FixedAddressesOn lists a network's taken addresses.
func (v View) FixedAddressesOn(n model.NetworkID) iter.Seq[*model.FixedAddress] {
	return v.t.fixed.from(&model.FixedAddress{NetworkID: n}, func(a *model.FixedAddress) bool { return a.NetworkID == n })
}

// FixedAddressesOf lists a port's addresses.
func (v View) FixedAddressesOf(p model.PortID) iter.Seq[*model.FixedAddress] {
	return v.t.fixed.where(fixedByPort, &model.FixedAddress{PortID: p})
}

// FixedAddressesHeldBy lists the addresses that a deleted server still holds.
func (v View) FixedAddressesHeldBy(s model.ServerID) iter.Seq[*model.FixedAddress] {
	return v.t.fixed.where(fixedByHolder, &model.FixedAddress{HeldBy: s})
}

// PutFixedAddress stores a taken address.
func (tx *Tx) PutFixedAddress(a *model.FixedAddress) { tx.t.fixed.put(a) }

// DeleteFixedAddress frees an address.
func (tx *Tx) DeleteFixedAddress(n model.NetworkID, ip string) {
	tx.t.fixed.delete(&model.FixedAddress{NetworkID: n, IP: ip})
}

// Router finds a router.
func (v View) Router(id model.RouterID) *model.Router { return v.t.routers.get(model.Router{ID: id}) }

// Routers lists all routers.
func (v View) Routers() iter.Seq[*model.Router] { return v.t.routers.all() }

// RoutersOf lists a project's routers.
func (v View) RoutersOf(p model.ProjectID) iter.Seq[*model.Router] {
	return v.t.routers.where(routersByOwner, &model.Router{ProjectID: p})
}

// PutRouter stores a router.
func (tx *Tx) PutRouter(r *model.Router) { tx.t.routers.put(r) }

// DeleteRouter removes a router.
func (tx *Tx) DeleteRouter(id model.RouterID) { tx.t.routers.delete(&model.Router{ID: id}) }
