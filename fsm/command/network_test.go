package command

import (
	"fmt"
	"testing"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func TestSubnetOverlapSentence(t *testing.T) {
	r := newRig(t, 1).withCloud()
	c := exampleSubnetCreate()
	c.ID, c.ProjectID, c.CIDR, c.Gateway, c.Routes = "00000000-0000-4000-8000-0000000000e9", demoProject, "10.0.0.128/25", "", nil
	r.refused(r.demo(), c, errs.Invalid,
		"Requested subnet with cidr: 10.0.0.128/25 for network: 00000000-0000-4000-8000-0000000000e1 overlaps with another subnet.")
	c.CIDR = "10.0.1.0/25"
	r.must(r.demo(), c)
}

func TestSubnetValues(t *testing.T) {
	r := newRig(t, 1).withCloud()
	pool := func(ab ...string) []model.Pool {
		var list []model.Pool
		for i := 0; i < len(ab); i += 2 {
			list = append(list, model.Pool{Start: ab[i], End: ab[i+1]})
		}
		return list
	}
	for i, row := range []struct {
		cidr, gateway string
		pools         []model.Pool
		kind          errs.Kind
		want          string // the pools; empty where it is refused
	}{
		{"10.1.0.0/24", "10.1.0.1", nil, 0, "[{10.1.0.2 10.1.0.254}]"},
		{"10.2.0.0/24", "10.2.0.100", nil, 0, "[{10.2.0.1 10.2.0.99} {10.2.0.101 10.2.0.254}]"},
		{"10.3.0.0/24", "10.3.0.254", nil, 0, "[{10.3.0.1 10.3.0.253}]"},
		{"10.4.0.0/24", "", nil, 0, "[{10.4.0.1 10.4.0.254}]"},
		{"10.5.0.0/30", "10.5.0.1", nil, 0, "[{10.5.0.2 10.5.0.2}]"},
		{"fd00:1::/64", "fd00:1::1", nil, errs.Invalid, ""},
		{"10.6.0.0/24", "10.6.0.1", pool("10.6.0.20", "10.6.0.30", "10.6.0.5", "10.6.0.9"), 0, "[{10.6.0.5 10.6.0.9} {10.6.0.20 10.6.0.30}]"},
		{"10.7.0.0/24", "10.7.0.1", pool("10.7.0.1", "10.7.0.9"), errs.Conflict, ""},
		{"10.7.0.0/24", "10.7.0.1", pool("10.7.0.5", "10.7.0.9", "10.7.0.9", "10.7.0.12"), errs.Conflict, ""},
		{"10.7.0.0/24", "10.7.0.1", pool("10.7.0.5", "10.7.1.9"), errs.Invalid, ""},
		{"10.7.0.0/24", "10.7.0.1", pool("10.7.0.9", "10.7.0.5"), errs.Invalid, ""},
		{"10.7.0.0/24", "10.7.0.1", pool("10.7.0.5", "10.7.0.255"), errs.Invalid, ""},
		{"10.7.0.0/24", "10.7.0.1", pool("fd00::1", "fd00::2"), errs.Invalid, ""},
		{"10.7.0.0/24", "10.7.1.1", nil, errs.Invalid, ""},
		{"10.7.0.0/24", "10.7.0.0", nil, errs.Invalid, ""},
		{"10.7.0.0/24", "10.7.0.255", nil, errs.Invalid, ""},
		{"10.7.0.5/24", "", nil, errs.Invalid, ""},
		{"10.7.0.0/31", "", nil, errs.Invalid, ""},
		{"10.0.0.0/7", "", nil, errs.Invalid, ""},
		{"127.0.0.0/8", "", nil, errs.Invalid, ""},
		{"169.254.0.0/24", "", nil, errs.Invalid, ""},
		{"168.0.0.0/8", "", nil, 0, "[{168.0.0.1 168.255.255.254}]"},
		{"169.0.0.0/8", "", nil, errs.Invalid, ""},
		{"224.0.0.0/24", "", nil, errs.Invalid, ""},
		{"fd00:2::/48", "", nil, errs.Invalid, ""},
		{"100.64.0.0/10", "", nil, errs.Invalid, ""},
		{"100.100.7.0/24", "", nil, errs.Invalid, ""},
		{"100.0.0.0/8", "", nil, errs.Invalid, ""},
		{"240.0.0.0/24", "", nil, errs.Invalid, ""},
		{"0.0.0.0/8", "", nil, errs.Invalid, ""},
		{"::ffff:10.0.0.0/120", "", nil, errs.Invalid, ""},
		{"what", "", nil, errs.Invalid, ""},
	} {
		id := model.SubnetID(fmt.Sprintf("00000000-0000-4000-8000-%012x", i))
		c := &SubnetCreate{ID: id, NetworkID: cloudNet, ProjectID: demoProject, CIDR: row.cidr, Gateway: row.gateway, Pools: row.pools}
		if row.want == "" {
			r.refused(r.demo(), c, row.kind, "")
			continue
		}
		r.must(r.demo(), c)
		if got := fmt.Sprint(r.View().Subnet(id).Pools); got != row.want {
			t.Errorf("%s by %s: pools %s, want %s", row.cidr, row.gateway, got, row.want)
		}
	}
}

// TestHostsCarryWhatIsAccepted: what hosts would leave out is refused.
func TestHostsCarryWhatIsAccepted(t *testing.T) {
	r := newRig(t, 1).withCloud()
	for mtu, ok := range map[int]bool{0: true, 68: false, 575: false, 576: true, 9000: true, 9001: false} {
		c := &NetworkCreate{ID: model.NetworkID(r.UUID()), ProjectID: demoProject, MTU: mtu}
		if _, err := r.apply(r.demo(), c); (err == nil) != ok {
			t.Errorf("MTU %d: %v", mtu, err)
		}
		if mtu == 0 {
			continue
		}
		if _, err := r.apply(r.demo(), &NetworkUpdate{ID: cloudNet, MTU: &mtu}); (err == nil) != ok {
			t.Errorf("MTU changed to %d: %v", mtu, err)
		}
	}
	r.refused(r.demo(), &SubnetUpdate{ID: cloudSubnet, DNS: &[]string{"2001:4860:4860::8888"}}, errs.Invalid, "")
	r.refused(r.demo(), &SubnetUpdate{ID: cloudSubnet, Routes: &[]model.HostRoute{{Destination: "fd00::/64", NextHop: "fd00::1"}}}, errs.Invalid, "")
	tx := r.store.Begin(state.Stamp{Index: r.stamp.Index + 1, Term: 1, At: r.stamp.At})
	c := tx.Cluster().Clone()
	c.LastRouter, c.LastSegment = assign.MaxRouter, assign.MaxSegment
	tx.PutCluster(c)
	tx.Commit()
	r.store.Publish()
	r.stamp.Index++
	r.refused(r.demo(), &RouterCreate{ID: model.RouterID(r.UUID()), ProjectID: demoProject}, errs.Conflict, "")
	r.refused(r.demo(), &NetworkCreate{ID: model.NetworkID(r.UUID()), ProjectID: demoProject}, errs.Conflict, "")
}

func TestSubnetGatewayMoves(t *testing.T) {
	r := newRig(t, 1).withCloud()
	c := exampleRouterCreate()
	c.ProjectID, c.ExternalNetworkID = demoProject, ""
	r.must(r.demo(), c)
	r.must(r.demo(), exampleRouterAttach())
	r.refused(r.demo(), exampleSubnetUpdate(), errs.Conflict,
		"Current gateway ip 10.0.0.1 already in use by port 00000000-0000-4000-8000-0000000000e6. Unable to update.")
	r.must(r.demo(), exampleRouterDetach())
	inPool := "10.0.0.7"
	r.refused(r.demo(), &SubnetUpdate{ID: cloudSubnet, Gateway: &inPool}, errs.Conflict, "")
	r.must(r.demo(), exampleSubnetUpdate())
	if s := r.View().Subnet(cloudSubnet); s.Gateway != "" || !s.NoDHCP || len(s.DNS) != 2 || len(s.Routes) != 1 {
		t.Errorf("subnet = %+v", s)
	}
}

func TestForeignNetworks(t *testing.T) {
	r := newRig(t, 1).withDemo()
	r.must(r.admin(), exampleNetworkCreate())
	r.must(r.admin(), exampleSubnetCreate())
	port := examplePortCreate()
	port.ProjectID = demoProject
	write := []Command{exampleNetworkUpdate(), exampleNetworkDelete(), exampleSubnetUpdate(), exampleSubnetDelete()}
	for _, c := range append(write, port) {
		r.refused(r.demo(), c, errs.NotFound, "")
	}
	yes, no := true, false
	r.must(r.admin(), &NetworkUpdate{ID: cloudNet, Shared: &yes})
	for _, c := range write {
		r.refused(r.demo(), c, errs.Forbidden, "")
	}
	r.must(r.demo(), port)
	r.refused(r.admin(), &NetworkUpdate{ID: cloudNet, Shared: &no}, errs.Conflict,
		"Unable to reconfigure sharing settings for network 00000000-0000-4000-8000-0000000000e1. Multiple tenants are using it.")
	shared := exampleNetworkCreate()
	shared.ID, shared.ProjectID, shared.Shared = "00000000-0000-4000-8000-0000000000e9", demoProject, true
	r.refused(r.demo(), shared, errs.Forbidden, "")
	// The gateway of somebody else's network cannot be taken.
	router := exampleRouterCreate()
	router.ProjectID, router.ExternalNetworkID = demoProject, ""
	r.must(r.demo(), router)
	r.refused(r.demo(), exampleRouterAttach(), errs.Forbidden, "")
}

func TestNetworkInUse(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := examplePortCreate()
	p.ProjectID = demoProject
	r.must(r.demo(), p)
	r.refused(r.demo(), exampleNetworkDelete(), errs.Conflict,
		"Unable to complete operation on network 00000000-0000-4000-8000-0000000000e1. There are one or more ports still in use on the network.")
	r.refused(r.demo(), exampleSubnetDelete(), errs.Conflict,
		"Unable to complete operation on subnet 00000000-0000-4000-8000-0000000000e2: One or more ports have an IP allocation from this subnet.")
	r.must(r.demo(), examplePortDelete())
	r.must(r.demo(), exampleNetworkDelete())
	for _, resource := range []string{"network", "subnet", "port"} {
		if n := r.View().Used(demoProject, resource); n != 0 {
			t.Errorf("usage of %s is %d after all is gone", resource, n)
		}
	}
}

func TestPortAddresses(t *testing.T) {
	r := newRig(t, 1).withCloud()
	for i, row := range []struct {
		wants []PortAddress
		kind  errs.Kind
		msg   string
	}{
		{[]PortAddress{{IP: "10.0.0.9"}}, 0, ""},
		{[]PortAddress{{IP: "10.0.0.9"}}, errs.Conflict, "Unable to complete operation for network 00000000-0000-4000-8000-0000000000e1. The IP address 10.0.0.9 is in use."},
		{[]PortAddress{{IP: "10.0.0.1"}}, errs.Invalid, "IP address 10.0.0.1 is not a valid IP for the specified subnet."},
		{[]PortAddress{{IP: "10.0.0.255"}}, errs.Invalid, "IP address 10.0.0.255 is not a valid IP for the specified subnet."},
		{[]PortAddress{{IP: "192.168.1.1"}}, errs.Invalid, "IP address 192.168.1.1 is not a valid IP for any of the subnets on the specified network."},
		{[]PortAddress{{SubnetID: cloudSubnet}, {SubnetID: cloudSubnet}}, 0, ""},
		{make([]PortAddress, maxWants+1), errs.Invalid, ""},
	} {
		c := &PortCreate{ID: model.PortID(fmt.Sprintf("00000000-0000-4000-8000-%012x", i)), NetworkID: cloudNet, ProjectID: demoProject,
			MAC: fmt.Sprintf("fa:16:3e:00:01:%02x", i), Wants: row.wants}
		if row.kind != 0 {
			r.refused(r.demo(), c, row.kind, row.msg)
			continue
		}
		r.must(r.demo(), c)
		n := 0
		for range r.View().FixedAddressesOf(c.ID) {
			n++
		}
		if n != len(row.wants) {
			t.Errorf("row %d got %d addresses, asked for %d", i, n, len(row.wants))
		}
	}
}

func TestAddressesRunOut(t *testing.T) {
	r := newRig(t, 1).withDemo()
	r.must(r.admin(), exampleNetworkCreate())
	s := exampleSubnetCreate()
	s.CIDR, s.Gateway, s.Routes = "10.0.0.0/29", "10.0.0.1", nil
	r.must(r.admin(), s)
	port := func() *PortCreate {
		return &PortCreate{ID: model.PortID(r.UUID()), NetworkID: cloudNet, ProjectID: adminProject, MAC: newMAC(r)}
	}
	for range 5 {
		r.must(r.admin(), port())
	}
	r.refused(r.admin(), port(), errs.Conflict, "No more IP addresses available on network 00000000-0000-4000-8000-0000000000e1.")
	none := port()
	none.NoAddress = true
	r.must(r.admin(), none)
}

func TestPortDevices(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := examplePortCreate()
	p.ProjectID = demoProject
	r.must(r.demo(), p)
	s := aServer()
	r.must(r.demo(), s)
	device, none, network, router := string(cloudServer), "", "network:dhcp", model.OwnerRouterInterface
	r.refused(r.demo(), &PortUpdate{ID: p.ID, DeviceID: &device}, errs.Invalid, "")
	r.refused(r.demo(), &PortUpdate{ID: p.ID, DeviceOwner: &network}, errs.Forbidden, "")
	r.refused(r.admin(), &PortUpdate{ID: p.ID, DeviceOwner: &router}, errs.Invalid, "")
	r.must(r.demo(), examplePortUpdate())
	nic := s.Items[0].NICs[0].PortID
	r.refused(r.demo(), &PortUpdate{ID: nic, DeviceID: &none}, errs.Conflict, "")
	name := "nic"
	r.must(r.demo(), &PortUpdate{ID: nic, Name: &name})
	// While the server has no host, nobody uses the port; afterwards the guest
	// does.
	r.must(r.leader(), exampleServersPlace())
	r.refused(r.demo(), &PortDelete{ID: nic}, errs.Conflict,
		"Unable to complete operation on port 00000000-0000-4000-8000-000000000002 for network 00000000-0000-4000-8000-0000000000e1. Port already has an attached device 00000000-0000-4000-8000-000000000001.")
	waiting := aServer()
	waiting.Items[0].ID, waiting.Items[0].NICs[0].PortID, waiting.Items[0].NICs[0].MAC = "00000000-0000-4000-8000-000000000011", "00000000-0000-4000-8000-000000000012", "fa:16:3e:00:00:12"
	r.must(r.demo(), waiting)
	r.must(r.demo(), &PortDelete{ID: waiting.Items[0].NICs[0].PortID})
}

func TestRouterInterfaces(t *testing.T) {
	r := newRig(t, 1).withCloud()
	c := exampleRouterCreate()
	c.ProjectID = demoProject
	r.refused(r.demo(), c, errs.NotFound, "Network 00000000-0000-4000-8000-0000000000e5 could not be found.")
	c.ExternalNetworkID = cloudNet
	r.refused(r.demo(), c, errs.Invalid, "Bad router request: Network 00000000-0000-4000-8000-0000000000e1 is not an external network.")
	out := exampleNetworkCreate()
	out.ID, out.External = "00000000-0000-4000-8000-0000000000e5", true
	r.must(r.admin(), out)
	c.ExternalNetworkID = out.ID
	r.must(r.demo(), c)
	no := false
	r.refused(r.admin(), &NetworkUpdate{ID: out.ID, External: &no}, errs.Conflict, "")
	r.refused(r.admin(), &NetworkDelete{ID: out.ID}, errs.Conflict, "")

	r.must(r.demo(), exampleRouterAttach())
	port := r.View().Port(exampleRouterAttach().PortID)
	if a := r.View().FixedAddress(cloudNet, "10.0.0.1"); a == nil || a.PortID != port.ID || port.DeviceOwner != model.OwnerRouterInterface {
		t.Errorf("the interface %+v has %+v", port, a)
	}
	again := exampleRouterAttach()
	again.PortID, again.MAC = "00000000-0000-4000-8000-0000000000e7", "fa:16:3e:00:00:07"
	r.refused(r.demo(), again, errs.Invalid, "Bad router request: Router already has a port on subnet 00000000-0000-4000-8000-0000000000e2.")
	second := exampleRouterCreate()
	second.ID, second.ProjectID, second.ExternalNetworkID = "00000000-0000-4000-8000-0000000000e8", demoProject, ""
	r.must(r.demo(), second)
	again.ID = second.ID
	r.refused(r.demo(), again, errs.Conflict, "")

	// A second network with the same range cannot join the same router.
	n, s := exampleNetworkCreate(), exampleSubnetCreate()
	n.ID, n.ProjectID = "00000000-0000-4000-8000-0000000000ea", demoProject
	s.ID, s.NetworkID, s.ProjectID = "00000000-0000-4000-8000-0000000000eb", n.ID, demoProject
	r.must(r.demo(), n)
	r.must(r.demo(), s)
	again.ID, again.SubnetID = cloudRouter, s.ID
	r.refused(r.demo(), again, errs.Invalid, "")

	r.refused(r.demo(), &PortDelete{ID: port.ID}, errs.Conflict,
		"Port 00000000-0000-4000-8000-0000000000e6 cannot be deleted directly via the port API: has device owner network:router_interface.")
	r.refused(r.demo(), exampleRouterDelete(), errs.Conflict, "Router 00000000-0000-4000-8000-0000000000e4 still has ports")
	r.must(r.demo(), exampleRouterDetach())
	r.refused(r.demo(), exampleRouterDetach(), errs.NotFound, "")
	r.must(r.demo(), exampleRouterUpdate())
	r.must(r.admin(), &NetworkDelete{ID: out.ID})
	r.must(r.demo(), exampleRouterDelete())
	if err := audit(r.View()); err != nil {
		t.Error(err)
	}
}

// A host is told what its users switched off, and when it is on again.
func TestDownReachesTheHost(t *testing.T) {
	r := newRig(t, 1).withCloud()
	router := exampleRouterCreate()
	router.ProjectID, router.ExternalNetworkID = demoProject, ""
	r.must(r.demo(), router)
	r.must(r.demo(), exampleRouterAttach())
	r.placed()
	told := func() assign.Desired { return state.Desired(r.View(), cloudHost) }
	if d := told(); len(d.Guests) != 1 || len(d.Guests[0].NICs) == 0 || d.Guests[0].NICs[0].Down || d.Networks[0].Down || len(d.Routers) != 1 {
		t.Fatalf("at first: %+v", d)
	}
	nic := told().Guests[0].NICs[0]
	down, up := true, false
	for _, row := range []struct {
		name    string
		off, on Command
		isDown  func(assign.Desired) bool
		by      By
	}{
		{"port", &PortUpdate{ID: model.PortID(nic.PortID), Down: &down}, &PortUpdate{ID: model.PortID(nic.PortID), Down: &up},
			func(d assign.Desired) bool { return d.Guests[0].NICs[0].Down }, r.demo()},
		{"network", &NetworkUpdate{ID: cloudNet, Down: &down}, &NetworkUpdate{ID: cloudNet, Down: &up},
			func(d assign.Desired) bool { return d.Networks[0].Down }, r.demo()},
		{"router's port", &PortUpdate{ID: exampleRouterAttach().PortID, Down: &down}, &PortUpdate{ID: exampleRouterAttach().PortID, Down: &up},
			func(d assign.Desired) bool { return len(d.Routers) == 0 }, r.admin()},
	} {
		before := told().Digest
		r.must(row.by, row.off)
		if d := told(); !row.isDown(d) || d.Digest == before {
			t.Errorf("%s: switched off, and the host is told %+v", row.name, d)
		}
		r.must(row.by, row.on)
		if d := told(); d.Digest != before {
			t.Errorf("%s: switched on again, and the host is told %+v", row.name, d)
		}
	}
}
