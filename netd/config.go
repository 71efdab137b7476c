package netd

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"

	"github.com/kvorum/kvorum/internal/assign"
)

// MetadataAddr is where guests find the metadata service, in every namespace.
var MetadataAddr = netip.MustParseAddr("169.254.169.254")

// DefaultTransfer is the range (RFC 6598) that links between the root
// namespace and router namespaces are taken from, unless Config says another.
var DefaultTransfer = assign.Transfer

// Config is the whole wanted network of one host. What it does not name and
// is ours goes away. The order of its lists carries no meaning.
type Config struct {
	// Prefix begins every name of ours: a lower-case letter and at most two
	// more letters or digits. Two agents in one network namespace, or with one
	// /run/netns, need prefixes of which neither begins the other.
	Prefix string
	// Transfer is cut into pairs of addresses, one a router number; zero means
	// DefaultTransfer.
	Transfer netip.Prefix
	// Denied are destinations outside that no guest may reach (underlay,
	// management). 169.254.0.0/16, the transfer range and all addresses of the
	// host itself are always denied.
	Denied []netip.Prefix
	// Tunnel joins this host to the others.
	Tunnel   Tunnel
	Networks []Network
	Routers  []Router
	Ports    []Port
}

// Network is one layer-2 segment.
type Network struct {
	ID string
	// Number is the segment's number and, between hosts, the VXLAN identifier;
	// unique in the cloud: 1 to 1<<24-1.
	Number uint32
	// MTU in bytes, 576 to 65535; it is set on the bridge, the taps and the
	// gateway.
	MTU     int
	Subnets []Subnet
	// Names are the network's guests for the resolver, wherever they run.
	Names []Name
	// Remotes are all its ports on other hosts.
	Remotes []Remote
	// Down: no port of it passes a frame, no router is joined to it, and nobody
	// answers its guests.
	Down bool
}

// Subnet is an IPv4 range of a network.
type Subnet struct {
	CIDR netip.Prefix
	// Gateway is what guests are told as their default router; it may be zero.
	Gateway netip.Addr
	// Local is the address at which this host serves the subnet when no router
	// joins it. Zero means Gateway.
	Local netip.Addr
	// DHCP says whether guests are answered at all.
	DHCP bool
	// DNS are the resolvers that guests are told; none means this host's own.
	DNS []netip.Addr
	// Routes are told to guests beside the default route.
	Routes []Route
}

// Name is a guest's name in its network.
type Name struct {
	Host string
	Addr netip.Addr
}

// Route leads to Dst by way of Via.
type Route struct {
	Dst netip.Prefix
	Via netip.Addr
}

// Router joins networks.
type Router struct {
	ID string
	// Number is the router's number, unique in the cloud and below 1<<21; it
	// chooses the pair of transfer addresses, so a range smaller than a /10
	// bounds it further.
	Number uint32
	// External gives the router a way out by the host's own address.
	External   bool
	Interfaces []Interface
}

// Interface is one address of a router in a network. Several may share a
// network.
type Interface struct {
	NetworkID string
	// Addr is the router's address with the subnet's length.
	Addr netip.Prefix
}

// Port is where a guest of this host is plugged in.
type Port struct {
	ID        string
	NetworkID string
	// Tap is the name of the guest's link on the host; Names.Tap makes it. The
	// link need not exist: the filter is there before it.
	Tap   string
	MAC   MAC
	Addrs []netip.Addr
	// Hostname is told by DHCP and resolved by DNS; it may be empty.
	Hostname string
	// Down: no frame passes, either way. The guest sees its link as before: the
	// filter does it, which holds for a link that is made anew at the guest's
	// next start, and needs nobody but us to be lifted.
	Down bool
}

// MAC is an Ethernet address; zero means none.
type MAC [6]byte

// ParseMAC reads the usual forms of a 48-bit address.
func ParseMAC(s string) (MAC, error) {
	hw, err := net.ParseMAC(s)
	if err != nil || len(hw) != 6 {
		return MAC{}, fmt.Errorf("%q is not an Ethernet address", s)
	}
	return MAC(hw), nil
}

// String is six lower-case pairs with colons.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }

// Compare orders addresses by their bytes, as cmp.Compare does.
func (m MAC) Compare(o MAC) int { return bytes.Compare(m[:], o[:]) }

// Unicast tells whether m may be a sender.
func (m MAC) Unicast() bool { return m != MAC{} && m[0]&1 == 0 }

// What GatewayMAC takes in a router's place.
const (
	// FirstGateway is the network's first gateway. It keeps its address when a
	// router comes or goes: guests would talk to the old one for half a minute.
	FirstGateway = -1
	// OwnGateway is that of the network's own namespace beside a router's.
	OwnGateway = -2
	// bridgeMAC is beyond all routers' numbers: that of the network's bridge.
	bridgeMAC = maxRouter + 1
)

// GatewayMAC is the address of a gateway's link in network: the same on every
// host, so that a guest that moves keeps its neighbour entry. router is the
// number of a second and further router, or one of the constants. It is
// locally administered: 46 bits hold both numbers.
func GatewayMAC(network uint32, router int64) MAC {
	v := uint64(network)<<22 | uint64(router+1)&(1<<22-1)
	return MAC{byte(v>>40)<<2 | 2, byte(v >> 32), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
}

// RoutedMAC stands in tunnels for the MAC of the gateway that routed a frame:
// as of network 0, which is none.
var RoutedMAC = GatewayMAC(0, bridgeMAC)

// transfer is the wanted transfer range.
func (c Config) transfer() netip.Prefix {
	if c.Transfer.IsValid() {
		return c.Transfer.Masked()
	}
	return DefaultTransfer
}

// maxRouter bounds routers' numbers, so that names and MACs can hold them.
const maxRouter = assign.MaxRouter

// TransferAddrs gives router's pair of transfer addresses, the root
// namespace's first; false when the number does not fit the range.
func (c Config) TransferAddrs(router uint32) (root, inner netip.Prefix, ok bool) {
	t := c.transfer()
	if !t.Addr().Is4() || t.Bits() > 30 || router > maxRouter || uint64(router) >= 1<<(31-t.Bits()) {
		return netip.Prefix{}, netip.Prefix{}, false
	}
	b := t.Addr().As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	v += router * 2
	at := func(v uint32) netip.Prefix {
		a := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
		return netip.PrefixFrom(a, 31)
	}
	return at(v), at(v + 1), true
}
