package netd_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/netd"
)

// end gives c an end of tunnels whose link carries mtu bytes.
func end(c *netd.Config, mtu int) {
	c.Tunnel = netd.Tunnel{Addr: netip.MustParseAddr("198.51.100.1"), MTU: mtu}
}

// far gives the first network guests elsewhere; without mtu, the host has no
// end of tunnels.
func far(mtu int, remotes ...netd.Remote) func(*netd.Config) {
	return func(c *netd.Config) {
		if mtu > 0 {
			end(c, mtu)
		}
		c.Networks[0].Remotes = remotes
	}
}

// One bad thing is left out and named; the rest of the host stays.
func TestSound(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*netd.Config)
		want  string // in the one error; none: all is sound
	}{
		{"nothing", func(*netd.Config) {}, ""},
		{"number twice", func(c *netd.Config) { c.Networks[1].Number = 7; c.Routers = c.Routers[1:]; c.Ports = c.Ports[:0] }, "network red: its number 7"},
		{"number too large", func(c *netd.Config) { c.Networks = append(c.Networks, network("x", 1<<24, "10.0.0.0/24")) }, "network x"},
		{"tiny MTU", func(c *netd.Config) {
			n := network("x", 9, "10.0.0.0/24")
			n.MTU = 60
			c.Networks = append(c.Networks, n)
		}, "MTU 60"},
		{"IPv6 subnet", func(c *netd.Config) { c.Networks = append(c.Networks, network("x", 9, "fd00::/64")) }, "fd00::/64"},
		{"subnet in the transfer range", func(c *netd.Config) { c.Networks = append(c.Networks, network("x", 9, "100.64.3.0/24")) }, "100.64.3.0/24"},
		{"subnet around metadata", func(c *netd.Config) { c.Networks = append(c.Networks, network("x", 9, "169.254.0.0/16")) }, "169.254.0.0/16"},
		{"gateway elsewhere", func(c *netd.Config) {
			n := network("x", 9, "10.0.0.0/24")
			n.Subnets[0].Gateway = netip.MustParseAddr("10.1.0.1")
			c.Networks = append(c.Networks, n)
		}, "10.1.0.1"},
		{"router of nothing", func(c *netd.Config) {
			c.Routers[0].Interfaces = append(c.Routers[0].Interfaces, netd.Interface{NetworkID: "y", Addr: netip.MustParsePrefix("10.9.0.1/24")})
		}, `network "y"`},
		{"router joins overlapping ranges", func(c *netd.Config) {
			c.Networks = append(c.Networks, network("x", 9, "10.0.0.0/16"))
			c.Routers[0].Interfaces = append(c.Routers[0].Interfaces, netd.Interface{NetworkID: "x", Addr: netip.MustParsePrefix("10.0.0.1/16")})
		}, "overlaps another"},
		{"two routers with one address", func(c *netd.Config) { c.Routers[1].Interfaces = c.Routers[0].Interfaces }, "is router r1's"},
		{"router number beyond the range", func(c *netd.Config) { c.Routers[1].Number = 1 << 21 }, "transfer range"},
		{"foreign link", func(c *netd.Config) { c.Ports[0].Tap = "eth0" }, `"eth0"`},
		{"multicast MAC", func(c *netd.Config) { c.Ports[0].MAC = netd.MAC{1} }, "01:00:00:00:00:00"},
		{"gateway's address", func(c *netd.Config) { c.Ports[0].Addrs = []netip.Addr{netip.MustParseAddr("10.0.0.1")} }, "10.0.0.1"},
		{"IPv6 address", func(c *netd.Config) { c.Ports[0].Addrs = append(c.Ports[0].Addrs, netip.MustParseAddr("fd00::1")) }, "fd00::1"},
		{"address twice", func(c *netd.Config) { c.Ports = append(c.Ports, portOf("a2", "red", "10.0.0.5", 9)) }, "10.0.0.5"},
		{"MAC twice", func(c *netd.Config) { c.Ports = append(c.Ports, portOf("a2", "red", "10.0.0.6", 1)) }, "fa:16:3e:00:00:01"},
		{"all denied", func(c *netd.Config) { c.Denied = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }, "0.0.0.0/0"},
		{"denied inside denied", func(c *netd.Config) {
			c.Denied = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
		}, ""},
		{"tunnels by IPv6", func(c *netd.Config) { c.Tunnel.Addr = netip.MustParseAddr("fd00::1") }, "fd00::1"},
		{"tunnels by loopback", func(c *netd.Config) { c.Tunnel.Addr = netip.MustParseAddr("127.0.0.1") }, "127.0.0.1"},
		{"tunnels too small", func(c *netd.Config) { end(c, 600) }, "carries 600 bytes"},
		{"MTU beyond the tunnels", func(c *netd.Config) { end(c, 1499); c.Networks = c.Networks[:1]; c.Routers, c.Ports = nil, nil }, "1 bytes of the MTU 1450 of network red"},
		{"MTU of tunnels not known", func(c *netd.Config) { end(c, 0) }, ""},
		{"remotes without tunnels", far(0, remote(6, "10.0.0.6", "198.51.100.2")), "no tunnels"},
		{"remotes", far(1500, remote(6, "10.0.0.6", "198.51.100.2"), remote(7, "10.0.0.7", "198.51.100.3")), ""},
		{"remote at our own end", far(1500, remote(6, "10.0.0.6", "198.51.100.1")), "own end"},
		{"remote on no host", far(1500, netd.Remote{MAC: mac("fa:16:3e:00:09:06")}), "of the host"},
		{"remote without MAC", far(1500, netd.Remote{Via: netip.MustParseAddr("198.51.100.2")}), "00:00:00:00:00:00"},
		{"remote with a local port's MAC", far(1500, netd.Remote{MAC: mac("fa:16:3e:00:00:01"), Via: netip.MustParseAddr("198.51.100.2")}), "fa:16:3e:00:00:01"},
		{"remote with a gateway's MAC", far(1500, netd.Remote{MAC: netd.GatewayMAC(7, netd.FirstGateway), Via: netip.MustParseAddr("198.51.100.2")}), "02:00:01:c0:00:00"},
		{"remote with the tunnels' MAC", far(1500, netd.Remote{MAC: netd.RoutedMAC, Via: netip.MustParseAddr("198.51.100.2")}), "02:00:00:20:00:01"},
		{"remote with a local port's address", far(1500, remote(6, "10.0.0.5", "198.51.100.2")), "10.0.0.5"},
		{"remote with a gateway's address", far(1500, remote(6, "10.0.0.1", "198.51.100.2")), "10.0.0.1"},
		{"two remotes with one MAC", far(1500, remote(6, "10.0.0.6", "198.51.100.2"), remote(6, "10.0.0.7", "198.51.100.3")), "used twice"},
		{"two remotes with one address", far(1500, remote(6, "10.0.0.6", "198.51.100.2"), remote(7, "10.0.0.6", "198.51.100.3")), "10.0.0.6"},
		{"port with a gateway's MAC", func(c *netd.Config) { c.Ports[0].MAC = netd.GatewayMAC(7, netd.FirstGateway) }, "02:00:01:c0:00:00"},
	} {
		c := states()["overlap"]
		row.spoil(&c)
		good, bad := netd.Sound(c)
		switch {
		case row.want == "" && len(bad) > 0, row.want != "" && len(bad) != 1:
			t.Errorf("%s: left out %v", row.name, bad)
		case row.want != "" && !strings.Contains(bad[0].Error(), row.want):
			t.Errorf("%s: %v does not name %s", row.name, bad[0], row.want)
		}
		if _, again := netd.Sound(good); len(again) > 0 {
			t.Errorf("%s: what is sound is not: %v", row.name, again)
		}
	}
}

