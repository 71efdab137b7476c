package netsvc_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/hostagent/netsvc"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd/kernel/bed"
)

// farHost is one of two hosts with a guest each in the one network.
type farHost struct {
	*rack
	host     *netsvc.Host
	networks []assign.Network
	routers  []assign.Router
	guests   []assign.Guest
	guest    string
}

func newFarHost(t *testing.T, i int) *farHost {
	b := bed.New(t)
	h := &farHost{rack: &rack{Bed: b, t: t}, host: netsvc.NewHost(netsvc.HostOptions{Prefix: b.Prefix, Kernel: b.Kernel(),
		Resolvers: func() []string { return nil }, Told: netsvc.Told{Metadata: http.HandlerFunc(whoami)}, Log: slog.New(slog.DiscardHandler)})}
	t.Cleanup(h.host.Close)
	h.networks, h.routers, h.guests = assigned()
	mac, addr := fmt.Sprintf("fa:16:3e:00:00:0%d", i+1), fmt.Sprintf("10.0.0.%d", i+5)
	h.guests[0].NICs[0].MAC, h.guests[0].NICs[0].Addresses = mac, []string{addr}
	h.networks[0].Tunnel = tunnelEnd(i)
	h.networks[0].Remotes = []assign.Remote{{MAC: fmt.Sprintf("fa:16:3e:00:00:0%d", 2-i),
		Addresses: []string{fmt.Sprintf("10.0.0.%d", 6-i)}, Tunnel: tunnelEnd(1 - i)}}
	return h
}

func tunnelEnd(i int) string { return fmt.Sprintf("198.18.0.%d", i+1) }

// plug makes the network and plugs the guest in, as the hypervisor does it.
func (h *farHost) plug() {
	h.t.Helper()
	if err := h.host.Apply(h.t.Context(), h.networks, h.routers, h.guests); err != nil {
		h.t.Fatal(err)
	}
	link := h.host.Link(h.guests[0].NICs[0], h.networks[0])
	h.guest = h.Guest("vm", link.Tap, link.MAC)
	h.IP("-n", h.Host, "link", "set", link.Tap, "master", link.Bridge, "up")
}

// Two hosts, each with its own DHCP and gateway for the one network: guests
// are served on their host and reach each other, at the MTU that they were
// told of.
func TestGuestsOfTwoHosts(t *testing.T) {
	t.Parallel()
	a, b := newFarHost(t, 0), newFarHost(t, 1)
	wire := a.Switch()
	for i, h := range []*farHost{a, b} {
		wire.Join(h.Bed, tunnelEnd(i)+"/24")
		h.IP("-n", h.Host, "link", "set", "under0", "mtu", "1400")
		h.plug()
	}
	wire.Count(map[string]string{"tunnels": "udp dport 4789", "dhcp": "udp dport 4789 @th,312,8 17 @th,416,16 { 67, 68 }"})
	for i, h := range []*farHost{a, b} {
		want := fmt.Sprintf("ip=10.0.0.%d mask=24 router=10.0.0.1 dns=192.0.2.53 hostname=web domain=novalocal mtu=1350", i+5)
		if got, err := h.lease(h.guest); !strings.HasPrefix(got, want) {
			t.Errorf("lease %q (%v), want %q", got, err, want)
		}
		if got := h.host.Link(h.guests[0].NICs[0], h.networks[0]).MTU; got != 1350 {
			t.Errorf("the guest's link has an MTU of %d", got)
		}
		if got := h.host.Fit(h.networks)[0].MTU; got != 1350 || h.networks[0].MTU != 1450 {
			t.Errorf("fitted %d of %d", got, h.networks[0].MTU)
		}
		if got := h.curl(h.guest, "http://169.254.169.254/"); !strings.HasPrefix(got, "true net 10.0.0.") {
			t.Errorf("metadata %q", got)
		}
	}
	a.Must(a.guest, "ping", "-c1", "-W5", "-M", "do", "-s", "1322", "10.0.0.6")
	b.Must(b.guest, "ping", "-c1", "-W5", "-M", "do", "-s", "1322", "10.0.0.5")
	if wire.Counted("tunnels") == 0 || wire.Counted("dhcp") > 0 {
		t.Errorf("%d frames in tunnels, %d of DHCP", wire.Counted("tunnels"), wire.Counted("dhcp"))
	}
}

// A tunnel address that is not here is said, and guests here are served.
func TestTunnelAddressIsNotHere(t *testing.T) {
	t.Parallel()
	h := newFarHost(t, 0)
	err := h.host.Apply(t.Context(), h.networks, h.routers, h.guests)
	if !errs.Is(err, errs.NotFound) || !strings.Contains(err.Error(), "198.18.0.1") {
		t.Errorf("without the address: %v", err)
	}
	if ok, why := h.host.Ready(h.guests[0].NICs[0].PortID); !ok {
		t.Errorf("not ready: %s", why)
	}
	if got := h.host.Fit(h.networks)[0].MTU; got != 1450 {
		t.Errorf("fitted %d", got)
	}
	h.IP("-n", h.Host, "addr", "add", "198.18.0.1/32", "dev", "lo")
	if err := h.host.Apply(t.Context(), h.networks, h.routers, h.guests); err != nil {
		t.Errorf("with it: %v", err)
	}
}
