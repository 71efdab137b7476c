package kernel_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

// twoProjects is two projects with the same range, each with a router that
// leads outside, and a third network without a router.
func twoProjects(prefix string) netd.Config {
	n := netd.Names(prefix)
	subnet := netd.Subnet{
		CIDR: netip.MustParsePrefix("10.0.0.0/24"), Gateway: netip.MustParseAddr("10.0.0.1"), DHCP: true,
	}
	c := netd.Config{Prefix: prefix, Denied: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}
	for i, name := range []string{"red", "blue", "lone"} {
		c.Networks = append(c.Networks, netd.Network{ID: name, Number: uint32(i + 1), MTU: 1450, Subnets: []netd.Subnet{subnet}})
		if name != "lone" {
			c.Routers = append(c.Routers, netd.Router{ID: "r-" + name, Number: uint32(i + 1), External: true,
				Interfaces: []netd.Interface{{NetworkID: name, Addr: netip.MustParsePrefix("10.0.0.1/24")}}})
		}
		for j := range 2 {
			id := name + string('1'+byte(j))
			c.Ports = append(c.Ports, netd.Port{ID: id, NetworkID: name, Tap: n.Tap(id),
				MAC:      netd.MAC{0xfa, 0x16, 0x3e, 0, byte(i), byte(j + 5)},
				Addrs:    []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(j + 5)})},
				Hostname: id})
		}
	}
	return c
}

func port(c netd.Config, id string) netd.Port {
	for _, p := range c.Ports {
		if p.ID == id {
			return p
		}
	}
	panic("no port " + id)
}

// boot makes the guest of a port and gives it its address by hand.
func boot(b *bed.Bed, c netd.Config, id string) string {
	p := port(c, id)
	space := b.Guest(id, p.Tap, p.MAC.String())
	b.Configure(space, p.Addrs[0].String()+"/24", "10.0.0.1")
	return space
}

func converge(t *testing.T, b *bed.Bed, c netd.Config) []netd.Op {
	t.Helper()
	ops, err := netd.Converge(t.Context(), b.Kernel(), c)
	if err != nil {
		t.Fatalf("%v\ndone before:\n%s", err, netd.Text(ops))
	}
	return ops
}

func ping(b *bed.Bed, space, addr string) bool {
	_, err := b.Run(space, "ping", "-c1", "-W1", addr)
	return err == nil
}

// settle waits until a guest is answered: a bridge's port carries frames only
// when the kernel has noticed the carrier, up to a second after the link.
func settle(t *testing.T, b *bed.Bed, space, addr string) {
	t.Helper()
	for range 20 {
		if ping(b, space, addr) {
			return
		}
	}
	t.Fatalf("%s is never answered by %s", space, addr)
}

// world serves HTTP outside; it greets who it sees.
func world(t *testing.T, b *bed.Bed, space, addr string) {
	t.Helper()
	var l net.Listener
	b.In(space, func() (err error) {
		l, err = net.Listen("tcp4", addr)
		return err
	})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if _, err := io.WriteString(w, "hello "+host); err != nil {
			t.Error(err)
		}
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
}

func TestTwoProjectsWithOneRange(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	c := twoProjects(b.Prefix)
	out := b.Outside("192.0.2.1/24", "192.0.2.2/24")
	b.IP("-n", out, "addr", "add", "198.51.100.1/24", "dev", "lo")
	b.IP("-n", b.Host, "route", "add", "default", "via", "192.0.2.1")
	world(t, b, out, "192.0.2.1:80")
	guests := map[string]string{}
	for _, id := range []string{"red1", "red2", "blue1", "lone1"} {
		guests[id] = boot(b, c, id)
	}
	converge(t, b, c)
	for _, g := range guests {
		settle(t, b, g, "10.0.0.1")
	}

	for _, row := range []struct {
		why, from, to string
		want          bool
	}{
		{"its gateway", "red1", "10.0.0.1", true},
		{"its neighbour", "red1", "10.0.0.6", true},
		{"the same address in another project", "blue1", "10.0.0.6", false},
		{"outside", "red1", "192.0.2.1", true},
		{"outside, at the same time with the same address", "blue1", "192.0.2.1", true},
		{"a denied range", "red1", "198.51.100.1", false},
		{"the host's own address", "red1", "192.0.2.2", false},
		{"the host's end of its uplink", "red1", "100.64.0.2", false},
		{"another router's uplink", "red1", "100.64.0.5", false},
		{"metadata's address", "red1", "169.254.169.254", true},
		{"the gateway of a network without router", "lone1", "10.0.0.1", true},
		{"outside without a router", "lone1", "192.0.2.1", false},
	} {
		if got := ping(b, guests[row.from], row.to); got != row.want {
			t.Errorf("%s to %s (%s): answered %v, want %v", row.from, row.to, row.why, got, row.want)
		}
	}
	for _, id := range []string{"red1", "blue1"} {
		// By TCP, and seen outside as the host.
		got := b.Must(guests[id], "curl", "-s", "-m", "5", "http://192.0.2.1/")
		if got != "hello 192.0.2.2" {
			t.Errorf("%s to the world: %q", id, got)
		}
	}
	if ping(b, out, "100.64.0.3") {
		t.Error("the world reached a router's transfer address")
	}
	if drops(t, b)["drop_host"] == 0 {
		t.Error("what routers sent to the host was not counted")
	}
}

