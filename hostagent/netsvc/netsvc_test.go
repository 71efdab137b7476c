package netsvc_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/hostagent/netsvc"
	"github.com/kvorum/kvorum/netd"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

// rack is a host with networks, services and guests that run.
type rack struct {
	*bed.Bed
	t      *testing.T
	config netd.Config
	server *netsvc.Server
}

// twoProjects have the same range and the same addresses; the third network
// has no router.
func twoProjects(prefix string) netd.Config {
	n := netd.Names(prefix)
	subnet := netd.Subnet{
		CIDR: netip.MustParsePrefix("10.0.0.0/24"), Gateway: netip.MustParseAddr("10.0.0.1"), DHCP: true,
		Routes: []netd.Route{{Dst: netip.MustParsePrefix("10.9.0.0/16"), Via: netip.MustParseAddr("10.0.0.9")}},
	}
	c := netd.Config{Prefix: prefix}
	for i, name := range []string{"red", "blue", "lone"} {
		c.Networks = append(c.Networks, netd.Network{ID: name, Number: uint32(i + 1), MTU: 1450, Subnets: []netd.Subnet{subnet},
			Names: []netd.Name{{Host: "far-" + name, Addr: netip.MustParseAddr("10.0.0.77")}}})
		if name != "lone" {
			c.Routers = append(c.Routers, netd.Router{ID: "r-" + name, Number: uint32(i + 1), External: true,
				Interfaces: []netd.Interface{{NetworkID: name, Addr: netip.MustParsePrefix("10.0.0.1/24")}}})
		}
		c.Ports = append(c.Ports, netd.Port{ID: name, NetworkID: name, Tap: n.Tap(name), Hostname: "vm-" + name,
			MAC: netd.MAC{0xfa, 0x16, 0x3e, 0, 0, byte(i)}, Addrs: []netip.Addr{netip.MustParseAddr("10.0.0.5")}})
	}
	return c
}

func whoami(w http.ResponseWriter, r *http.Request) {
	c, ok := netsvc.CallerOf(r.Context())
	if _, err := fmt.Fprintf(w, "%v %s %v forwarded=%q", ok, c.Network, c.Addr, r.Header.Get("X-Forwarded-For")); err != nil {
		panic(err)
	}
}

func newRack(t *testing.T) *rack {
	b := bed.New(t)
	r := &rack{Bed: b, t: t, config: twoProjects(b.Prefix)}
	r.server = netsvc.New(netsvc.Options{Enter: b.Kernel().Enter, Resolvers: func() []string { return nil },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	// Registered after the bed's own: sockets must go before namespaces.
	t.Cleanup(r.server.Close)
	return r
}

// apply brings network and services to the Config.
func (r *rack) apply() {
	r.t.Helper()
	if ops, err := netd.Converge(r.t.Context(), r.Kernel(), r.config); err != nil {
		r.t.Fatalf("%v\n%s", err, netd.Text(ops))
	}
	told := netsvc.Told{Metadata: http.HandlerFunc(whoami)}
	if err := r.server.Reconcile(r.t.Context(), netsvc.FromConfig(r.config, told)); err != nil {
		r.t.Fatal(err)
	}
}

// script is what the DHCP client calls when it has a lease.
const script = `#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr replace $ip/$mask dev $interface
ip link set $interface mtu $mtu
set -- $staticroutes
while [ $# -gt 1 ]; do
  [ $1 = 0.0.0.0/0 ] && d=default || d=$1
  ip route replace $d via $2 dev $interface
  shift 2
done
echo "ip=$ip mask=$mask router=$router dns=$dns hostname=$hostname domain=$domain mtu=$mtu lease=$lease server=$serverid routes=$staticroutes"
`

// lease runs a DHCP client once in a guest and gives what it was told.
func (r *rack) lease(space string) (string, error) {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "udhcpc")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		r.t.Fatal(err)
	}
	out, err := r.Run(space, "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "6", "-T", "1", "-s", path,
		"-O", "staticroutes", "-O", "mtu", "-O", "hostname")
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "ip=") {
			return strings.TrimSpace(line), err
		}
	}
	return out, err
}

func (r *rack) boot(id string) string {
	r.t.Helper()
	for _, p := range r.config.Ports {
		if p.ID == id {
			space := r.Guest(id, p.Tap, p.MAC.String())
			r.apply()
			return space
		}
	}
	r.t.Fatalf("no port %s", id)
	return ""
}

func (r *rack) curl(space string, args ...string) string {
	out, err := r.Run(space, append([]string{"curl", "-s", "-m", "5", "--retry", "3"}, args...)...)
	if err != nil {
		return err.Error()
	}
	return out
}

func (r *rack) resolve(space, name string) string {
	out, _ := r.Run(space, "busybox", "nslookup", "-type=a", name, "10.0.0.1")
	return out
}

