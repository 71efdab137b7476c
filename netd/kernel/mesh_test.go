package kernel_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

// mesh is some hosts on one underlay.
type mesh struct {
	t      *testing.T
	hosts  []*bed.Bed
	wire   *bed.Switch
	guests []guest
}

// guest runs on one of the hosts.
type guest struct {
	id, network string
	host        int
	last        byte
	space       string
}

// The networks of a mesh: two projects with one range, and a second network
// of the first, which a router joins.
var meshNets = []struct {
	id, cidr string
	number   uint32
}{{"red", "10.0.0.0/24", 1}, {"blue", "10.0.0.0/24", 2}, {"web", "10.0.1.0/24", 3}}

// What is counted on the underlay: frames in tunnels by what is inside. An
// inner frame begins 16 bytes after the UDP header.
var insides = map[string]string{
	"all":       "udp dport 4789",
	"broadcast": "udp dport 4789 @th,128,48 0xffffffffffff",
	"arp":       "udp dport 4789 @th,224,16 0x0806",
	"ip6":       "udp dport 4789 @th,224,16 0x86dd",
	"dhcp":      "udp dport 4789 @th,224,16 0x0800 @th,312,8 17 @th,416,16 { 67, 68 }",
	// Gateways of the networks 1 to 3; routers' frames bear netd.RoutedMAC.
	"gateway": "udp dport 4789 @th,128,48 { 0x020000400000, 0x020000800000, 0x020000c00000 }",
	"routers": "udp dport 4789 @th,176,48 { 0x020000400000, 0x020000800000, 0x020000c00000 }",
	"routed":  "udp dport 4789 @th,176,48 0x020000200001",
	// What the first host sends, and nobody answers.
	"first": "ip saddr 198.18.0.1 udp dport 4789",
	// The kernel's own tunnels have high ports.
	"translated": "udp sport < 1024",
}

func newMesh(t *testing.T, hosts int) *mesh {
	m := &mesh{t: t}
	for i := range hosts {
		m.hosts = append(m.hosts, bed.New(t))
		if i == 0 {
			m.wire = m.hosts[0].Switch()
		}
		m.wire.Join(m.hosts[i], end(i).String()+"/24")
	}
	m.wire.Count(insides)
	t.Cleanup(func() {
		for i, b := range m.hosts {
			if d, err := b.Kernel().Drops(context.Background(), ""); t.Failed() {
				t.Logf("host %d dropped %v (%v)", i, d, err)
			}
		}
	})
	return m
}

// end is where a host's tunnels end.
func end(host int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, 0, byte(host + 1)}) }

func (g guest) mac() netd.MAC {
	return netd.MAC{0xfa, 0x16, 0x3e, byte(slices.Index([]string{"red", "blue", "web"}, g.network)), 0, g.last}
}

func (g guest) addr() netip.Addr {
	a := [4]byte{10, 0, 0, g.last}
	if g.network == "web" {
		a[2] = 1
	}
	return netip.AddrFrom4(a)
}

// config is what one host is told.
func (m *mesh) config(host int) netd.Config {
	n := netd.Names(m.hosts[host].Prefix)
	c := netd.Config{Prefix: string(n), Tunnel: netd.Tunnel{Addr: end(host), MTU: 1500}}
	joined := func(id string, number uint32, networks ...string) {
		r := netd.Router{ID: id, Number: number, External: true}
		for _, w := range meshNets {
			if slices.Contains(networks, w.id) {
				p := netip.MustParsePrefix(w.cidr)
				r.Interfaces = append(r.Interfaces, netd.Interface{NetworkID: w.id, Addr: netip.PrefixFrom(p.Addr().Next(), p.Bits())})
			}
		}
		c.Routers = append(c.Routers, r)
	}
	joined("r-red", 1, "red", "web")
	joined("r-blue", 2, "blue")
	for _, w := range meshNets {
		p := netip.MustParsePrefix(w.cidr)
		out := netd.Network{ID: w.id, Number: w.number, MTU: 1450, Subnets: []netd.Subnet{{CIDR: p, Gateway: p.Addr().Next(), DHCP: true}}}
		for _, g := range m.guests {
			switch {
			case g.network != w.id:
			case g.host == host:
				c.Ports = append(c.Ports, netd.Port{ID: g.id, NetworkID: w.id, Tap: n.Tap(g.id), MAC: g.mac(), Addrs: []netip.Addr{g.addr()}})
			default:
				out.Remotes = append(out.Remotes, netd.Remote{MAC: g.mac(), Addrs: []netip.Addr{g.addr()}, Via: end(g.host)})
			}
		}
		c.Networks = append(c.Networks, out)
	}
	return c
}

