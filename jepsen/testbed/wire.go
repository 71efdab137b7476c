package testbed

import (
	"context"
	"net/netip"

	"github.com/kvorum/kvorum/internal/errs"
)

// Wire carries eth0 of the rack's hosts, of the outside and, if there is an
// uplink, of the root namespace ("root"), by IPv4 address.
type Wire interface {
	// Plug makes a link in the network namespace at the path, "" for the root
	// one, with its address, up. What is for the networks beyond goes there too.
	Plug(ctx context.Context, name, netns, link string, at netip.Prefix, beyond ...netip.Prefix) error
	// Cable pulls the cable out of a link, or puts it back.
	Cable(name string, in bool) error
	// Part lets links of different sides no longer hear each other. It takes
	// the place of an earlier Part; without sides it ends that.
	Part(sides ...[]string) error
}

// wired refuses what needs a wire that is another process's.
func (r *Rack) wired() error {
	if r.state.Wired && r.wire == nil {
		return errs.Errorf("testbed.wire", errs.Conflict, "another process carries eth0 of this rack, or nobody does any more")
	}
	return nil
}
