package netsvc

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd"
)

// ethernet is the MTU of Ethernet links, in bytes.
const ethernet = 1500

// Kernel is what Host needs of netd/kernel.
type Kernel interface {
	netd.Kernel
	// Enter runs f with its thread in a namespace.
	Enter(space string, f func() error) error
	// MTU is that of the link with an address; 0: not known. Kind NotFound: no
	// link has it.
	MTU(addr netip.Addr) (int, error)
}

// HostOptions are what a Host needs.
type HostOptions struct {
	// Prefix, Transfer and Denied are as in netd.Config.
	Prefix   string
	Transfer netip.Prefix
	Denied   []netip.Prefix
	Kernel   Kernel
	// Resolvers is as in Options.
	Resolvers func() []string
	Told      Told
	Log       *slog.Logger
}

// Host is the whole network of a host: what it is assigned, made so by netd
// and served by a Server.
type Host struct {
	opts   HostOptions
	server *Server

	mu sync.Mutex
	// tunnel is this host's end of tunnels at the last Apply.
	tunnel netd.Tunnel
	// ports tell after each Apply why a port is not ready; "" is ready.
	ports map[string]string
}

var _ hostagent.Network = (*Host)(nil)

// NewHost gives a host's network; nothing happens before Apply.
func NewHost(o HostOptions) *Host {
	return &Host{opts: o, server: New(Options{Enter: o.Kernel.Enter, Resolvers: o.Resolvers, Log: o.Log})}
}

// Apply implements hostagent.Network. An error says that something is not as
// wanted; all that could be done is done, and Ready tells which ports it
// concerns.
func (h *Host) Apply(ctx context.Context, networks []assign.Network, routers []assign.Router, guests []assign.Guest) error {
	base := netd.Config{Prefix: h.opts.Prefix, Transfer: h.opts.Transfer, Denied: h.opts.Denied}
	config, unread := Translate(base, networks, routers, guests)
	untunneled := h.underlay(&config.Tunnel)
	sound, unsound := netd.Sound(config)
	for _, err := range append(unread, unsound...) {
		h.opts.Log.Warn("part of the assigned network", "err", err)
	}
	if sound.Prefix == "" {
		return errs.Errorf("netsvc.apply", errs.Invalid, "the network settings of this host can't be used: %v", unsound)
	}
	ops, err := netd.Converge(ctx, h.opts.Kernel, sound)
	for _, op := range ops {
		h.opts.Log.Debug("network changed", "op", op.String())
	}
	if err != nil {
		h.note(config, sound, "the host's network is not made yet: "+errs.Message(err), false)
		return err
	}
	// Services first learn of guests when their filters and gateways stand.
	err = h.server.Reconcile(ctx, FromConfig(sound, h.opts.Told))
	h.note(config, sound, "", true)
	return errors.Join(err, untunneled)
}

// underlay fills in what the link of this host's tunnels carries. Where it
// can't be told, it is taken for Ethernet; guests here have each other in any
// case.
func (h *Host) underlay(t *netd.Tunnel) error {
	var err error
	if t.Addr.IsValid() {
		if t.MTU, err = h.opts.Kernel.MTU(t.Addr); err != nil {
			t.MTU = ethernet
			err = errs.E("netsvc.underlay", errs.KindOf(err), "guests on other hosts are out of reach: "+errs.Message(err), err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tunnel = *t
	return err
}

// Fit gives the networks with the MTU that they have on this host: where
// tunnels carry less than a network asks for, its guests must be told less.
func (h *Host) Fit(networks []assign.Network) []assign.Network {
	out := slices.Clone(networks)
	for i := range out {
		out[i].MTU = h.fit(out[i].MTU)
	}
	return out
}

func (h *Host) fit(mtu int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tunnel.Fit(mtu)
}

// note remembers which ports are ready.
func (h *Host) note(asked, sound netd.Config, reason string, made bool) {
	ports := map[string]string{}
	for _, p := range asked.Ports {
		ports[p.ID] = "the port or its network is not as it must be; the agent's log says what"
	}
	// A network that is down is as it must be without services: its guests may
	// start, and hear nothing.
	down := map[string]bool{}
	for _, n := range sound.Networks {
		down[n.ID] = n.Down
	}
	for _, p := range sound.Ports {
		ports[p.ID] = reason
		if made && !down[p.NetworkID] && !h.server.Running(p.NetworkID) {
			ports[p.ID] = "the network's DHCP, DNS and metadata are not running on this host"
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ports = ports
}

// Link implements hostagent.Network.
func (h *Host) Link(nic assign.NIC, network assign.Network) hostagent.Link {
	n := netd.Names(h.opts.Prefix)
	return hostagent.Link{Tap: n.Tap(nic.PortID), Bridge: n.Bridge(network.Segment), MAC: nic.MAC, MTU: h.fit(network.MTU)}
}

// Ready implements hostagent.Network.
func (h *Host) Ready(portID string) (ok bool, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	reason, known := h.ports[portID]
	if !known {
		return false, "the port is not among those that this host was told of"
	}
	return reason == "", reason
}

// Close stops all services and waits for them. Bridges, filters and
// namespaces stay: guests outlive the agent.
func (h *Host) Close() { h.server.Close() }