// boot makes a guest on a host; it answers everybody with its id by HTTP.
func (m *mesh) boot(id, network string, host int, last byte) *guest {
	m.t.Helper()
	g := guest{id: id, network: network, host: host, last: last}
	b := m.hosts[host]
	g.space = b.Guest(id, netd.Names(b.Prefix).Tap(id), g.mac().String())
	gateway := g.addr().As4()
	gateway[3] = 1
	b.Configure(g.space, g.addr().String()+"/24", netip.AddrFrom4(gateway).String())
	serve(m.t, b, g.space, g.addr().String()+":80", id)
	m.guests = append(m.guests, g)
	return &m.guests[len(m.guests)-1]
}

// serve answers with a name and with as much as one asks for.
func serve(t *testing.T, b *bed.Bed, space, addr, name string) {
	t.Helper()
	var l net.Listener
	b.In(space, func() (err error) {
		l, err = net.Listen("tcp4", addr)
		return err
	})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		text := name + " to " + host
		if r.URL.Path == "/large" {
			text = strings.Repeat("0123456789abcdef", 1<<16)
		}
		// The caller may have gone: then its test says so.
		_, _ = io.WriteString(w, text)
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
}

func (m *mesh) converge() {
	m.t.Helper()
	for i, b := range m.hosts {
		converge(m.t, b, m.config(i))
	}
	for _, g := range m.guests {
		gateway := g.addr().As4()
		gateway[3] = 1
		settle(m.t, m.hosts[g.host], g.space, netip.AddrFrom4(gateway).String())
	}
}

func (m *mesh) curl(from *guest, url string) string {
	out, err := m.hosts[from.host].Run(from.space, "curl", "-s", "-m", "3", url)
	if err != nil {
		return "curl: " + err.Error()
	}
	return out
}

// never fails when something of a kind passed the underlay.
func (m *mesh) never(kinds ...string) {
	m.t.Helper()
	for _, kind := range kinds {
		if n := m.wire.Counted(kind); n > 0 {
			m.t.Errorf("%d frames in tunnels: %s", n, kind)
		}
	}
}

// Guests of one network have each other across hosts, and nobody else's.
func TestMesh(t *testing.T) {
	t.Parallel()
	m := newMesh(t, 2)
	red1, red2 := *m.boot("red1", "red", 0, 5), *m.boot("red2", "red", 1, 6)
	blue1, blue2 := *m.boot("blue1", "blue", 0, 5), *m.boot("blue2", "blue", 1, 6)
	web := *m.boot("web1", "web", 1, 5)
	only := *m.boot("blue3", "blue", 1, 9)
	m.converge()
	for _, row := range []struct {
		from guest
		to   guest
		want string
	}{
		{red1, red2, "red2 to 10.0.0.5"},
		{red2, red1, "red1 to 10.0.0.6"},
		{blue1, blue2, "blue2 to 10.0.0.5"},
		{blue1, only, "blue3 to 10.0.0.5"},
		// By the router of the sender's host each.
		{red1, web, "web1 to 10.0.0.5"},
		{web, red1, "red1 to 10.0.1.5"},
		{red2, web, "web1 to 10.0.0.6"},
	} {
		if got := m.curl(&row.from, "http://"+row.to.addr().String()+"/"); got != row.want {
			t.Errorf("%s asked %s: %q, want %q", row.from.id, row.to.id, got, row.want)
		}
		if got := m.curl(&row.from, "http://"+row.to.addr().String()+"/large"); len(got) != 1<<20 {
			t.Errorf("%s asked %s for much: %d bytes", row.from.id, row.to.id, len(got))
		}
	}
	for _, row := range [][2]guest{{red1, only}, {blue1, web}, {blue2, web}} {
		if got := m.curl(&row[0], "http://"+row[1].addr().String()+"/"); !strings.HasPrefix(got, "curl: ") {
			t.Errorf("%s reached %s: %q", row[0].id, row[1].id, got)
		}
	}
	// The largest packet that guests are told of fits, unbroken.
	m.hosts[0].Must(red1.space, "ping", "-c1", "-W2", "-M", "do", "-s", "1422", "10.0.0.6")
	if m.wire.Counted("all") == 0 || m.wire.Counted("routed") == 0 {
		t.Error("nothing passed the underlay: what was tried here?")
	}
	m.never("arp", "dhcp", "ip6", "broadcast", "gateway", "routers")
	m.sameGateway(red1, red2)
	for i, b := range m.hosts {
		if tracked := b.Must(b.Host, "cat", "/proc/net/nf_conntrack"); strings.Contains(tracked, "dport=4789") {
			t.Errorf("host %d tracks tunnels:\n%s", i, tracked)
		}
	}
}

