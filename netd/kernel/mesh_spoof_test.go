package kernel_test

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

// frame is ether for one receiver.
func frame(dst, src netd.MAC, kind uint16, payload []byte) []byte {
	f := ether(src, kind, payload)
	copy(f, dst[:])
	return f
}

// inTunnel is a frame as it travels between hosts.
func inTunnel(network uint32, inner []byte) []byte {
	b := []byte{8, 0, 0, 0}
	return append(binary.BigEndian.AppendUint32(b, network<<8), inner...)
}

// socket gives a UDP socket in a host that sends to another's tunnels.
func socket(t *testing.T, b *bed.Bed, from, to string) net.Conn {
	t.Helper()
	var c net.Conn
	b.In(b.Host, func() (err error) {
		d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
		c, err = d.Dial("udp4", to)
		return err
	})
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

const (
	ip4     = 0x0800
	ip6     = 0x86dd
	arpType = 0x0806
)

// What comes out of a tunnel and is not what one known guest sends another, or
// what a router elsewhere sends, does not arrive, and is counted. Frames are
// written by hand into the tunnel, past the sending host's own filter.
func TestSpoofingFromTunnel(t *testing.T) {
	t.Parallel()
	m := newMesh(t, 3)
	red1, red2 := *m.boot("red1", "red", 0, 5), *m.boot("red2", "red", 1, 6)
	m.boot("blue2", "blue", 1, 6)
	m.boot("web1", "web", 0, 5)
	m.converge()
	rx := m.hosts[1].Wire(red2.space)
	peer := socket(t, m.hosts[0], "198.18.0.1", "198.18.0.2:4789")
	m.hosts[2].IP("-n", m.hosts[2].Host, "addr", "add", "198.18.0.99/24", "dev", "under0")
	stranger := socket(t, m.hosts[2], "198.18.0.99", "198.18.0.2:4789")
	m.hosts[1].IP("-n", m.hosts[1].Host, "addr", "add", "198.18.0.22/24", "dev", "under0")
	elsewhere := socket(t, m.hosts[0], "198.18.0.1", "198.18.0.22:4789")

	one, two, gateway := [4]byte{10, 0, 0, 5}, [4]byte{10, 0, 0, 6}, [4]byte{10, 0, 0, 1}
	web, all := [4]byte{10, 0, 1, 5}, [4]byte{255, 255, 255, 255}
	gate, unknown := netd.GatewayMAC(1, netd.FirstGateway), netd.MAC{0xfa, 0x16, 0x3e, 9, 9, 9}
	a, b, routed := red1.mac(), red2.mac(), netd.RoutedMAC
	legal := inTunnel(1, frame(b, a, ip4, udp(one, two, 1, 2, marker)))
	for _, row := range []struct {
		name    string
		by      net.Conn
		frame   []byte
		counter string // none: it arrives
	}{
		{"a guest elsewhere", peer, inTunnel(1, frame(b, a, ip4, udp(one, two, 1, 2, word))), ""},
		{"routed elsewhere", peer, inTunnel(1, frame(b, routed, ip4, udp(web, two, 1, 2, word))), ""},
		{"a stranger", stranger, inTunnel(1, frame(b, a, ip4, udp(one, two, 1, 2, word))), "drop_tunnel"},
		{"to another address of the host", elsewhere, inTunnel(1, frame(b, a, ip4, udp(one, two, 1, 2, word))), "drop_tunnel"},
		{"unknown MAC", peer, inTunnel(1, frame(b, unknown, ip4, udp(one, two, 1, 2, word))), "drop_from_tunnel"},
		{"another's address", peer, inTunnel(1, frame(b, a, ip4, udp([4]byte{10, 0, 0, 7}, two, 1, 2, word))), "drop_from_tunnel"},
		{"a local guest's MAC", peer, inTunnel(1, frame(b, b, ip4, udp(two, two, 1, 2, word))), "drop_from_tunnel"},
		{"a local guest's address, as if routed", peer, inTunnel(1, frame(b, routed, ip4, udp(two, two, 1, 2, word))), "drop_from_tunnel"},
		{"the gateway's MAC", peer, inTunnel(1, frame(b, gate, ip4, udp(web, two, 1, 2, word))), "drop_from_tunnel"},
		{"the gateway's address", peer, inTunnel(1, frame(b, routed, ip4, udp(gateway, two, 1, 2, word))), "drop_from_tunnel"},
		{"to the gateway", peer, inTunnel(1, frame(gate, a, ip4, udp(one, gateway, 1, 2, word))), "drop_from_tunnel"},
		{"to everybody", peer, inTunnel(1, frame(everyone, a, ip4, udp(one, all, 1, 2, word))), "drop_from_tunnel"},
		{"DHCP offer", peer, inTunnel(1, frame(b, a, ip4, udp(one, two, 67, 68, word))), "drop_from_tunnel"},
		{"DHCP question", peer, inTunnel(1, frame(b, a, ip4, udp(one, two, 68, 67, word))), "drop_from_tunnel"},
		{"ARP as the gateway", peer, inTunnel(1, frame(b, gate, arpType, arp(2, gate, gateway, two, word))), "drop_from_tunnel"},
		{"ARP as itself", peer, inTunnel(1, frame(b, a, arpType, arp(2, a, one, two, word))), "drop_from_tunnel"},
		{"router advertisement", peer, inTunnel(1, frame(b, gate, ip6, advertisement())), "drop_from_tunnel"},
		{"VLAN tag", peer, inTunnel(1, tagged(0x8100, frame(b, a, ip4, udp(one, two, 1, 2, word)))), "drop_from_tunnel"},
		{"another network's number", peer, inTunnel(2, frame(b, a, ip4, udp(one, two, 1, 2, word))), "none"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := drops(t, m.hosts[1])
			send(t, row.by, row.frame)
			arrives(t, rx, row.counter == "", func() { send(t, peer, legal) })
			rises(t, m.hosts[1], before, row.counter)
		})
	}
	// The counters of the underlay see what they must.
	for _, kind := range []string{"arp", "ip6", "dhcp", "broadcast", "gateway", "routers"} {
		if m.wire.Counted(kind) == 0 {
			t.Errorf("frames of the kind %s passed, and were not counted", kind)
		}
	}
}

