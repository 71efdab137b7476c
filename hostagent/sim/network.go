package sim

import (
	"context"
	"sync"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// Network is a host's network that is not there: a port is ready once an Apply
// has had it.
type Network struct {
	mu    sync.Mutex
	ports map[string]bool
	fail  int
}

var _ hostagent.Network = (*Network)(nil)

// NewNetwork makes one without ports.
func NewNetwork() *Network { return &Network{ports: map[string]bool{}} }

// FailNext makes the next applications fail, so many times.
func (n *Network) FailNext(times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = times
}

// Apply implements hostagent.Network.
func (n *Network) Apply(_ context.Context, networks []assign.Network, _ []assign.Router, guests []assign.Guest) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fail > 0 {
		n.fail--
		return errs.Errorf("sim.apply", errs.Unavailable, "The simulated network is not well.")
	}
	known := map[string]bool{}
	for _, net := range networks {
		known[net.ID] = true
	}
	n.ports = map[string]bool{}
	for _, g := range guests {
		for _, nic := range g.NICs {
			n.ports[nic.PortID] = known[nic.NetworkID]
		}
	}
	return nil
}

// Link implements hostagent.Network.
func (n *Network) Link(nic assign.NIC, network assign.Network) hostagent.Link {
	return hostagent.Link{Tap: "tap-" + nic.PortID, Bridge: "br-" + network.ID, MAC: nic.MAC, MTU: network.MTU}
}

// Ready implements hostagent.Network.
func (n *Network) Ready(portID string) (bool, string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ports[portID] {
		return true, ""
	}
	return false, "The network was not applied yet."
}
