package state

import (
	"iter"
	"reflect"

	"github.com/kvorum/kvorum/internal/model"
)

// Concern says whose desired state some changes may have changed: more hosts
// than need be, now and then, but never fewer.
type Concern struct {
	// All says that every host's may.
	All   bool
	Hosts map[model.HostID]bool
	// Networks concern every host whose desired state has, or had, one of them.
	Networks map[model.NetworkID]bool
}

// idle are the tables that Desired does not look at. A table that is in
// neither list of Concerned concerns everybody.
var idle = map[string]bool{
	"domains": true, "projects": true, "users": true, "roles": true, "grants": true, "token_keys": true,
	"revocations": true, "flavors": true, "key_pairs": true, "quotas": true, "usages": true,
	"server_actions": true, "results": true, "authority": true, "control_nodes": true, "join_tokens": true, "certificates": true,
}

// Concerned tells whom the changes between two views concern: all changes
// after was, up to now. It knows what Desired is computed from, and must be
// kept in step with it. Permits are not in the feed: they change with their
// server or tombstone.
func Concerned(was, now View, changes []Change) Concern {
	c := concern{views: [2]View{was, now}}
	c.Hosts, c.Networks = map[model.HostID]bool{}, map[model.NetworkID]bool{}
	for _, x := range changes {
		if c.All {
			break
		}
		if !idle[x.Kind] {
			c.add(x)
		}
	}
	return c.Concern
}

// concern collects a Concern. views are the state before and after.
type concern struct {
	Concern
	views [2]View
}

func (c *concern) add(x Change) {
	was, now := c.views[0], c.views[1]
	switch x.Kind {
	case "cluster":
		a, b := was.Cluster(), now.Cluster()
		c.All = a == nil || b == nil || a.ID != b.ID || a.Incarnation != b.Incarnation
	case "hosts":
		c.host(model.HostID(x.ID))
	case "servers":
		c.server(model.ServerID(x.ID))
	case "tombstones":
		c.tombstone(model.ServerID(x.ID))
	case "ports":
		c.port(model.PortID(x.ID))
	case "fixed_addresses":
		c.address(model.NetworkID(x.Of), x.ID)
	case "networks":
		c.network(model.NetworkID(x.ID))
	case "subnets":
		for _, v := range c.views {
			if s := v.Subnet(model.SubnetID(x.ID)); s != nil {
				c.network(s.NetworkID)
			}
		}
	case "routers":
		c.networksOf(x.ID)
	case "images":
		c.image(model.ImageID(x.ID))
	default:
		c.All = true
	}
}

func (c *concern) on(h model.HostID) {
	if h != "" {
		c.Hosts[h] = true
	}
}

func (c *concern) network(n model.NetworkID) {
	if n != "" {
		c.Networks[n] = true
	}
}

// host concerns itself; and, by what others are told of it, the hosts that
// have a network in common with it.
func (c *concern) host(id model.HostID) {
	a, b := plainHost(c.views[0].Host(id)), plainHost(c.views[1].Host(id))
	if reflect.DeepEqual(a, b) {
		return
	}
	c.on(id)
	for _, v := range c.views {
		for s := range v.ServersOn(id) {
			c.networksOf(string(s.ID))
		}
	}
}

// plainHost is a host without what no host is told of another or itself: what
// it offers and has promised, when it was heard, and the administrator's view.
func plainHost(h *model.Host) model.Host {
	if h == nil {
		return model.Host{}
	}
	p := *h
	p.VCPUs, p.RAM, p.Disk, p.VCPURatio, p.RAMRatio, p.DiskRatio = 0, 0, 0, 0, 0, 0
	p.UsedVCPUs, p.UsedRAM, p.UsedDisk, p.Guests, p.Reported, p.Registered = 0, 0, 0, 0, 0, 0
	p.Archs, p.Hypervisor, p.HypervisorVersion, p.CPUInfo = nil, "", 0, ""
	p.BootID, p.AgentVersion, p.UpdatedAt, p.ChangedAt = "", "", 0, 0
	p.Disabled, p.DisabledReason, p.Fencing = false, "", ""
	return p
}