func TestTransferAddrs(t *testing.T) {
	for _, row := range []struct {
		transfer string
		router   uint32
		want     string
	}{
		{"100.64.0.0/10", 0, "100.64.0.0/31 100.64.0.1/31"},
		{"100.64.0.0/10", 35, "100.64.0.70/31 100.64.0.71/31"},
		{"100.64.0.0/10", 1<<21 - 1, "100.127.255.254/31 100.127.255.255/31"},
		{"100.64.0.0/10", 1 << 21, "none"},
		{"10.0.0.0/8", 1 << 21, "none"},
		{"192.0.2.0/30", 1, "192.0.2.2/31 192.0.2.3/31"},
		{"192.0.2.0/30", 2, "none"},
	} {
		got := "none"
		if root, inner, ok := (netd.Config{Transfer: netip.MustParsePrefix(row.transfer)}).TransferAddrs(row.router); ok {
			got = root.String() + " " + inner.String()
		}
		if got != row.want {
			t.Errorf("%s, router %d: %s, want %s", row.transfer, row.router, got, row.want)
		}
	}
}

// No two gateways and no guest share an address on the wire.
func TestGatewayMAC(t *testing.T) {
	seen := map[netd.MAC]string{}
	for _, n := range []uint32{1, 2, 255, 256, 1<<24 - 1} {
		for _, r := range []int64{netd.FirstGateway, netd.OwnGateway, 0, 1, 1<<21 - 1} {
			m := netd.GatewayMAC(n, r)
			if !m.Unicast() || m[0]&2 == 0 || seen[m] != "" {
				t.Errorf("%d, %d: %v is not ours alone", n, r, m)
			}
			seen[m] = m.String()
		}
	}
	if mac("02:00:00:40:00:00") != netd.GatewayMAC(1, -1) {
		t.Errorf("network 1: %v", netd.GatewayMAC(1, -1))
	}
}
