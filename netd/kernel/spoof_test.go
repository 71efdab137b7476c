package kernel_test

import (
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

const (
	marker = "legal frame that comes last"
	word   = "smuggled"
)

var everyone = netd.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func ether(src netd.MAC, kind uint16, payload []byte) []byte {
	f := append(append([]byte{}, everyone[:]...), src[:]...)
	return append(binary.BigEndian.AppendUint16(f, kind), payload...)
}

func udp(src, dst [4]byte, sport, dport uint16, text string) []byte {
	p := []byte{0x45, 0, 0, byte(28 + len(text)), 0, 0, 0, 0, 64, unix.IPPROTO_UDP, 0, 0}
	p = append(append(p, src[:]...), dst[:]...)
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum+sum>>16))
	p = binary.BigEndian.AppendUint16(p, sport)
	p = binary.BigEndian.AppendUint16(p, dport)
	p = binary.BigEndian.AppendUint16(p, uint16(8+len(text)))
	return append(append(p, 0, 0), text...)
}

func arp(op byte, mac netd.MAC, sender, target [4]byte, tail string) []byte {
	p := []byte{0, 1, 8, 0, 6, 4, 0, op}
	p = append(append(p, mac[:]...), sender[:]...)
	p = append(append(p, 0, 0, 0, 0, 0, 0), target[:]...)
	return append(p, tail...)
}

func tagged(kind uint16, inner []byte) []byte {
	f := append(append([]byte{}, inner[:12]...), byte(kind>>8), byte(kind), 0, 5)
	return append(f, inner[12:]...)
}

// What a guest must not send does not arrive, and is counted.
func TestSpoofing(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	c := twoProjects(b.Prefix)
	from, to := boot(b, c, "red1"), boot(b, c, "red2")
	converge(t, b, c)
	settle(t, b, from, "10.0.0.6")
	tx, rx := b.Wire(from), b.Wire(to)
	me, other, gateway := [4]byte{10, 0, 0, 5}, [4]byte{10, 0, 0, 6}, [4]byte{10, 0, 0, 1}
	all, none := [4]byte{255, 255, 255, 255}, [4]byte{}
	mac, wrong := port(c, "red1").MAC, netd.MAC{0xfa, 0x16, 0x3e, 9, 9, 9}
	gate := netd.GatewayMAC(1, netd.FirstGateway)
	for _, row := range []struct {
		name    string
		frame   []byte
		counter string // none: it may pass
	}{
		{"own addresses", ether(mac, ip4, udp(me, other, 1, 2, word)), ""},
		{"foreign MAC", ether(wrong, ip4, udp(me, other, 1, 2, word)), "drop_mac"},
		{"gateway's MAC", ether(gate, ip4, udp(me, other, 1, 2, word)), "drop_mac"},
		{"foreign address", ether(mac, ip4, udp(other, all, 1, 2, word)), "drop_ip4"},
		{"gateway's address", ether(mac, ip4, udp(gateway, all, 1, 2, word)), "drop_ip4"},
		{"no address, not DHCP", ether(mac, ip4, udp(none, all, 1, 2, word)), "drop_ip4"},
		{"asking for an address", ether(mac, ip4, udp(none, all, 68, 67, word)), ""},
		{"DHCP server", ether(mac, ip4, udp(me, all, 67, 68, word)), "drop_dhcp_server"},
		{"DHCP relay", ether(mac, ip4, udp(me, other, 67, 67, word)), "drop_dhcp_server"},
		{"own ARP", ether(mac, arpType, arp(1, mac, me, other, word)), ""},
		{"gratuitous ARP for another", ether(mac, arpType, arp(1, mac, other, other, word)), "drop_arp"},
		{"ARP answer as gateway", ether(mac, arpType, arp(2, mac, gateway, other, word)), "drop_arp"},
		{"ARP with another MAC inside", ether(mac, arpType, arp(2, wrong, me, other, word)), "drop_arp"},
		{"probe for own address", ether(mac, arpType, arp(1, mac, none, me, word)), ""},
		{"probe for another's address", ether(mac, arpType, arp(1, mac, none, other, word)), "drop_arp"},
		{"reverse ARP", ether(mac, arpType, arp(3, mac, me, me, word)), "drop_arp"},
		{"IPv6", ether(mac, ip6, []byte("`"+word+"----------------------------------------")), "drop_type"},
		{"VLAN tag", tagged(0x8100, ether(mac, ip4, udp(me, other, 1, 2, word))), "drop_type"},
		{"VLAN tag around ARP as gateway", tagged(0x8100, ether(mac, arpType, arp(2, mac, gateway, other, word))), "drop_type"},
		{"service tag", tagged(0x88a8, ether(mac, ip4, udp(me, other, 1, 2, word))), "drop_type"},
		{"two tags", tagged(0x88a8, tagged(0x8100, ether(mac, ip4, udp(other, all, 1, 2, word)))), "drop_type"},
		{"another ethertype", ether(mac, 0x88b5, []byte(word+"------------------------------------------")), "drop_type"},
		{"spanning tree (802.3 length)", ether(mac, 0x0026, []byte("BB\x03"+word+"--------------------------------")), "drop_type"},
		{"foreign address in a later fragment", ether(mac, ip4, fragment(udp(other, all, 1, 2, word))), "drop_ip4"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := drops(t, b)
			if err := tx.Send(row.frame); err != nil {
				t.Fatal(err)
			}
			if err := tx.Send(ether(mac, ip4, udp(me, other, 1, 2, marker))); err != nil {
				t.Fatal(err)
			}
			seen, err := rx.Until(marker, word, clock.Real{}.Now().Add(5*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			if want := row.counter == ""; (seen > 0) != want {
				t.Errorf("arrived: %v, want %v", seen > 0, want)
			}
			after := drops(t, b)
			for name := range after {
				if rose := after[name] > before[name]; rose != (name == row.counter) && name != "drop_local" {
					t.Errorf("counter %s rose: %v", name, rose)
				}
			}
		})
	}
}

func fragment(p []byte) []byte {
	p[7] = 4 // offset 32 bytes
	p[10], p[11] = 0, 0
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum+sum>>16))
	return p
}

func drops(t *testing.T, b *bed.Bed) map[string]uint64 {
	t.Helper()
	d, err := b.Kernel().Drops(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A tap that nobody told us of is shut, however it came.
func TestUnknownTapIsShut(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	c := twoProjects(b.Prefix)
	to := boot(b, c, "red2")
	tap := netd.Names(b.Prefix).Tap("stranger")
	from := b.Guest("stranger", tap, "fa:16:3e:00:00:05")
	b.Configure(from, "10.0.0.5/24", "10.0.0.1")
	converge(t, b, c)
	b.IP("-n", b.Host, "link", "set", tap, "master", netd.Names(b.Prefix).Bridge(1), "up")
	settle(t, b, to, "10.0.0.1")
	if ping(b, from, "10.0.0.6") || ping(b, from, "10.0.0.1") {
		t.Error("a tap that is in no Config sends")
	}
	if drops(t, b)["drop_mac"] == 0 {
		t.Error("what it sent was not counted")
	}
}