// arrives waits for a frame with the word; or, if it must not come, for the
// legal one that is sent after it.
func arrives(t *testing.T, rx *bed.Wire, want bool, legal func()) {
	t.Helper()
	deadline := (clock.Real{}).Now().Add(5 * time.Second)
	if want {
		if _, err := rx.Until(word, marker, deadline); err != nil {
			t.Error(err)
		}
		return
	}
	legal()
	if seen, err := rx.Until(marker, word, deadline); err != nil || seen > 0 {
		t.Errorf("it arrived %d times (%v)", seen, err)
	}
}

// rises waits until a counter of a host has risen, and wants all others where
// they were; "" is none of them, "none" any.
func rises(t *testing.T, b *bed.Bed, before map[string]uint64, counter string) {
	t.Helper()
	after := drops(t, b)
	for deadline := (clock.Real{}).Now().Add(5 * time.Second); after[counter] == before[counter] && counter != "" && counter != "none"; after = drops(t, b) {
		if (clock.Real{}).Now().After(deadline) {
			t.Errorf("counter %s never rose", counter)
			return
		}
	}
	for name, n := range after {
		// Guests' own chatter is counted there.
		if n > before[name] && name != counter && counter != "none" && name != "drop_local" && name != "drop_type" {
			t.Errorf("counter %s rose", name)
		}
	}
}