// sameGateway wants guests on different hosts to see one gateway.
func (m *mesh) sameGateway(guests ...guest) {
	m.t.Helper()
	want := netd.GatewayMAC(1, netd.FirstGateway).String()
	for _, g := range guests {
		if got := m.hosts[g.host].Must(g.space, "ip", "neigh", "show", "10.0.0.1"); !strings.Contains(got, want) {
			m.t.Errorf("%s on host %d has the gateway at %s, want %s", g.id, g.host, got, want)
		}
	}
}

// A guest moves: the others find it where it is, without being asked again.
func TestMeshMove(t *testing.T) {
	t.Parallel()
	m := newMesh(t, 3)
	red1, moving, web := *m.boot("red1", "red", 0, 5), *m.boot("red2", "red", 1, 6), *m.boot("web1", "web", 2, 5)
	m.converge()
	check := func(when string) {
		t.Helper()
		for _, from := range []guest{red1, web} {
			if got, want := m.curl(&from, "http://10.0.0.6/"), fmt.Sprintf("red2 to %s", from.addr()); got != want {
				t.Errorf("%s: %s asked: %q, want %q", when, from.id, got, want)
			}
		}
	}
	check("at first")
	for i, to := range []int{2, 0, 1} {
		m.guests = slices.DeleteFunc(m.guests, func(g guest) bool { return g.id == "red2" })
		b := m.hosts[moving.host]
		b.IP("-n", b.Host, "link", "del", netd.Names(b.Prefix).Tap("red2"))
		b.IP("netns", "del", moving.space)
		moving = *m.boot("red2", "red", to, 6)
		m.converge()
		check(fmt.Sprintf("move %d, to host %d", i+1, to))
	}
	m.never("arp", "dhcp", "ip6", "broadcast", "gateway", "routers")
	// The last guest elsewhere goes, and with it the tunnels.
	m.guests = m.guests[:0]
	for i, b := range m.hosts {
		converge(t, b, m.config(i))
		if links := b.Must(b.Host, "ip", "-br", "link", "show", "type", "vxlan"); links != "" {
			t.Errorf("host %d keeps tunnels:\n%s", i, links)
		}
	}
}