func TestHostServicesAreOutOfReach(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	c := twoProjects(b.Prefix)
	b.Outside("192.0.2.1/24", "192.0.2.2/24")
	guest := boot(b, c, "red1")
	converge(t, b, c)
	settle(t, b, guest, "10.0.0.1")
	// A guest that knows the bridge's own MAC talks to the host's kernel
	// directly, past any router.
	mac := bridgeMAC(b, netd.Names(b.Prefix).Bridge(1))
	b.IP("-n", guest, "route", "add", "192.0.2.2/32", "dev", "eth0")
	b.IP("-n", guest, "neigh", "add", "192.0.2.2", "lladdr", mac, "dev", "eth0", "nud", "permanent")
	if ping(b, guest, "192.0.2.2") {
		t.Error("a guest reached the host by the bridge's MAC")
	}
	b.IP("-n", guest, "neigh", "del", "192.0.2.2", "dev", "eth0")
	if _, err := b.Run(guest, "arping", "-c1", "-w1", "-I", "eth0", "192.0.2.2"); err == nil {
		t.Error("the host answered a guest's ARP for its own address")
	}
	b.IP("-n", guest, "route", "del", "192.0.2.2/32", "dev", "eth0")
	for _, port := range []string{"22", "8772"} {
		for _, to := range []string{"10.0.0.1", "169.254.169.254", "192.0.2.2"} {
			_, err := b.Run(guest, "bash", "-c", "exec timeout 1 bash -c '</dev/tcp/"+to+"/"+port+"'")
			// 124 is timeout's: nothing answered at all.
			if bed.ExitCode(err) != 124 {
				t.Errorf("tcp %s:%s answered: %v", to, port, err)
			}
		}
	}
}

func bridgeMAC(b *bed.Bed, bridge string) string {
	fields := strings.Fields(b.Must(b.Host, "ip", "-o", "link", "show", bridge))
	for i, f := range fields {
		if f == "link/ether" {
			return fields[i+1]
		}
	}
	return ""
}

// Somebody meddles; the next plan mends it and does nothing else.
func TestMeddling(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	c := twoProjects(b.Prefix)
	n := netd.Names(b.Prefix)
	b.Guest("red1", port(c, "red1").Tap, port(c, "red1").MAC.String())
	b.Must(b.Host, "nft", "add", "table", "ip", "foreign")
	converge(t, b, c)
	outer, inner := n.Gateway(1, 1)
	up, _ := n.Uplink(1)
	for _, row := range []struct {
		name, in string
		args     []string
		want     string // in the plan
	}{
		{"nothing", b.Host, []string{"true"}, ""},
		{"all rules flushed", b.Host, []string{"nft", "flush", "ruleset"}, "nft -f -"},
		{"one chain flushed", b.Host, []string{"nft", "flush", "chain", "bridge", b.Prefix, "guest"}, "flush chain bridge"},
		{"an element taken out", b.Host, []string{"nft", "flush", "set", "bridge", b.Prefix, "mac"}, "add element bridge"},
		{"a rule added", n.RouterSpace(1), []string{"nft", "insert", "rule", "ip", b.Prefix, "input", "accept"}, "flush chain ip"},
		{"a policy turned", n.RouterSpace(1), []string{"nft", "chain", "ip", b.Prefix, "forward", "{ policy accept; }"}, "policy drop"},
		{"link down", b.Host, []string{"ip", "link", "set", outer, "down"}, "link set " + outer + " up"},
		{"unplugged", b.Host, []string{"ip", "link", "set", outer, "nomaster"}, "master " + n.Bridge(1)},
		{"address gone", n.RouterSpace(1), []string{"ip", "addr", "flush", "dev", inner}, "addr add 10.0.0.1/24"},
		{"MAC changed", n.RouterSpace(1), []string{"ip", "link", "set", inner, "address", "02:00:00:00:00:99"}, "address " + netd.GatewayMAC(1, netd.FirstGateway).String()},
		{"route gone", n.RouterSpace(1), []string{"ip", "route", "del", "default"}, "route replace default"},
		{"uplink gone", b.Host, []string{"ip", "link", "del", up}, "link add " + up},
		{"bridge gone", b.Host, []string{"ip", "link", "del", n.Bridge(1)}, "link add " + n.Bridge(1)},
		{"namespace gone", b.Host, []string{"ip", "netns", "del", n.RouterSpace(1)}, "ip netns add"},
		{"namespace unmounted", b.Host, []string{"umount", bed.Path(n.RouterSpace(2))}, "ip netns del"},
		{"forwarding off", b.Host, []string{"sysctl", "-qw", "net.ipv4.ip_forward=0"}, "net.ipv4.ip_forward=1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.name == "namespace unmounted" {
				unmount(t, bed.Path(n.RouterSpace(2)))
			} else {
				b.Must(row.in, row.args...)
			}
			plan := netd.Text(converge(t, b, c))
			if !strings.Contains(plan, row.want) || (row.want == "") != (plan == "") {
				t.Errorf("plan does not have %q:\n%s", row.want, plan)
			}
		})
	}
	converge(t, b, netd.Config{Prefix: b.Prefix, Networks: c.Networks[:1], Ports: c.Ports[:1]})
	converge(t, b, c)
	b.IP("-n", b.Host, "link", "del", port(c, "red1").Tap)
	b.Must(b.Host, "nft", "add", "table", "ip", "foreign")
	converge(t, b, netd.Config{Prefix: b.Prefix})
	links := b.Must(b.Host, "ip", "-br", "link")
	if rules := b.Must(b.Host, "nft", "list", "ruleset"); strings.Contains(links, b.Prefix) || !strings.HasPrefix(rules, "table ip foreign") {
		t.Errorf("left over:\n%s\n%s", links, rules)
	}
}