// advertisement is a router advertisement (RFC 4861), with a word behind it.
func advertisement() []byte {
	p := append([]byte{0x60, 0, 0, 0, 0, byte(16 + len(word)), unix.IPPROTO_ICMPV6, 255}, make([]byte, 32)...)
	p[8], p[9], p[23], p[24], p[25], p[39] = 0xfe, 0x80, 1, 0xff, 0x02, 1
	return append(append(p, 134, 0, 0, 0, 64, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0), word...)
}

// What a guest or a gateway sends, by the right name or a wrong one, does not
// enter a tunnel unless it is IPv4 from a guest for a guest elsewhere: also
// when somebody has turned the bridge's port into an ordinary one.
func TestNothingElseEntersTunnels(t *testing.T) {
	t.Parallel()
	m := newMesh(t, 2)
	red1, red2 := *m.boot("red1", "red", 0, 5), *m.boot("red2", "red", 1, 6)
	m.converge()
	tx, rx := m.hosts[0].Wire(red1.space), m.hosts[1].Wire(red2.space)
	one, two, gateway := [4]byte{10, 0, 0, 5}, [4]byte{10, 0, 0, 6}, [4]byte{10, 0, 0, 1}
	all, none := [4]byte{255, 255, 255, 255}, [4]byte{}
	gate, unknown := netd.GatewayMAC(1, netd.FirstGateway), netd.MAC{0xfa, 0x16, 0x3e, 9, 9, 9}
	a, b := red1.mac(), red2.mac()
	rows := []struct {
		name  string
		frame []byte
		pass  bool
	}{
		{"to a guest elsewhere", frame(b, a, ip4, udp(one, two, 1, 2, word)), true},
		{"question for its MAC", ether(a, arpType, arp(1, a, one, two, word)), false},
		{"question to itself alone", frame(b, a, arpType, arp(1, a, one, two, word)), false},
		{"answer to it", frame(b, a, arpType, arp(2, a, one, two, word)), false},
		{"question for the gateway", ether(a, arpType, arp(1, a, one, gateway, word)), false},
		{"question for nobody", ether(a, arpType, arp(1, a, one, [4]byte{10, 0, 0, 77}, word)), false},
		{"gratuitous ARP", ether(a, arpType, arp(1, a, one, one, word)), false},
		{"probe for its address", ether(a, arpType, arp(1, a, none, one, word)), false},
		{"asking for an address", ether(a, ip4, udp(none, all, 68, 67, word)), false},
		{"asking a guest for one", frame(b, a, ip4, udp(one, two, 68, 67, word)), false},
		{"broadcast", ether(a, ip4, udp(one, [4]byte{10, 0, 0, 255}, 1, 2, word)), false},
		{"multicast", frame(netd.MAC{1, 0, 0x5e, 0, 0, 0xfb}, a, ip4, udp(one, [4]byte{224, 0, 0, 251}, 1, 2, word)), false},
		{"unknown MAC", frame(unknown, a, ip4, udp(one, two, 1, 2, word)), false},
		{"to the gateway's address by a guest's MAC", frame(b, a, ip4, udp(one, gateway, 1, 2, word)), false},
		{"to the gateway", frame(gate, a, ip4, udp(one, gateway, 1, 2, word)), false},
		{"router advertisement", frame(netd.MAC{0x33, 0x33, 0, 0, 0, 1}, a, ip6, advertisement()), false},
	}
	for _, when := range []string{"as planned", "an ordinary port"} {
		for _, row := range rows {
			t.Run(when+"/"+row.name, func(t *testing.T) {
				before := m.wire.Counted("first")
				if err := tx.Send(row.frame); err != nil {
					t.Fatal(err)
				}
				arrives(t, rx, row.pass, func() {
					if err := tx.Send(frame(b, a, ip4, udp(one, two, 1, 2, marker))); err != nil {
						t.Error(err)
					}
				})
				// Either the frame or the marker.
				if got := m.wire.Counted("first") - before; got != 1 {
					t.Errorf("%d frames passed the underlay, want 1", got)
				}
			})
		}
		m.gatewayStays()
		link := netd.Names(m.hosts[0].Prefix).Tunnel(1)
		m.hosts[0].Must(m.hosts[0].Host, "bridge", "link", "set", "dev", link, "learning", "on", "flood", "on",
			"mcast_flood", "on", "bcast_flood", "on", "neigh_suppress", "off")
		m.hosts[0].Must(m.hosts[0].Host, "bridge", "fdb", "append", "00:00:00:00:00:00", "dev", link, "dst", end(1).String())
	}
	m.never("arp", "dhcp", "ip6", "broadcast", "gateway", "routers")
}