// Somebody meddles with what leads to other hosts; the next plan mends it and
// does nothing else.
func TestMeshMeddling(t *testing.T) {
	t.Parallel()
	m := newMesh(t, 2)
	red1, red2 := *m.boot("red1", "red", 0, 5), *m.boot("red2", "red", 1, 6)
	m.converge()
	b, c := m.hosts[0], m.config(0)
	n := netd.Names(b.Prefix)
	link, bridge, mac := n.Tunnel(1), n.Bridge(1), red2.mac().String()
	b.IP("-n", b.Host, "link", "add", "foreign0", "type", "vxlan", "id", "99", "dstport", "8472", "local", "198.18.0.1")
	b.Must(b.Host, "bridge", "fdb", "append", mac, "dev", "foreign0", "dst", "198.18.0.2")
	for _, row := range []struct {
		name string
		args string
		want string // in the plan
	}{
		{"nothing", "true", ""},
		{"flooding on", "bridge link set dev " + link + " flood on", "bridge link set dev " + link},
		{"broadcast on", "bridge link set dev " + link + " bcast_flood on", "bridge link set dev " + link},
		{"multicast on", "bridge link set dev " + link + " mcast_flood on", "bridge link set dev " + link},
		{"learning on", "bridge link set dev " + link + " learning on", "bridge link set dev " + link},
		{"ARP not suppressed", "bridge link set dev " + link + " neigh_suppress off", "bridge link set dev " + link},
		{"a place for the unknown", "bridge fdb append 00:00:00:00:00:00 dev " + link + " dst 198.18.0.7", "bridge fdb del 00:00:00:00:00:00"},
		{"a stranger's entry", "bridge fdb add 02:00:00:00:07:07 dev " + link + " dst 198.18.0.7", "bridge fdb del 02:00:00:00:07:07"},
		{"a stranger in the bridge", "bridge fdb add 02:00:00:00:07:07 dev " + link + " master static", "bridge fdb del 02:00:00:00:07:07"},
		{"another end", "bridge fdb replace " + mac + " dev " + link + " dst 198.18.0.7", "dst 198.18.0.2"},
		{"no entry", "bridge fdb del " + mac + " dev " + link + " self", "bridge fdb replace " + mac},
		{"no entry in the bridge", "bridge fdb del " + mac + " dev " + link + " master", "bridge fdb replace " + mac},
		{"no neighbour", "ip neigh del 10.0.0.6 dev " + bridge, "ip neigh replace 10.0.0.6"},
		{"another neighbour", "ip neigh replace 10.0.0.6 lladdr 02:00:00:00:07:07 dev " + bridge + " nud permanent", "ip neigh replace 10.0.0.6 lladdr " + mac},
		{"a stranger among neighbours", "ip neigh add 10.0.0.1 lladdr 02:00:00:00:07:07 dev " + bridge + " nud permanent", "ip neigh del 10.0.0.1"},
		{"unplugged", "ip link set " + link + " nomaster", "master " + bridge},
		{"link down", "ip link set " + link + " down", "link set " + link + " up"},
		{"bridge down", "ip link set " + bridge + " down", "ip neigh replace 10.0.0.6"},
		{"bridge gone", "ip link del " + bridge, "link add " + bridge},
		{"bridge's address", "ip link set " + bridge + " address 02:00:00:00:07:07", "link set " + bridge + " address"},
		{"link gone", "ip link del " + link, "link add " + link},
		{"no guard", "nft flush chain ip " + b.Prefix + " input", "only"},
	} {
		t.Run(row.name, func(t *testing.T) {
			b.Must(b.Host, strings.Fields(row.args)...)
			plan := netd.Text(converge(t, b, c))
			if !strings.Contains(plan, row.want) || (row.want == "") != (plan == "") {
				t.Errorf("plan does not have %q:\n%s", row.want, plan)
			}
		})
	}
	for _, remade := range []string{"id 1 local 198.18.0.1 dstport 4789", "id 1 local 198.18.0.7 dstport 4789 nolearning",
		"id 1 local 198.18.0.1 dstport 4790 nolearning", "id 5 local 198.18.0.1 dstport 4789 nolearning"} {
		b.IP("-n", b.Host, "link", "del", link)
		b.IP(append([]string{"-n", b.Host, "link", "add", link, "type", "vxlan"}, strings.Fields(remade)...)...)
		if plan := netd.Text(converge(t, b, c)); !strings.Contains(plan, "link del "+link) {
			t.Errorf("a link with %s stayed:\n%s", remade, plan)
		}
	}
	if got := m.curl(&red1, "http://10.0.0.6/"); got != "red2 to 10.0.0.5" {
		t.Errorf("after all: %q", got)
	}
	b.Must(b.Host, "ip", "link", "del", n.Tap("red1"))
	converge(t, b, netd.Config{Prefix: b.Prefix})
	links := b.Must(b.Host, "ip", "-br", "link")
	if fdb := b.Must(b.Host, "bridge", "fdb", "show", "dev", "foreign0"); strings.Contains(links, b.Prefix) || !strings.Contains(fdb, mac) {
		t.Errorf("left over, or somebody else's gone:\n%s\n%s", links, fdb)
	}
}
