package dhcp

import (
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
)

// Lease is all that a guest is told.
type Lease struct {
	// Addr is the guest's address with its subnet's length.
	Addr netip.Prefix
	// Server is the address that answers.
	Server netip.Addr
	// Router is the default router; zero: none is told.
	Router netip.Addr
	DNS    []netip.Addr
	// Routes beside the default one.
	Routes []Route
	// Hostname and Domain may be empty.
	Hostname, Domain string
	// MTU in bytes; 0: not told.
	MTU int
	// Time is how long the guest may keep the answer, in whole seconds.
	Time time.Duration
}

// Route leads to Dst by way of Via.
type Route struct {
	Dst netip.Prefix
	Via netip.Addr
}

// Lookup finds what is known of a MAC. It is called from one goroutine for
// each socket.
type Lookup func(mac [6]byte) (Lease, bool)

// Answer gives the answer to a question, or false when it deserves none.
func Answer(q *dhcpv4.DHCPv4, look Lookup) (*dhcpv4.DHCPv4, bool) {
	// Relays have no place here: one would ask on behalf of another segment.
	if q.OpCode != dhcpv4.OpcodeBootRequest || q.HWType != iana.HWTypeEthernet || len(q.ClientHWAddr) != 6 ||
		!q.GatewayIPAddr.Equal(net.IPv4zero) {
		return nil, false
	}
	lease, ok := look([6]byte(q.ClientHWAddr))
	if !ok || !lease.Addr.Addr().Is4() || !lease.Server.Is4() {
		return nil, false
	}
	kind, ok := reply(q, lease)
	if !ok {
		return nil, false
	}
	a, err := dhcpv4.NewReplyFromRequest(q, dhcpv4.WithMessageType(kind),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(lease.Server.AsSlice())))
	if err != nil {
		return nil, false
	}
	if kind == dhcpv4.MessageTypeNak {
		return a, true
	}
	if q.MessageType() != dhcpv4.MessageTypeInform {
		a.YourIPAddr = lease.Addr.Addr().AsSlice()
		a.UpdateOption(dhcpv4.OptIPAddressLeaseTime(lease.Time))
	} else {
		a.ClientIPAddr = q.ClientIPAddr
	}
	tell(a, lease)
	return a, true
}

// reply is the kind of answer (RFC 2131, 4.3).
func reply(q *dhcpv4.DHCPv4, lease Lease) (dhcpv4.MessageType, bool) {
	switch q.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		return dhcpv4.MessageTypeOffer, true
	case dhcpv4.MessageTypeInform:
		return dhcpv4.MessageTypeAck, true
	case dhcpv4.MessageTypeRequest:
		own := net.IP(lease.Addr.Addr().AsSlice())
		if id := q.ServerIdentifier(); id != nil && !id.Equal(lease.Server.AsSlice()) {
			return 0, false // it took another server's offer
		}
		wish := q.RequestedIPAddress()
		if wish == nil || wish.Equal(net.IPv4zero) {
			wish = q.ClientIPAddr
		}
		if !own.Equal(wish) {
			return dhcpv4.MessageTypeNak, true
		}
		return dhcpv4.MessageTypeAck, true
	}
	// Decline and release change nothing: addresses are not ours to take back.
	return 0, false
}

func tell(a *dhcpv4.DHCPv4, l Lease) {
	mask := net.CIDRMask(l.Addr.Bits(), 32)
	a.UpdateOption(dhcpv4.OptSubnetMask(mask))
	if len(l.DNS) > 0 {
		var ips []net.IP
		for _, d := range l.DNS {
			ips = append(ips, d.AsSlice())
		}
		a.UpdateOption(dhcpv4.OptDNS(ips...))
	}
	routes := l.Routes
	if l.Router.IsValid() {
		a.UpdateOption(dhcpv4.OptRouter(l.Router.AsSlice()))
		// RFC 3442: who takes option 121 ignores the router option.
		routes = append(routes[:len(routes):len(routes)], Route{netip.PrefixFrom(netip.IPv4Unspecified(), 0), l.Router})
	}
	if len(routes) > 0 {
		var rs dhcpv4.Routes
		for _, r := range routes {
			dst := &net.IPNet{IP: r.Dst.Addr().AsSlice(), Mask: net.CIDRMask(r.Dst.Bits(), 32)}
			rs = append(rs, &dhcpv4.Route{Dest: dst, Router: r.Via.AsSlice()})
		}
		a.UpdateOption(dhcpv4.OptClasslessStaticRoute(rs...))
	}
	if l.Hostname != "" {
		a.UpdateOption(dhcpv4.OptHostName(l.Hostname))
	}
	if l.Domain != "" {
		a.UpdateOption(dhcpv4.OptDomainName(l.Domain))
	}
	if l.MTU > 0 {
		a.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, []byte{byte(l.MTU >> 8), byte(l.MTU)}))
	}
}
