package metadata

import "net/netip"

// Record is everything that the trees say about one guest. It holds plain values, so that hosts and API nodes can fill
// it from their own types. The zero value is legal and gives a tree of empty strings.
type Record struct {
	UUID     string // the server's id; equals the guest's DMI product_uuid, which cloud-init compares
	Name     string // the display name that the user chose
	Hostname string // without domain
	Domain   string // "novalocal"; empty leaves the host name bare

	Num        uint64 // shown as i-%08x
	ImageNum   uint64 // shown as ami-%08x
	KernelNum  uint64 // shown as aki-%08x; 0 means none
	RamdiskNum uint64 // shown as ari-%08x; 0 means none

	LaunchIndex   int // position among the servers of one request, from 0
	ReservationID string
	FlavorName    string
	Zone          string
	ProjectID     string
	Metadata      map[string]string // the server's metadata, user visible
	Keys          []Key             // in the order of their EC2 index

	UserData   []byte // decoded; nil means none (404), empty means an empty document
	VendorData []byte // a JSON object of the operator; nil or malformed is served as {}
	RandomSeed []byte // fresh bytes for this answer, 512 by convention; drawn by the caller; empty leaves the key out
	Password   string // what the guest posted: its password, encrypted with its own SSH key; empty until then

	SecurityGroups []string
	PublicIPv4     netip.Addr // first floating address; the zero Addr means none
	NICs           []NIC      // in the order of the guest's PCI slots

	// BlockDevices maps ami, root, ephemeralN, swap and ebsN to device names. Nil gives the classic guess
	// (ami=sda1 root=/dev/sda1 ephemeral0=sda2 swap=sda3).
	BlockDevices map[string]string
}

// Key is a public key that was named when the server was made.
type Key struct {
	Name      string
	Type      string // "ssh" or "x509"; empty means ssh
	PublicKey string // one line of authorized_keys, or a certificate
}

// NIC is one network interface of the guest.
type NIC struct {
	PortID    string
	NetworkID string
	MAC       string
	MTU       int       // bytes; 0 means unknown
	Tap       string    // the host's name of the device, which is the link id in network_data; may be empty
	Addresses []Address // the first IPv4 and the first IPv6 one are shown, as OpenStack does
}

// AddressMode says how an IPv6 subnet hands out addresses, in Neutron's words.
type AddressMode string

// The address modes of IPv6 subnets. The empty mode means: static, or DHCP when Address.DHCP is set.
const (
	SLAAC           AddressMode = "slaac"
	DHCPv6Stateless AddressMode = "dhcpv6-stateless"
	DHCPv6Stateful  AddressMode = "dhcpv6-stateful"
)

// Address is one fixed address with what the guest needs to use it.
type Address struct {
	IP      netip.Addr
	Prefix  netip.Prefix // the subnet
	Gateway netip.Addr   // the zero Addr means none
	DHCP    bool         // a DHCP server answers on this subnet, so the guest is told to ask it
	Mode    AddressMode  // IPv6 only
	DNS     []netip.Addr
	Routes  []Route // besides the default route
}

// Route is one extra route of a subnet.
type Route struct {
	Destination netip.Prefix
	NextHop     netip.Addr
}

// fqdn is the host name with its domain, which is what both trees call the host name.
func (r Record) fqdn() string {
	if r.Domain == "" {
		return r.Hostname
	}
	return r.Hostname + "." + r.Domain
}

// localIPv4 is the first fixed IPv4 address, or the empty string.
func (r Record) localIPv4() string {
	for _, nic := range r.NICs {
		if a, ok := nic.first(true); ok {
			return a.IP.Unmap().String()
		}
	}
	return ""
}

// first finds the NIC's first address of a family.
func (n NIC) first(v4 bool) (Address, bool) {
	for _, a := range n.Addresses {
		if a.IP.IsValid() && a.IP.Unmap().Is4() == v4 {
			return a, true
		}
	}
	return Address{}, false
}

// addrText is the address, or the empty string for none.
func addrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.Unmap().String()
}