// server concerns the hosts that have it; and, by what others are told of it,
// those that have its networks.
func (c *concern) server(id model.ServerID) {
	a, b := plainServer(c.views[0].Server(id)), plainServer(c.views[1].Server(id))
	if reflect.DeepEqual(a, b) {
		return
	}
	c.on(a.HostID)
	c.on(b.HostID)
	for _, s := range []*model.Server{&a, &b} {
		s.Off, s.PowerEpoch, s.RebootEpoch, s.RebootHard, s.Metadata, s.Password = false, 0, 0, false, nil, nil
	}
	if !reflect.DeepEqual(a, b) {
		c.networksOf(string(id))
	}
}

// plainServer is a server without what its host itself reported, and what only
// users and administrators are told.
func plainServer(s *model.Server) model.Server {
	if s == nil {
		return model.Server{}
	}
	p := *s
	p.VMState, p.TaskState, p.PowerState, p.Fault = "", "", 0, nil
	p.Revision, p.UpdatedAt, p.LaunchedAt = 0, 0, 0
	p.Description, p.Tags, p.AccessIPv4, p.AccessIPv6, p.Why = nil, nil, "", "", ""
	return p
}

func (c *concern) tombstone(id model.ServerID) {
	for _, v := range c.views {
		if t := v.Tombstone(id); t != nil {
			c.on(t.Server.HostID)
		}
	}
}

// port concerns its network, and the guest or router that has it.
func (c *concern) port(id model.PortID) {
	a, b := plainPort(c.views[0].Port(id)), plainPort(c.views[1].Port(id))
	if reflect.DeepEqual(a, b) {
		return
	}
	for _, p := range []model.Port{a, b} {
		c.network(p.NetworkID)
		c.device(p.DeviceID)
	}
}

// plainPort is a port without what its host reported.
func plainPort(p *model.Port) model.Port {
	if p == nil {
		return model.Port{}
	}
	q := *p
	q.Active, q.Revision, q.UpdatedAt, q.Tags = false, 0, 0, nil
	return q
}

func (c *concern) address(n model.NetworkID, ip string) {
	a, b := c.views[0].FixedAddress(n, ip), c.views[1].FixedAddress(n, ip)
	if a != nil && b != nil && *a == *b {
		return
	}
	c.network(n)
	for i, x := range []*model.FixedAddress{a, b} {
		if x == nil {
			continue
		}
		if p := c.views[i].Port(x.PortID); p != nil {
			c.device(p.DeviceID)
		}
	}
}

// device is a server or a router that was plugged or unplugged.
func (c *concern) device(id string) {
	if id == "" {
		return
	}
	for _, v := range c.views {
		if s := v.Server(model.ServerID(id)); s != nil {
			c.on(s.HostID)
		} else if v.Router(model.RouterID(id)) != nil {
			c.networksOf(id)
		}
	}
	c.tombstone(model.ServerID(id))
}

// networksOf are the networks that a device is plugged into.
func (c *concern) networksOf(device string) {
	for _, v := range c.views {
		for p := range v.PortsOfDevice(device) {
			c.network(p.NetworkID)
		}
	}
}

// image concerns the hosts of the servers that were made from it, or from one
// that names it as kernel or ramdisk.
func (c *concern) image(id model.ImageID) {
	for _, v := range c.views {
		c.hostsOf(v.ServersFrom(id))
		for i := range v.Images() {
			if i.Properties["kernel_id"] == string(id) || i.Properties["ramdisk_id"] == string(id) {
				c.hostsOf(v.ServersFrom(i.ID))
			}
		}
	}
}

func (c *concern) hostsOf(servers iter.Seq[*model.Server]) {
	for s := range servers {
		c.on(s.HostID)
	}
}
