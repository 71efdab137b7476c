package dns

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// ttl of our own answers, in seconds: guests come and go.
const ttl = 30

// Zone is what is known of a network. It is not changed once given.
type Zone struct {
	// Domain is where its names are, without dots at the ends.
	Domain string
	// Hosts are addresses by name, lower case, without domain.
	Hosts map[string][]netip.Addr
	// Names are the hosts by address.
	Names map[netip.Addr]string
	// Ranges are the network's own.
	Ranges []netip.Prefix
}

// Answer answers what the zone can answer itself; false: ask outside.
func (z Zone) Answer(q *dns.Msg) (*dns.Msg, bool) {
	a := new(dns.Msg).SetReply(q)
	a.RecursionAvailable = true
	switch {
	case q.Opcode != dns.OpcodeQuery:
		a.Rcode = dns.RcodeNotImplemented
		return a, true
	case len(q.Question) != 1:
		a.Rcode = dns.RcodeFormatError
		return a, true
	}
	ask := q.Question[0]
	if ask.Qclass != dns.ClassINET || ask.Qtype == dns.TypeAXFR || ask.Qtype == dns.TypeIXFR || ask.Qtype == dns.TypeANY {
		a.Rcode = dns.RcodeRefused
		return a, true
	}
	name := strings.ToLower(strings.TrimSuffix(ask.Name, "."))
	if addr, ok := reverse(name); ok {
		return z.pointer(a, ask, addr)
	}
	short, ours := strings.CutSuffix(name, "."+z.Domain)
	// Of unqualified names only addresses are ours to deny: a guest's own
	// resolver asks for the keys and servers of top-level domains.
	bare := !strings.Contains(name, ".") && name != "" && (ask.Qtype == dns.TypeA || ask.Qtype == dns.TypeAAAA)
	if !ours && name != z.Domain && !bare {
		return nil, false
	}
	addrs, ok := z.Hosts[short]
	if !ok {
		a.Rcode = dns.RcodeNameError
		return a, true
	}
	a.Authoritative = true
	for _, addr := range addrs {
		if ask.Qtype == dns.TypeA && addr.Is4() {
			a.Answer = append(a.Answer, &dns.A{Hdr: header(ask), A: addr.AsSlice()})
		}
	}
	return a, true
}

func header(q dns.Question) dns.RR_Header {
	return dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: ttl}
}

func (z Zone) pointer(a *dns.Msg, ask dns.Question, addr netip.Addr) (*dns.Msg, bool) {
	if !slices.ContainsFunc(z.Ranges, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil, false
	}
	name, ok := z.Names[addr]
	if !ok {
		a.Rcode = dns.RcodeNameError
		return a, true
	}
	a.Authoritative = true
	if ask.Qtype == dns.TypePTR {
		a.Answer = append(a.Answer, &dns.PTR{Hdr: header(ask), Ptr: dns.Fqdn(name + "." + z.Domain)})
	}
	return a, true
}

// reverse reads d.c.b.a.in-addr.arpa.
func reverse(name string) (netip.Addr, bool) {
	digits, ok := strings.CutSuffix(name, ".in-addr.arpa")
	if !ok {
		return netip.Addr{}, false
	}
	parts := strings.Split(digits, ".")
	slices.Reverse(parts)
	addr, err := netip.ParseAddr(strings.Join(parts, "."))
	return addr, err == nil && addr.Is4()
}
