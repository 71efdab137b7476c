package assign

import "net/netip"

// What every host can carry of a network. The control plane refuses the rest,
// and the host's network leaves out what would come to it all the same.
const (
	// MinMTU is what IPv4 promises, in bytes; MaxMTU what links between hosts
	// usually carry.
	MinMTU = 576
	MaxMTU = 9000
	// MaxSegment is the greatest number of a network: tunnels carry 24 bits.
	MaxSegment = 1<<24 - 1
	// MaxRouter is the greatest number of a router: Transfer has a pair of
	// addresses for each.
	MaxRouter = 1<<21 - 1
)

// Transfer is the range (RFC 6598) of the links between a host and its
// routers' namespaces.
var Transfer = netip.MustParsePrefix("100.64.0.0/10")

// reserved are the ranges where no guest can live, and why.
var reserved = []struct {
	r   netip.Prefix
	why string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "no host has such addresses"},
	{netip.MustParsePrefix("127.0.0.0/8"), "they lead to the guest itself"},
	{netip.MustParsePrefix("169.254.0.0/16"), "guests find the metadata service there"},
	{netip.MustParsePrefix("224.0.0.0/3"), "they are for multicast, or reserved"},
	{Transfer, "hosts use them between themselves and their routers"},
}

// The prefix lengths that a subnet may have.
const (
	MinPrefix = 8
	MaxPrefix = 30
)

// CheckRange tells why no guest can live in a range; empty if guests can.
func CheckRange(p netip.Prefix) string {
	if !p.IsValid() || !p.Addr().Is4() {
		return "hosts carry IPv4 only"
	}
	for _, x := range reserved {
		if x.r.Overlaps(p) {
			return x.why
		}
	}
	return ""
}
