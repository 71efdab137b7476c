package command

import (
	"fmt"
	"net/netip"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// audit tells the first thing that does not add up in a view; nil if
// everything does.
func audit(v state.View) error {
	if bad := state.Check(v); len(bad) > 0 {
		return fmt.Errorf("%v", bad)
	}
	for _, check := range []func(state.View) error{auditUsage, auditHosts, auditAddresses, auditPorts, auditGrants, auditPermits} {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

func auditUsage(v state.View) error {
	for p := range v.Projects() {
		for _, r := range state.Resources {
			if used, count := v.Used(p.ID, r.Name), r.Count(v, p.ID); used != count {
				return fmt.Errorf("project %s: usage of %s is %d, there are %d", p.ID, r.Name, used, count)
			}
		}
	}
	for u := range v.Usages() {
		if v.Project(u.ProjectID) == nil || u.Used <= 0 {
			return fmt.Errorf("usage %+v is of no project or of nothing", u)
		}
	}
	for q := range v.Quotas() {
		if v.Project(q.ProjectID) == nil {
			return fmt.Errorf("quota %+v is of no project", q)
		}
	}
	return nil
}

func auditHosts(v state.View) error {
	for h := range v.Hosts() {
		want := &model.Host{}
		for s := range v.ServersOn(h.ID) {
			claim(want, s.Size, 1)
		}
		for t := range v.TombstonesOn(h.ID) {
			claim(want, t.Server.Size, 1)
		}
		if h.UsedVCPUs != want.UsedVCPUs || h.UsedRAM != want.UsedRAM || h.UsedDisk != want.UsedDisk || h.Guests != want.Guests {
			return fmt.Errorf("host %s promises %d/%d/%d to %d guests, recounted %d/%d/%d to %d", h.Name,
				h.UsedVCPUs, h.UsedRAM, h.UsedDisk, h.Guests, want.UsedVCPUs, want.UsedRAM, want.UsedDisk, want.Guests)
		}
	}
	return nil
}

func auditAddresses(v state.View) error {
	for a := range v.FixedAddresses() {
		if v.Network(a.NetworkID) == nil {
			return fmt.Errorf("address %+v is of no network", a)
		}
		if (a.PortID == "") == (a.HeldBy == "") {
			return fmt.Errorf("address %+v must have either a port or a holder", a)
		}
		if a.HeldBy != "" {
			if t := v.Tombstone(a.HeldBy); t == nil || t.Confirmed {
				return fmt.Errorf("address %+v is held by nobody", a)
			}
			continue
		}
		p, s := v.Port(a.PortID), v.Subnet(a.SubnetID)
		if p == nil || p.NetworkID != a.NetworkID || s == nil || s.NetworkID != a.NetworkID {
			return fmt.Errorf("address %+v has no port or no subnet on its network", a)
		}
		ip := netip.MustParseAddr(a.IP)
		if !netip.MustParsePrefix(s.CIDR).Contains(ip) || a.IP == s.Gateway && p.DeviceOwner != model.OwnerRouterInterface {
			return fmt.Errorf("address %+v does not fit subnet %+v", a, s)
		}
	}
	return nil
}

func auditPorts(v state.View) error {
	for p := range v.Ports() {
		if v.Network(p.NetworkID) == nil || v.Project(p.ProjectID) == nil {
			return fmt.Errorf("port %+v is of no network or project", p)
		}
		if p.DeviceOwner == model.OwnerRouterInterface && v.Router(model.RouterID(p.DeviceID)) == nil {
			return fmt.Errorf("port %+v is of no router", p)
		}
		if p.Auto && v.Server(model.ServerID(p.DeviceID)) == nil {
			return fmt.Errorf("port %+v outlived its server", p)
		}
	}
	for s := range v.Subnets() {
		if v.Network(s.NetworkID) == nil || len(s.Pools) == 0 {
			return fmt.Errorf("subnet %+v has no network or no pools", s)
		}
	}
	for r := range v.Routers() {
		if n := v.Network(r.ExternalNetworkID); r.ExternalNetworkID != "" && (n == nil || !n.External) {
			return fmt.Errorf("router %+v leads nowhere", r)
		}
	}
	return nil
}

func auditGrants(v state.View) error {
	for g := range v.Grants() {
		if v.User(g.UserID) == nil || v.Project(g.ProjectID) == nil || v.Role(g.RoleID) == nil {
			return fmt.Errorf("grant %+v names what is not there", g)
		}
	}
	for k := range v.KeyPairs() {
		if v.User(k.UserID) == nil {
			return fmt.Errorf("key pair %+v is of no user", k)
		}
	}
	for u := range v.Users() {
		if u.DefaultProject != "" && v.Project(u.DefaultProject) == nil {
			return fmt.Errorf("user %+v has a default project that is gone", u)
		}
	}
	return nil
}

func auditPermits(v state.View) error {
	for p := range v.Permits() {
		if s := v.Server(p.ServerID); s != nil && s.HostID == p.HostID {
			continue
		}
		if t := v.Tombstone(p.ServerID); t != nil && !t.Confirmed && t.Server.HostID == p.HostID {
			continue
		}
		return fmt.Errorf("permit %+v is of no guest", p)
	}
	for s := range v.Servers() {
		if (s.HostID != "") != (v.Permit(s.ID) != nil) {
			return fmt.Errorf("server %s on host %q: a permit and a host go together", s.ID, s.HostID)
		}
	}
	return nil
}