// Three guests with one address in three networks: each gets its own lease,
// names and metadata at once.
func TestGuestsOfOverlappingNetworks(t *testing.T) {
	t.Parallel()
	r := newRack(t)
	spaces := map[string]string{}
	for _, id := range []string{"red", "blue", "lone"} {
		spaces[id] = r.boot(id)
	}
	for id, space := range spaces {
		want := "ip=10.0.0.5 mask=24 router=10.0.0.1 dns=10.0.0.1 hostname=vm-" + id +
			" domain=novalocal mtu=1450 lease=86400 server=10.0.0.1 " +
			"routes=169.254.169.254/32 10.0.0.1 10.9.0.0/16 10.0.0.9 0.0.0.0/0 10.0.0.1"
		if got, err := r.lease(space); got != want {
			t.Errorf("%s: lease %q (%v), want %q", id, got, err, want)
		}
	}
	for id, space := range spaces {
		want := "true " + id + ` 10.0.0.5 forwarded=""`
		if got := r.curl(space, "-H", "X-Forwarded-For: 10.0.0.99", "http://169.254.169.254/"); got != want {
			t.Errorf("%s: metadata %q, want %q", id, got, want)
		}
		if got := r.resolve(space, "far-"+id+".novalocal"); !strings.Contains(got, "Address: 10.0.0.77") {
			t.Errorf("%s: a name of its network: %s", id, got)
		}
		if got := r.resolve(space, "far-nowhere.novalocal"); !strings.Contains(got, "NXDOMAIN") {
			t.Errorf("%s: a name that is not there: %s", id, got)
		}
	}
	if got := r.resolve(spaces["red"], "far-blue.novalocal"); !strings.Contains(got, "NXDOMAIN") {
		t.Errorf("red knows blue's names: %s", got)
	}
	if got := r.curl(spaces["red"], "http://10.0.0.1/"); strings.Contains(got, "true") {
		t.Errorf("metadata at the gateway's own address: %q", got)
	}
}

func TestUnknownGuestGetsNoLease(t *testing.T) {
	t.Parallel()
	r := newRack(t)
	space := r.boot("red")
	r.config.Ports[0].MAC = netd.MAC{0xfa, 0x16, 0x3e, 7, 7, 7}
	r.apply()
	// The filter would stop it first; so let it pass, and ask the server.
	r.config.Ports[0].MAC = netd.MAC{0xfa, 0x16, 0x3e, 0, 0, 0}
	if _, err := netd.Converge(t.Context(), r.Kernel(), r.config); err != nil {
		t.Fatal(err)
	}
	if got, err := r.lease(space); err == nil {
		t.Errorf("an unknown MAC got %q", got)
	}
	r.apply()
	if got, err := r.lease(space); err != nil {
		t.Errorf("known again: %q, %v", got, err)
	}
}

// Services follow what is made anew under them.
func TestServicesFollow(t *testing.T) {
	t.Parallel()
	r := newRack(t)
	n := netd.Names(r.Prefix)
	space := r.boot("red")
	uplink, _ := n.Gateway(1, 1)
	check := func(when string) {
		t.Helper()
		if got, err := r.lease(space); err != nil {
			t.Errorf("%s: no lease: %q, %v", when, got, err)
		}
		if got := r.curl(space, "http://169.254.169.254/"); !strings.HasPrefix(got, "true red 10.0.0.5") {
			t.Errorf("%s: metadata %q", when, got)
		}
	}
	check("at first")
	r.IP("netns", "del", n.RouterSpace(1))
	r.apply()
	check("namespace made anew")
	r.IP("-n", r.Host, "link", "del", uplink)
	r.apply()
	check("link made anew")
	r.config.Routers = r.config.Routers[1:]
	r.apply()
	check("router taken away: the network's own namespace")
	r.config.Routers = twoProjects(r.Prefix).Routers
	r.apply()
	check("router back")
	if !r.server.Running("red") {
		t.Error("services run, and Running says no")
	}
	r.config.Networks = r.config.Networks[1:]
	r.apply()
	if r.server.Running("red") {
		t.Error("services of a network that is gone run")
	}
	if got := r.curl(space, "-m", "1", "http://169.254.169.254/"); strings.HasPrefix(got, "true") {
		t.Errorf("metadata of a network that is gone: %q", got)
	}
}

func TestReconcileTellsWhatIsMissing(t *testing.T) {
	t.Parallel()
	r := newRack(t)
	want := netsvc.FromConfig(r.config, netsvc.Told{})
	if len(want) != 3 {
		t.Fatalf("%d services, want 3", len(want))
	}
	err := r.server.Reconcile(t.Context(), want)
	if err == nil || !strings.Contains(err.Error(), "network red") || !strings.Contains(err.Error(), "network lone") {
		t.Errorf("without namespaces: %v", err)
	}
	r.server.Close()
	if err := r.server.Reconcile(t.Context(), nil); err == nil {
		t.Error("a closed server takes services")
	}
}