// gatewayStays wants a gateway of the first host that talks to a guest
// elsewhere by its own address not to be heard.
func (m *mesh) gatewayStays() {
	m.t.Helper()
	b := m.hosts[0]
	dropped, passed := drops(m.t, b), m.wire.Counted("first")
	// Nor is the host itself, by the bridge's own link.
	host := b.WireOn(b.Host, netd.Names(b.Prefix).Bridge(1))
	remote, mine := m.guests[1], netd.GatewayMAC(1, netd.FirstGateway)
	if err := host.Send(frame(remote.mac(), mine, ip4, udp([4]byte{10, 0, 0, 1}, [4]byte{10, 0, 0, 6}, 1, 2, word))); err != nil {
		m.t.Error(err)
	}
	space := netd.Names(b.Prefix).RouterSpace(1)
	if ping(b, space, "10.0.0.6") {
		m.t.Error("a guest elsewhere answered a gateway that is not its own")
	}
	rises(m.t, b, dropped, "drop_to_tunnel")
	if got := m.wire.Counted("first") - passed; got > 0 {
		m.t.Errorf("%d frames of a gateway passed the underlay", got)
	}
}

// A guest writes a tunnel's datagram for another host. Translated, it would
// come from its own host, which the other believes.
func TestGuestsMakeNoTunnels(t *testing.T) {
	t.Parallel()
	m := newMesh(t, 2)
	red1, red2 := *m.boot("red1", "red", 0, 5), *m.boot("red2", "red", 1, 6)
	m.converge()
	tx, rx := m.hosts[0].Wire(red1.space), m.hosts[1].Wire(red2.space)
	one, two := [4]byte{10, 0, 0, 5}, [4]byte{10, 0, 0, 6}
	a, b, gate := red1.mac(), red2.mac(), netd.GatewayMAC(1, netd.FirstGateway)
	smuggled := string(inTunnel(1, frame(b, a, ip4, udp(one, two, 1, 2, word))))
	for _, row := range []struct {
		name    string
		port    uint16
		counter string // none: it goes out
	}{{"to the port of tunnels", netd.TunnelPort, "drop_denied"}, {"to another port", 4790, ""}} {
		t.Run(row.name, func(t *testing.T) {
			before, out := drops(t, m.hosts[0]), m.wire.Counted("translated")
			if err := tx.Send(frame(gate, a, ip4, udp(one, [4]byte{198, 18, 0, 2}, 1, row.port, smuggled))); err != nil {
				t.Fatal(err)
			}
			rises(t, m.hosts[0], before, row.counter)
			for deadline := (clock.Real{}).Now().Add(5 * time.Second); row.counter == "" && m.wire.Counted("translated") == out; {
				if (clock.Real{}).Now().After(deadline) {
					t.Fatal("it never went out: what keeps tunnels in is not what is tested here")
				}
			}
			if got := m.wire.Counted("translated") - out; row.counter != "" && got > 0 {
				t.Errorf("%d of the guest's datagrams left its host", got)
			}
			if err := tx.Send(frame(b, a, ip4, udp(one, two, 1, 2, marker))); err != nil {
				t.Fatal(err)
			}
			if seen, err := rx.Until(marker, word, (clock.Real{}).Now().Add(5*time.Second)); err != nil || seen > 0 {
				t.Errorf("it arrived %d times (%v)", seen, err)
			}
		})
	}
}
