package netsvc_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/netsvc"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/fakekernel"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

// assigned is a host's network as it comes over the wire: one network with a
// router, one guest.
func assigned() ([]assign.Network, []assign.Router, []assign.Guest) {
	return []assign.Network{{
			ID: "net", Segment: 7, MTU: 1450,
			Subnets: []assign.Subnet{
				{ID: "sub", CIDR: "10.0.0.0/24", Gateway: "10.0.0.1", DHCP: true, DNS: []string{"192.0.2.53"},
					Routes: []assign.Route{{Destination: "10.9.0.0/16", NextHop: "10.0.0.9"}}},
				{ID: "six", CIDR: "fd00::/64", Gateway: "fd00::1"},
			},
			Names: []assign.Name{{Hostname: "db", Address: "10.0.0.77"}},
		}}, []assign.Router{{ID: "r", Num: 3, External: true, NetworkIDs: []string{"net"}, SubnetIDs: []string{"elsewhere", "six", "sub"}}},
		[]assign.Guest{{ID: "vm", Hostname: "web", NICs: []assign.NIC{
			{PortID: "0d5be1f0-68ba-4c4f-9d4f-5d3f6bd9f1c2", NetworkID: "net", MAC: "FA:16:3E:00:00:01", Addresses: []string{"10.0.0.5", "fd00::5"}},
		}}}
}

