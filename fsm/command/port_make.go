package command

import (
	"encoding/binary"
	"hash/fnv"
	"net"
	"net/netip"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// PortAddress is an address that a new port asks for: an IP of one of the
// network's subnets, any free one of a subnet, or both for an IP that must be
// of that subnet.
type PortAddress struct {
	SubnetID model.SubnetID `json:"subnet_id,omitempty"`
	IP       string         `json:"ip,omitempty"`
}

// makePort stores a port with its addresses and charges its project. Without
// wants, and with choose, it takes one free address, if the network has any
// subnet. errs.Conflict: the MAC or an address is taken, or there is no free
// one left.
func makePort(tx *state.Tx, m Meta, p *model.Port, wants []PortAddress, choose bool) error {
	const op = "port.make"
	if !model.IsUUID(string(p.ID)) || tx.Port(p.ID) != nil {
		return refuse(op, errs.Conflict, "port id %q is not a new UUID", p.ID)
	}
	mac, err := net.ParseMAC(p.MAC)
	if err != nil || len(mac) != 6 || mac[0]&1 != 0 || mac.String() != p.MAC {
		return refuse(op, errs.Invalid, "'%s' is not a valid MAC address", p.MAC)
	}
	if tx.PortWithMAC(p.NetworkID, p.MAC) != nil {
		return refuse(op, errs.Conflict, "Unable to complete operation for network %s. The mac address %s is in use.", p.NetworkID, p.MAC)
	}
	if err := tx.Charge(p.ProjectID, state.Charge{Resource: "port", By: 1}); err != nil {
		return err
	}
	p.CreatedAt, p.UpdatedAt, p.Revision = m.At, m.At, 1
	tx.PutPort(p)
	if len(wants) == 0 && choose {
		return chooseAddress(tx, p)
	}
	for _, w := range wants {
		if err := giveAddress(tx, p, w); err != nil {
			return err
		}
	}
	return nil
}

// chooseAddress gives a port an address of the first subnet that has a free
// one.
func chooseAddress(tx *state.Tx, p *model.Port) error {
	full := false
	for _, s := range collect(tx.SubnetsOf(p.NetworkID)) {
		if ip, ok := freeAddress(tx, s, p.ID); ok {
			tx.PutFixedAddress(&model.FixedAddress{NetworkID: p.NetworkID, IP: ip, SubnetID: s.ID, PortID: p.ID})
			return nil
		}
		full = true
	}
	if full {
		return noAddress(p.NetworkID)
	}
	return nil
}

func noAddress(n model.NetworkID) error {
	return refuse("port.address", errs.Conflict, "No more IP addresses available on network %s.", n)
}

// giveAddress gives a port the address that was asked for.
func giveAddress(tx *state.Tx, p *model.Port, w PortAddress) error {
	const op = "port.address"
	if w.IP == "" {
		s := tx.Subnet(w.SubnetID)
		if s == nil || s.NetworkID != p.NetworkID {
			return refuse(op, errs.Invalid, "Subnet %s is not one of network %s.", w.SubnetID, p.NetworkID)
		}
		ip, ok := freeAddress(tx, s, p.ID)
		if !ok {
			return noAddress(p.NetworkID)
		}
		tx.PutFixedAddress(&model.FixedAddress{NetworkID: p.NetworkID, IP: ip, SubnetID: s.ID, PortID: p.ID})
		return nil
	}
	ip, err := netip.ParseAddr(w.IP)
	if err != nil {
		return refuse(op, errs.Invalid, "'%s' is not a valid IP address", w.IP)
	}
	for _, s := range collect(tx.SubnetsOf(p.NetworkID)) {
		prefix, err := netip.ParsePrefix(s.CIDR)
		if err != nil || !prefix.Contains(ip) || w.SubnetID != "" && w.SubnetID != s.ID {
			continue
		}
		router := p.DeviceOwner == model.OwnerRouterInterface
		if !usable(prefix, ip) || ip.String() == s.Gateway && !router {
			return refuse(op, errs.Invalid, "IP address %s is not a valid IP for the specified subnet.", ip)
		}
		if tx.FixedAddress(p.NetworkID, ip.String()) != nil {
			return refuse(op, errs.Conflict, "Unable to complete operation for network %s. The IP address %s is in use.", p.NetworkID, ip)
		}
		tx.PutFixedAddress(&model.FixedAddress{NetworkID: p.NetworkID, IP: ip.String(), SubnetID: s.ID, PortID: p.ID})
		return nil
	}
	return refuse(op, errs.Invalid, "IP address %s is not a valid IP for any of the subnets on the specified network.", ip)
}

// usable says that an address is neither a range's first nor its last.
func usable(prefix netip.Prefix, ip netip.Addr) bool {
	return ip != prefix.Masked().Addr() && ip != lastAddr(prefix)
}

// lastAddr is a range's broadcast address.
func lastAddr(prefix netip.Prefix) netip.Addr {
	b := prefix.Masked().Addr().As4()
	for bit := prefix.Bits(); bit < 32; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(b)
}

// freeAddress finds a free address in a subnet's pools. It begins at a place
// that depends on the port, so that it seldom looks twice, an address is
// seldom given again soon, and every node finds the same.
func freeAddress(tx *state.Tx, s *model.Subnet, port model.PortID) (string, bool) {
	h := fnv.New64a()
	h.Write([]byte(port))
	seed := h.Sum64()
	for _, pool := range s.Pools {
		start, err1 := netip.ParseAddr(pool.Start)
		end, err2 := netip.ParseAddr(pool.End)
		if err1 != nil || err2 != nil {
			continue
		}
		size := distance(start, end) + 1
		for i := range min(size, maxProbes) {
			ip := advance(start, (seed+i)%size).String()
			if ip != s.Gateway && tx.FixedAddress(s.NetworkID, ip) == nil {
				return ip, true
			}
		}
	}
	return "", false
}

// maxProbes bounds the search in one pool: a whole IPv4 /16.
const maxProbes = 1 << 16

// number is an IPv4 address as one; distance is how many addresses b is after
// a, and advance the address n after a.
func number(a netip.Addr) uint32 { b := a.As4(); return binary.BigEndian.Uint32(b[:]) }

func distance(a, b netip.Addr) uint64 { return uint64(number(b)) - uint64(number(a)) }

func advance(a netip.Addr, n uint64) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], number(a)+uint32(n))
	return netip.AddrFrom4(b)
}
