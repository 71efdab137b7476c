package dhcp

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

var (
	known = net.HardwareAddr{0xfa, 0x16, 0x3e, 0, 0, 1}
	lease = Lease{
		Addr: netip.MustParsePrefix("10.0.0.5/24"), Server: netip.MustParseAddr("10.0.0.1"),
		Router: netip.MustParseAddr("10.0.0.1"), DNS: []netip.Addr{netip.MustParseAddr("10.0.0.1")},
		Routes:   []Route{{netip.MustParsePrefix("169.254.169.254/32"), netip.MustParseAddr("10.0.0.1")}},
		Hostname: "web", Domain: "novalocal", MTU: 1450, Time: 24 * time.Hour,
	}
)

func look(mac [6]byte) (Lease, bool) { return lease, mac == [6]byte(known) }

func question(t *testing.T, mac net.HardwareAddr, kind dhcpv4.MessageType, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	t.Helper()
	q, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(mac), dhcpv4.WithMessageType(kind)}, mods...)...)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestAnswer(t *testing.T) {
	ip := func(s string) net.IP { return net.ParseIP(s).To4() }
	requested := func(s string) dhcpv4.Modifier { return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(ip(s))) }
	server := func(s string) dhcpv4.Modifier { return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(ip(s))) }
	const none = dhcpv4.MessageTypeNone
	for _, row := range []struct {
		name        string
		q           *dhcpv4.DHCPv4
		want        dhcpv4.MessageType
		yours, dest string
	}{
		{"discover", question(t, known, dhcpv4.MessageTypeDiscover), dhcpv4.MessageTypeOffer, "10.0.0.5", "255.255.255.255"},
		{"unknown MAC", question(t, net.HardwareAddr{2, 0, 0, 0, 0, 1}, dhcpv4.MessageTypeDiscover), none, "", ""},
		{"request of the offer", question(t, known, dhcpv4.MessageTypeRequest, requested("10.0.0.5"), server("10.0.0.1")),
			dhcpv4.MessageTypeAck, "10.0.0.5", "255.255.255.255"},
		{"request of another server's offer", question(t, known, dhcpv4.MessageTypeRequest, requested("10.0.0.5"), server("10.0.0.9")), none, "", ""},
		{"request after reboot, of a foreign address", question(t, known, dhcpv4.MessageTypeRequest, requested("10.0.0.6")),
			dhcpv4.MessageTypeNak, "0.0.0.0", "255.255.255.255"},
		{"renewal", question(t, known, dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(ip("10.0.0.5"))),
			dhcpv4.MessageTypeAck, "10.0.0.5", "10.0.0.5"},
		{"renewal of a foreign address", question(t, known, dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(ip("10.0.0.6"))),
			dhcpv4.MessageTypeNak, "0.0.0.0", "255.255.255.255"},
		{"inform", question(t, known, dhcpv4.MessageTypeInform, dhcpv4.WithClientIP(ip("10.0.0.5"))),
			dhcpv4.MessageTypeAck, "0.0.0.0", "10.0.0.5"},
		{"decline", question(t, known, dhcpv4.MessageTypeDecline, requested("10.0.0.5")), none, "", ""},
		{"release", question(t, known, dhcpv4.MessageTypeRelease), none, "", ""},
		{"an answer, not a question", question(t, known, dhcpv4.MessageTypeOffer), none, "", ""},
		{"relayed", question(t, known, dhcpv4.MessageTypeDiscover, dhcpv4.WithRelay(ip("10.0.0.7"))), none, "", ""},
	} {
		a, ok := Answer(row.q, look)
		if ok != (row.want != none) {
			t.Errorf("%s: answered %v", row.name, ok)
			continue
		}
		if !ok {
			continue
		}
		if a.MessageType() != row.want || a.YourIPAddr.String() != row.yours || dest(row.q, a).IP.String() != row.dest {
			t.Errorf("%s: %v, address %v, to %v", row.name, a.MessageType(), a.YourIPAddr, dest(row.q, a))
		}
	}
}

func TestOptions(t *testing.T) {
	a, ok := Answer(question(t, known, dhcpv4.MessageTypeDiscover), look)
	if !ok {
		t.Fatal("no answer")
	}
	for _, want := range []string{
		"Subnet Mask: ffffff00", "Router: 10.0.0.1", "Domain Name Server: 10.0.0.1", "Host Name: web",
		"Domain Name: novalocal", "Interface MTU: [5 170]", "IP Addresses Lease Time: 24h0m0s", "Server Identifier: 10.0.0.1",
		"route to 169.254.169.254/32 via 10.0.0.1; route to 0.0.0.0/0 via 10.0.0.1",
	} {
		if !strings.Contains(a.Summary(), want) {
			t.Errorf("no %q in:\n%s", want, a.Summary())
		}
	}
	if again, _ := Answer(question(t, known, dhcpv4.MessageTypeDiscover), look); again.Summary() == "" || len(lease.Routes) != 1 {
		t.Error("an answer changed the lease")
	}
}

// No bytes make the server panic, and none of them get a foreign address.
func FuzzAnswer(f *testing.F) {
	q, err := dhcpv4.New(dhcpv4.WithHwAddr(known), dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(q.ToBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := dhcpv4.FromBytes(b)
		if err != nil {
			return
		}
		a, ok := Answer(q, look)
		if !ok {
			return
		}
		if got := a.YourIPAddr.String(); got != "10.0.0.5" && got != "0.0.0.0" {
			t.Fatalf("offered %v", got)
		}
		dest(q, a)
		a.ToBytes()
	})
}