func TestTranslate(t *testing.T) {
	networks, routers, guests := assigned()
	c, bad := netsvc.Translate(netd.Config{Prefix: "kv"}, networks, routers, guests)
	// The router's IPv6 interface is not known, so it is not there to refuse.
	if len(bad) > 0 {
		t.Errorf("left out: %v", bad)
	}
	good, bad := netd.Sound(c)
	if len(bad) > 0 || len(good.Networks) != 1 || len(good.Routers) != 1 || len(good.Ports) != 1 {
		t.Fatalf("%+v: left out %v", good, bad)
	}
	p, r, n := good.Ports[0], good.Routers[0], good.Networks[0]
	if p.Tap != "kvt0d5be1f068b" || p.Hostname != "web" || len(p.Addrs) != 1 || p.MAC.String() != "fa:16:3e:00:00:01" {
		t.Errorf("port %+v", p)
	}
	if r.Number != 3 || !r.External || len(r.Interfaces) != 1 || r.Interfaces[0].Addr.String() != "10.0.0.1/24" {
		t.Errorf("router %+v", r)
	}
	if len(n.Subnets) != 1 || n.Subnets[0].DNS[0].String() != "192.0.2.53" || n.Subnets[0].Routes[0].Via.String() != "10.0.0.9" || len(n.Names) != 1 {
		t.Errorf("network %+v", n)
	}

	networks[0].Tunnel = "198.51.100.1"
	networks[0].Remotes = []assign.Remote{{MAC: "FA:16:3E:00:00:09", Addresses: []string{"10.0.0.9", "fd00::9"}, Tunnel: "198.51.100.2"}}
	c, bad = netsvc.Translate(netd.Config{Prefix: "kv"}, networks, routers, guests)
	if good, unsound := netd.Sound(c); len(bad) > 0 || len(unsound) > 0 || good.Tunnel.Addr.String() != "198.51.100.1" ||
		fmt.Sprint(good.Networks[0].Remotes) != "[{fa:16:3e:00:00:09 [10.0.0.9] 198.51.100.2}]" {
		t.Errorf("%+v: left out %v, %v", good, bad, unsound)
	}

	networks[0].Remotes = append(networks[0].Remotes, assign.Remote{MAC: "x", Tunnel: "198.51.100.2"},
		assign.Remote{MAC: "fa:16:3e:00:00:0a", Tunnel: "far"})
	other := assign.Network{ID: "other", Segment: 8, MTU: 1450, Tunnel: "198.51.100.7"}
	networks = append(networks, other)
	networks[0].Subnets[0].Routes[0].NextHop = "nowhere"
	routers[0].Num = 1 << 40
	guests[0].NICs[0].MAC = "x"
	c, bad = netsvc.Translate(netd.Config{Prefix: "kv"}, networks, routers, guests)
	text := errors.Join(bad...).Error()
	for _, want := range []string{"nowhere", "router r", "guest vm", "port x", `"far"`, "198.51.100.7, another"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing of %q in: %s", want, text)
		}
	}
	if len(c.Networks) != 2 || len(c.Networks[0].Remotes) != 1 || len(c.Routers) != 0 || len(c.Ports) != 0 {
		t.Errorf("%+v", c)
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	h := netsvc.NewHost(netsvc.HostOptions{Prefix: b.Prefix, Kernel: b.Kernel(), Resolvers: func() []string { return nil },
		Told: netsvc.Told{Metadata: http.HandlerFunc(whoami)}, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(h.Close)
	networks, routers, guests := assigned()
	nic := guests[0].NICs[0]
	if ok, why := h.Ready(nic.PortID); ok || why == "" {
		t.Errorf("before any Apply: ready %v, %q", ok, why)
	}
	if err := h.Apply(t.Context(), networks, routers, guests); err != nil {
		t.Fatal(err)
	}
	if ok, why := h.Ready(nic.PortID); !ok {
		t.Errorf("not ready: %s", why)
	}
	link := h.Link(nic, networks[0])
	if want := (hostagent.Link{Tap: b.Prefix + "t0d5be1f068b", Bridge: b.Prefix + "b7", MAC: nic.MAC, MTU: 1450}); link != want {
		t.Errorf("link %+v, want %+v", link, want)
	}
	// The tap comes when the host is ready, as the hypervisor does it.
	guest := b.Guest("vm", link.Tap, link.MAC)
	b.IP("-n", b.Host, "link", "set", link.Tap, "master", link.Bridge, "up")
	r := &rack{Bed: b, t: t}
	if got, err := r.lease(guest); !strings.Contains(got, "ip=10.0.0.5 mask=24 router=10.0.0.1 dns=192.0.2.53 hostname=web") {
		t.Errorf("lease %q, %v", got, err)
	}
	if got := r.curl(guest, "http://169.254.169.254/"); !strings.HasPrefix(got, "true net 10.0.0.5") {
		t.Errorf("metadata %q", got)
	}
	guests[0].NICs[0].MAC = "x"
	if err := h.Apply(t.Context(), networks, routers, guests); err != nil {
		t.Fatal(err)
	}
	if got := r.curl(guest, "-m", "1", "http://169.254.169.254/"); strings.HasPrefix(got, "true") {
		t.Errorf("a guest without a port has metadata: %q", got)
	}
}

// A guest of a network that is down may start; it is served when the network
// is up again, with nothing done to it.
func TestHostServesNothingOnANetworkThatIsDown(t *testing.T) {
	t.Parallel()
	b := bed.New(t)
	h := netsvc.NewHost(netsvc.HostOptions{Prefix: b.Prefix, Kernel: b.Kernel(), Resolvers: func() []string { return nil },
		Told: netsvc.Told{Metadata: http.HandlerFunc(whoami)}, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(h.Close)
	networks, routers, guests := assigned()
	nic := guests[0].NICs[0]
	link := h.Link(nic, networks[0])
	networks[0].Down = true
	if err := h.Apply(t.Context(), networks, routers, guests); err != nil {
		t.Fatal(err)
	}
	if ok, why := h.Ready(nic.PortID); !ok {
		t.Errorf("a port of a network that is down: not ready: %s", why)
	}
	guest := b.Guest("vm", link.Tap, link.MAC)
	b.IP("-n", b.Host, "link", "set", link.Tap, "master", link.Bridge, "up")
	r := &rack{Bed: b, t: t}
	if got, err := r.lease(guest); err == nil {
		t.Errorf("a network that is down gave the lease %q", got)
	}
	networks[0].Down = false
	if err := h.Apply(t.Context(), networks, routers, guests); err != nil {
		t.Fatal(err)
	}
	if got, err := r.lease(guest); !strings.Contains(got, "ip=10.0.0.5 ") {
		t.Errorf("up again: lease %q, %v", got, err)
	}
	guests[0].NICs[0].Down = true
	if err := h.Apply(t.Context(), networks, routers, guests); err != nil {
		t.Fatal(err)
	}
	if ok, why := h.Ready(nic.PortID); !ok {
		t.Errorf("a port that is down: not ready: %s", why)
	}
	if got := r.curl(guest, "-m", "1", "--retry", "0", "http://169.254.169.254/"); strings.HasPrefix(got, "true") {
		t.Errorf("a port that is down has metadata: %q", got)
	}
}

// broken is a kernel that refuses.
type broken struct{ *fakekernel.Kernel }

func (broken) Enter(string, func() error) error { return errors.New("never entered") }

func (broken) MTU(netip.Addr) (int, error) { return 0, errors.New("never asked") }

func (b broken) Do(context.Context, netd.Op) error { return fakekernel.ErrTold }

func TestHostSaysWhyAPortIsNotReady(t *testing.T) {
	h := netsvc.NewHost(netsvc.HostOptions{Prefix: "kv", Kernel: broken{fakekernel.New()}, Log: slog.New(slog.DiscardHandler)})
	defer h.Close()
	networks, routers, guests := assigned()
	if err := h.Apply(t.Context(), networks, routers, guests); !errors.Is(err, fakekernel.ErrTold) {
		t.Errorf("a kernel that refuses: %v", err)
	}
	if ok, why := h.Ready(guests[0].NICs[0].PortID); ok || !strings.Contains(why, "not made yet") {
		t.Errorf("ready %v, %q", ok, why)
	}
}

// Each subnet with DHCP has exactly one that answers.
func TestOneAnswersForEachSubnet(t *testing.T) {
	subnet := func(cidr string, dhcp bool) netd.Subnet {
		p := netip.MustParsePrefix(cidr)
		return netd.Subnet{CIDR: p, Gateway: p.Addr().Next(), DHCP: dhcp}
	}
	join := func(number uint32, addrs ...string) netd.Router {
		r := netd.Router{ID: string('a' + byte(number)), Number: number}
		for _, a := range addrs {
			r.Interfaces = append(r.Interfaces, netd.Interface{NetworkID: "net", Addr: netip.MustParsePrefix(a)})
		}
		return r
	}
	c := netd.Config{Prefix: "kv", Networks: []netd.Network{{ID: "net", Number: 7, MTU: 1450,
		Subnets: []netd.Subnet{subnet("10.0.0.0/24", true), subnet("10.0.1.0/24", true), subnet("10.0.2.0/24", false)}}}}
	for i, addr := range []string{"10.0.0.5", "10.0.1.5", "10.0.2.5"} {
		c.Ports = append(c.Ports, netd.Port{ID: addr, NetworkID: "net", Tap: "kvt" + string('a'+byte(i)),
			MAC: netd.MAC{2, byte(i)}, Addrs: []netip.Addr{netip.MustParseAddr(addr)}})
	}
	for _, row := range []struct {
		name    string
		routers []netd.Router
		want    string
	}{
		{"no router", nil, "kvn7: 10.0.0.5 by 10.0.0.1, 10.0.1.5 by 10.0.1.1"},
		{"both joined", []netd.Router{join(1, "10.0.0.1/24", "10.0.1.1/24")}, "kvr1: 10.0.0.5 by 10.0.0.1, 10.0.1.5 by 10.0.1.1; kvn7"},
		{"one joined", []netd.Router{join(1, "10.0.0.1/24")}, "kvr1: 10.0.0.5 by 10.0.0.1; kvn7: 10.0.1.5 by 10.0.1.1"},
		{"two routers", []netd.Router{join(2, "10.0.0.1/24"), join(1, "10.0.0.2/24")}, "kvr1: 10.0.0.5 by 10.0.0.2; kvr2; kvn7: 10.0.1.5 by 10.0.1.1"},
	} {
		c.Routers = row.routers
		var got []string
		for _, svc := range netsvc.FromConfig(c, netsvc.Told{}) {
			var leases []string
			for _, p := range c.Ports {
				if svc.Leases == nil {
					break
				}
				if l, ok := svc.Leases(p.MAC); ok {
					leases = append(leases, l.Addr.Addr().String()+" by "+l.Server.String())
				}
			}
			got = append(got, strings.TrimSuffix(svc.Space+": "+strings.Join(leases, ", "), ": "))
		}
		if text := strings.Join(got, "; "); text != row.want {
			t.Errorf("%s: %s, want %s", row.name, text, row.want)
		}
	}
}
