package command

import (
	"reflect"
	"testing"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const farServer = model.ServerID("00000000-0000-4000-8000-000000000011")

// secondHost adds a host with an end of tunnels, and a guest on it beside the
// one that cloudHost has in the same network.
func (r *rig) secondHost(tunnel string) {
	r.t.Helper()
	h := exampleHostRegister()
	h.ID, h.Name, h.Tunnel = cloudHostTwo, "h2", tunnel
	r.must(hostActor(cloudHostTwo), h)
	c := aServer()
	c.Items[0].ID, c.Items[0].NICs[0].PortID, c.Items[0].NICs[0].MAC = farServer, "00000000-0000-4000-8000-000000000012", "fa:16:3e:00:00:09"
	r.must(r.demo(), c)
	r.must(r.leader(), &ServersPlace{Items: []Placement{{ServerID: farServer, HostID: cloudHostTwo}}})
}

// remotes are those that a host is told of in the cloud's network.
func (r *rig) remotes(host model.HostID) (own string, all []assign.Remote) {
	r.t.Helper()
	d := state.Desired(r.View(), host)
	if again := state.Desired(r.View(), host); !reflect.DeepEqual(d, again) || d.Digest != again.Digest {
		r.t.Errorf("one view, two desired states:\n%+v\n%+v", d, again)
	}
	for _, n := range d.Networks {
		if n.ID == string(cloudNet) {
			return n.Tunnel, n.Remotes
		}
	}
	return "", nil
}

func (r *rig) addressesOf(s model.ServerID) (out []string) {
	for p := range r.View().PortsOfDevice(string(s)) {
		for a := range r.View().FixedAddressesOf(p.ID) {
			out = append(out, a.IP)
		}
	}
	if len(out) != 1 {
		r.t.Fatalf("server %s has the addresses %v", s, out)
	}
	return out
}

func (r *rig) wantRemotes(when string, host model.HostID, own string, want ...assign.Remote) {
	r.t.Helper()
	if gotOwn, got := r.remotes(host); gotOwn != own || !reflect.DeepEqual(got, want) {
		r.t.Errorf("%s: host %s is told of %+v from %q, want %+v from %q", when, host, got, gotOwn, want, own)
	}
}

// Hosts of one network are told of each other's guests: of those that they may
// run, whether or not they do.
func TestRemotes(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	first := assign.Remote{MAC: "fa:16:3e:00:00:01", Addresses: r.addressesOf(cloudServer), Tunnel: "192.0.2.1"}
	r.wantRemotes("alone", cloudHost, "192.0.2.1")

	r.secondHost("192.0.2.2")
	second := assign.Remote{MAC: "fa:16:3e:00:00:09", Addresses: r.addressesOf(farServer), Tunnel: "192.0.2.2"}
	r.wantRemotes("two", cloudHost, "192.0.2.1", second)
	r.wantRemotes("two", cloudHostTwo, "192.0.2.2", first)

	r.report(p.Number, "running")
	r.must(r.demo(), exampleServerPower())
	r.report(p.Number, "shutoff")
	r.wantRemotes("stopped", cloudHostTwo, "192.0.2.2", first)

	waiting := aServer()
	waiting.Items[0].ID, waiting.Items[0].NICs[0].PortID = "00000000-0000-4000-8000-000000000021", "00000000-0000-4000-8000-000000000022"
	waiting.Items[0].NICs[0].MAC = "fa:16:3e:00:00:0a"
	r.must(r.demo(), waiting)
	r.wantRemotes("one waits for its host", cloudHostTwo, "192.0.2.2", first)

	h := exampleHostRegister()
	h.Tunnel = "192.0.2.77"
	r.must(hostActor(cloudHost), h)
	moved := first
	moved.Tunnel = h.Tunnel
	r.wantRemotes("the other end moved", cloudHostTwo, "192.0.2.2", moved)
	h.Tunnel = ""
	r.must(hostActor(cloudHost), h)
	r.wantRemotes("the other end is gone", cloudHostTwo, "192.0.2.2")
	r.wantRemotes("without an end", cloudHost, "")
	r.must(hostActor(cloudHost), exampleHostRegister())
	r.wantRemotes("all as before", cloudHostTwo, "192.0.2.2", first)

	r.must(r.demo(), exampleServerDelete())
	if r.View().Tombstone(cloudServer) == nil {
		t.Fatal("no tombstone: what is tested here?")
	}
	r.wantRemotes("deleted", cloudHostTwo, "192.0.2.2")
}

// A host that only routes into a network is told of the network's guests too,
// and routers' own ports are on every host.
func TestRemotesBehindARouter(t *testing.T) {
	r := newRig(t, 1).withCloud()
	router := exampleRouterCreate()
	router.ProjectID, router.ExternalNetworkID = demoProject, ""
	r.must(r.demo(), router)
	r.must(r.demo(), exampleRouterAttach())
	web, sub := exampleNetworkCreate(), exampleSubnetCreate()
	web.ID, web.ProjectID, web.Name = "00000000-0000-4000-8000-0000000000a8", demoProject, "web"
	r.must(r.demo(), web)
	sub.ID, sub.NetworkID, sub.ProjectID = "00000000-0000-4000-8000-0000000000a9", web.ID, demoProject
	sub.CIDR, sub.Gateway, sub.Routes = "10.0.1.0/24", "10.0.1.1", nil
	r.must(r.demo(), sub)
	r.must(r.demo(), &RouterAttach{ID: router.ID, SubnetID: sub.ID, PortID: "00000000-0000-4000-8000-0000000000a7", MAC: "fa:16:3e:00:00:07"})

	c := aServer()
	c.Items[0].NICs[0].NetworkID = web.ID
	r.must(r.demo(), c)
	r.must(r.leader(), exampleServersPlace())
	r.secondHost("192.0.2.2")
	// Each has guests in one of the networks, and the router in both.
	r.wantRemotes("here only the router is", cloudHost, "192.0.2.1",
		assign.Remote{MAC: "fa:16:3e:00:00:09", Addresses: r.addressesOf(farServer), Tunnel: "192.0.2.2"})
	r.wantRemotes("nobody else is here", cloudHostTwo, "192.0.2.2")
}

func TestTunnelAddresses(t *testing.T) {
	for _, bad := range []string{"host", "192.0.2.1:4789", "127.0.0.1", "0.0.0.0", "224.0.0.1", "fe80::1%eth0", "::ffff:192.0.2.1", "::"} {
		r := newRig(t, 1)
		h := exampleHostRegister()
		h.Tunnel = bad
		r.refused(hostActor(cloudHost), h, errs.Invalid, "")
	}
	for _, good := range []string{"", "192.0.2.1", "2001:db8::1"} {
		r := newRig(t, 1)
		h := exampleHostRegister()
		h.Tunnel = good
		r.must(hostActor(cloudHost), h)
		if got := r.View().Host(cloudHost).Tunnel; got != good {
			t.Errorf("registered with %q, has %q", good, got)
		}
	}
}
