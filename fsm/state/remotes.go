package state

import (
	"cmp"
	"slices"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// desiredRemotes lists the ports of a network whose guests other hosts run.
// Who holds the permit runs the guest, or may start it at any time: so stopped
// ones count, and deleted ones do not. Routers are on every host, and on
// hosts without tunnels nobody can be reached.
func desiredRemotes(v View, network model.NetworkID, host model.HostID) []assign.Remote {
	var out []assign.Remote
	for p := range v.PortsOn(network) {
		h := runsOn(v, p)
		if h == nil || h.ID == host || h.Tunnel == "" {
			continue
		}
		r := assign.Remote{MAC: p.MAC, Tunnel: h.Tunnel}
		for a := range v.FixedAddressesOf(p.ID) {
			r.Addresses = append(r.Addresses, a.IP)
		}
		slices.Sort(r.Addresses)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b assign.Remote) int { return cmp.Compare(a.MAC, b.MAC) })
	return out
}

// runsOn is the host that has the permit for a port's server; nil if there is
// none.
func runsOn(v View, p *model.Port) *model.Host {
	s := v.Server(model.ServerID(p.DeviceID))
	if s == nil {
		return nil
	}
	permit := v.Permit(s.ID)
	if permit == nil {
		return nil
	}
	return v.Host(permit.HostID)
}
