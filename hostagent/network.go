package hostagent

import (
	"context"

	"github.com/kvorum/kvorum/internal/assign"
)

// Network is the host's network as the agent uses it.
type Network interface {
	// Apply makes the host's network what it is given, as a whole. It is
	// idempotent, and called by one goroutine.
	Apply(ctx context.Context, networks []assign.Network, routers []assign.Router, guests []assign.Guest) error
	// Link names where a NIC is plugged in: by both, and by what the host's own
	// links carry.
	Link(nic assign.NIC, network assign.Network) Link
	// Ready tells whether all that the port needs (bridge, filters, services)
	// was there after the last Apply, or else why not, in a sentence.
	Ready(portID string) (ok bool, reason string)
}
