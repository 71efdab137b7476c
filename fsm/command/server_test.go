package command

import (
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func TestPlacementOverCapacityIsLeftOut(t *testing.T) {
	r := newRig(t, 1).withCloud()
	c := aServer()
	c.Size.RAM = 12000 // of the host's 16384
	second := c.Items[0]
	second.ID, second.NICs = "00000000-0000-4000-8000-000000000011", nil
	c.Items = append(c.Items, second)
	r.must(r.demo(), c)
	ids := r.must(r.leader(), &ServersPlace{Items: []Placement{{ServerID: cloudServer, HostID: cloudHost}, {ServerID: second.ID, HostID: cloudHost}}})
	if len(ids) != 1 || ids[0] != string(cloudServer) {
		t.Errorf("settled %v, want the first only", ids)
	}
	if s := r.View().Server(second.ID); s.HostID != "" || s.TaskState != model.TaskScheduling {
		t.Errorf("the second is on %q with task %q", s.HostID, s.TaskState)
	}
	r.refused(r.leader(), &ServersPlace{Items: []Placement{{ServerID: second.ID, HostID: cloudHost}}}, errs.Conflict, "")
	r.refused(r.leader(), &ServersPlace{Items: []Placement{{ServerID: second.ID, HostID: cloudHostTwo}}}, errs.Conflict, "")
	r.must(r.leader(), &ServersPlace{Items: []Placement{{ServerID: second.ID, Fault: "No valid host was found."}}})
	if s := r.View().Server(second.ID); s.VMState != model.Errored || s.Fault == nil || s.Fault.Message != "No valid host was found." {
		t.Errorf("the server without a host is %+v", s)
	}
}

// TestAPasswordIsKeptOnce, from the host that has the guest, until its user
// forgets it.
func TestAPasswordIsKeptOnce(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	say := func(permit uint64, text string) Command {
		return &ServerPassword{ID: cloudServer, Permit: permit, Password: []byte(text)}
	}
	r.refused(hostActor(cloudHost), say(p.Number-1, "a"), errs.NotFound, "")
	r.refused(hostActor(cloudHostTwo), say(p.Number, "a"), errs.Forbidden, "")
	r.refused(r.demo(), say(p.Number, "a"), errs.Forbidden, "")
	r.refused(hostActor(cloudHost), say(p.Number, strings.Repeat("a", maxSealedPassword+1)), errs.Invalid, "")
	r.must(hostActor(cloudHost), say(p.Number, "a"))
	r.refused(hostActor(cloudHost), say(p.Number, "b"), errs.Conflict, "The guest has posted a password already.")
	if s := r.View().Server(cloudServer); string(s.Password) != "a" {
		t.Errorf("%q", s.Password)
	}
	forget := &ServerPassword{ID: cloudServer}
	r.refused(asUser(r.View(), "stranger", "none"), forget, errs.NotFound, "")
	r.must(r.demo(), forget)
	before := r.View().Server(cloudServer)
	r.must(r.demo(), forget)
	if s := r.View().Server(cloudServer); s != before || s.Password != nil {
		t.Errorf("%+v", s)
	}
	r.must(hostActor(cloudHost), say(p.Number, "b"))
	r.must(r.demo(), &ServerDelete{ID: cloudServer})
	r.refused(hostActor(cloudHost), say(p.Number, "c"), errs.NotFound, "")
}

// TestServersKeepTheirTrace, on a host or on none, and of a long one the
// beginning.
func TestServersKeepTheirTrace(t *testing.T) {
	for trace, want := range map[string]string{"1 host; 1. h1 (2000)": "1 host; 1. h1 (2000)", "": "",
		strings.Repeat("ä", maxTrace): strings.Repeat("ä", maxTrace/2), "x" + strings.Repeat("ä", maxTrace): "x" + strings.Repeat("ä", maxTrace/2-1)} {
		for _, host := range []model.HostID{cloudHost, ""} {
			r := newRig(t, 1).withCloud()
			r.must(r.demo(), aServer())
			r.must(r.leader(), &ServersPlace{Items: []Placement{{ServerID: cloudServer, HostID: host, Trace: trace}}})
			s := r.View().Server(cloudServer)
			if s.Why != want || s.HostID != host || (s.Fault != nil) != (host == "") || s.Fault != nil && s.Fault.Details != want {
				t.Errorf("on %q: %.40q of %d bytes, want %d", host, s.Why, len(s.Why), len(want))
			}
		}
	}
}

func TestPlacementAvoidsHostsThatAreOff(t *testing.T) {
	yes := true
	for name, c := range map[string]struct {
		by func(*rig) By
		c  Command
	}{
		"down":     {(*rig).leader, exampleHostState()},
		"disabled": {(*rig).admin, &HostService{ID: cloudHost, Disabled: &yes}},
		"forced":   {(*rig).admin, &HostService{ID: cloudHost, ForcedDown: &yes}},
	} {
		r := newRig(t, 1).withCloud()
		r.must(r.demo(), aServer())
		r.must(c.by(r), c.c)
		t.Log(name)
		r.refused(r.leader(), exampleServersPlace(), errs.Conflict, "")
	}
}

func TestStaleReportsChangeNothing(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	other := exampleHostRegister()
	other.ID, other.Name = cloudHostTwo, "h2"
	r.must(hostActor(cloudHostTwo), other)
	before := r.View().Hash()
	seen := GuestObserved{ID: cloudServer, Permit: p.Number, State: "running", PowerEpoch: 1}
	stale := seen
	stale.Permit--
	r.must(hostActor(cloudHost), &HostReport{HostID: cloudHost, Guests: []GuestObserved{stale}})
	r.must(hostActor(cloudHostTwo), &HostReport{HostID: cloudHostTwo, Guests: []GuestObserved{seen}})
	r.refused(hostActor(cloudHostTwo), &HostReport{HostID: cloudHost, Guests: []GuestObserved{seen}}, errs.Forbidden, "")
	if r.View().Hash() != before {
		t.Error("a report under another permit or of another host changed the state")
	}
	r.report(p.Number, "running")
	if s := r.View().Server(cloudServer); s.VMState != model.Active || s.TaskState != "" {
		t.Errorf("the true report left the server %s/%s", s.VMState, s.TaskState)
	}
	before = r.View().Hash()
	r.report(p.Number, "running")
	if r.View().Hash() != before {
		t.Error("a repeated report changed the state")
	}
}

// TestALateReportUndoesNothing: reports of one host count in the order of their
// numbers, whenever they arrive.
func TestALateReportUndoesNothing(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	for _, step := range []struct {
		seq   uint64
		state string
		want  int
	}{
		{5, "running", model.PowerRunning}, {7, "shutoff", model.PowerShutdown}, {6, "running", model.PowerShutdown},
		{7, "running", model.PowerShutdown}, {8, "running", model.PowerRunning},
	} {
		r.must(hostActor(cloudHost), &HostReport{HostID: cloudHost, Seq: step.seq,
			Guests: []GuestObserved{{ID: cloudServer, Permit: p.Number, State: step.state, PowerEpoch: 1}}})
		if got := r.View().Server(cloudServer).PowerState; got != step.want {
			t.Errorf("after report %d (%s) the power state is %d, want %d", step.seq, step.state, got, step.want)
		}
	}
}

// TestAPausedGuestEndsItsTask: a guest that stands still came up before.
func TestAPausedGuestEndsItsTask(t *testing.T) {
	r := newRig(t, 1).withCloud()
	r.report(r.placed().Number, "paused")
	if s := r.View().Server(cloudServer); s.VMState != model.Active || s.TaskState != "" || s.PowerState != model.PowerPaused {
		t.Errorf("%s, %q, power %d", s.VMState, s.TaskState, s.PowerState)
	}
}

func TestDeletedServersHoldTheirAddresses(t *testing.T) {
	r := newRig(t, 1).withCloud()
	c := aServer()
	c.Items[0].NICs[0].FixedIP = "10.0.0.9"
	r.must(r.demo(), c)
	r.must(r.leader(), exampleServersPlace())
	p := r.View().Permit(cloudServer)
	r.must(r.demo(), exampleServerDelete())
	v := r.View()
	if a := v.FixedAddress(cloudNet, "10.0.0.9"); a == nil || a.HeldBy != cloudServer {
		t.Fatalf("the address is held by %+v, want the deleted server", a)
	}
	if v.Used(demoProject, "instances") != 0 || v.Used(demoProject, "port") != 0 || v.Host(cloudHost).Guests != 1 {
		t.Error("the quota must be given back at once, the host's claim not yet")
	}
	port := examplePortCreate()
	port.ProjectID = demoProject
	r.refused(r.demo(), port, errs.Conflict, "")

	// Even a new subnet of the same range must not give it away.
	r.must(r.demo(), exampleSubnetDelete())
	s := exampleSubnetCreate()
	s.ProjectID = demoProject
	r.must(r.demo(), s)
	r.refused(r.demo(), port, errs.Conflict, "")

	r.report(p.Number, "running")
	r.report(p.Number-1, "removed")
	if r.View().FixedAddress(cloudNet, "10.0.0.9") == nil {
		t.Fatal("the address was freed before its guest was gone")
	}
	r.report(p.Number, "removed")
	v = r.View()
	if v.FixedAddress(cloudNet, "10.0.0.9") != nil || v.Host(cloudHost).Guests != 0 || v.Permit(cloudServer) != nil || !v.Tombstone(cloudServer).Confirmed {
		t.Error("the guest is gone and yet something of it is held")
	}
	r.must(r.demo(), port)
	if err := audit(r.View()); err != nil {
		t.Error(err)
	}
}

func TestANetworkGoesWithWhatDeletedServersHold(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	r.must(r.demo(), exampleServerDelete())
	r.must(r.demo(), exampleNetworkDelete())
	r.report(p.Number, "removed")
	if err := audit(r.View()); err != nil {
		t.Error(err)
	}
}

func TestTombstonesExpire(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	r.must(r.demo(), exampleServerDelete())
	left := func() bool { return r.View().Tombstone(cloudServer) != nil }
	r.stamp.At += TombstoneKeep + 10e9
	r.must(r.leader(), exampleExpire())
	if !left() {
		t.Fatal("a tombstone went that its host had not confirmed")
	}
	r.report(p.Number, "removed")
	r.must(r.leader(), exampleExpire())
	if left() {
		t.Error("the tombstone is still there")
	}
	for a := range r.View().ServerActions(cloudServer) {
		t.Errorf("action %s outlived its server", a.Action)
	}
}

func TestForeignServers(t *testing.T) {
	r := newRig(t, 1).withCloud()
	c := aServer()
	c.ProjectID, c.UserID, c.Items[0].NICs = adminProject, adminUser, nil
	r.must(r.admin(), c)
	for _, c := range []Command{exampleServerDelete(), exampleServerUpdate(), exampleServerPower(), exampleServerReboot()} {
		r.refused(r.demo(), c, errs.NotFound, "Instance 00000000-0000-4000-8000-000000000001 could not be found.")
	}
	r.refused(r.admin(), exampleServerPower(), errs.Conflict,
		"Cannot 'stop' instance 00000000-0000-4000-8000-000000000001 while it is in task_state scheduling")
}

func TestCheckpointIsChecked(t *testing.T) {
	r := newRig(t, 1)
	for range 3 {
		r.must(r.leader(), exampleExpire())
	}
	good := StateCheckpoint{Index: 2, Schema: 1, Hash: "000102030405060708090a0b0c0d0e0f"}
	future, short := good, good
	future.Index, short.Hash = 1000, "00"
	before := r.View().Hash()
	r.must(r.leader(), &good)
	if r.View().Hash() != before {
		t.Error("a checkpoint changed the state")
	}
	r.refused(r.leader(), &future, errs.Invalid, "")
	r.refused(r.leader(), &short, errs.Invalid, "")
}

// A host says how much of it may be promised, within bounds; what it does not
// say stays as it was.
func TestHostRatios(t *testing.T) {
	r := newRig(t, 1).withCloud()
	c := exampleHostRegister()
	ratios := func() [3]int {
		h := r.View().Host(cloudHost)
		return [3]int{h.VCPURatio, h.RAMRatio, h.DiskRatio}
	}
	if got := ratios(); got != [3]int{400, 100, 100} {
		t.Errorf("a host that names none: %v", got)
	}
	for _, row := range []struct{ vcpu, ram, disk int }{{9, 0, 0}, {0, 10001, 0}, {0, 0, -1}, {0, 1 << 40, 0}} {
		c.VCPURatio, c.RAMRatio, c.DiskRatio = row.vcpu, row.ram, row.disk
		r.refused(hostActor(cloudHost), c, errs.Invalid, "a host's ratios must be from 10 to 10000 hundredths")
	}
	c.VCPURatio, c.RAMRatio, c.DiskRatio = 1600, 150, 0
	r.must(hostActor(cloudHost), c)
	if got := ratios(); got != [3]int{1600, 150, 100} {
		t.Errorf("named: %v", got)
	}
	// 16384 MiB, one and a half times.
	if _, ram, _ := r.View().Host(cloudHost).Room(); ram != 24576 {
		t.Errorf("room for %d MiB", ram)
	}
	c.VCPURatio, c.RAMRatio = 0, 50
	r.must(hostActor(cloudHost), c)
	if got := ratios(); got != [3]int{1600, 50, 100} {
		t.Errorf("named in part: %v", got)
	}
}
