package command

import (
	"fmt"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// TestPrivateFlavors: who has no access makes no server of one, whatever its
// front door says.
func TestPrivateFlavors(t *testing.T) {
	r := newRig(t, 1).withCloud()
	r.must(r.admin(), exampleFlavorCreate())
	own := aServer()
	own.Size.FlavorID = "3"
	r.refused(r.demo(), own, errs.Invalid, "Flavor 3 could not be found.")
	r.refused(r.admin(), &FlavorAccess{ID: "3", ProjectID: "nope", Allow: true}, errs.Invalid, "Project ID nope is not a valid project.")
	r.refused(r.admin(), &FlavorAccess{ID: "9", ProjectID: demoProject, Allow: true}, errs.NotFound, "Flavor 9 could not be found.")
	r.refused(r.admin(), &FlavorAccess{ID: "3", ProjectID: demoProject}, errs.NotFound,
		"Flavor access not found for 3 / "+string(demoProject)+" combination.")
	r.must(r.admin(), exampleFlavorAccess())
	r.refused(r.admin(), exampleFlavorAccess(), errs.Conflict, "")
	r.must(r.admin(), &FlavorAccess{ID: "3", ProjectID: adminProject, Allow: true})
	if got := r.View().Flavor("3").Projects; len(got) != 2 || got[0] != adminProject {
		t.Errorf("open to %v", got)
	}
	r.must(r.demo(), own)
	r.must(r.admin(), &FlavorAccess{ID: "3", ProjectID: demoProject})
	again := aServer()
	again.Size.FlavorID, again.Items[0].ID, again.Items[0].NICs = "3", "00000000-0000-4000-8000-000000000011", nil
	r.refused(r.demo(), again, errs.Invalid, "Flavor 3 could not be found.")
	again.Size.FlavorID = "nope"
	r.refused(r.demo(), again, errs.Invalid, "Flavor nope could not be found.")
}

func TestFlavorsForgetProjects(t *testing.T) {
	r := newRig(t, 1).withDemo()
	r.must(r.admin(), exampleFlavorCreate())
	r.must(r.admin(), exampleFlavorAccess())
	r.must(r.admin(), exampleProjectDelete())
	if got := r.View().Flavor("3").Projects; len(got) != 0 {
		t.Errorf("open to %v, which is gone", got)
	}
}

func TestFlavorSpecs(t *testing.T) {
	r := newRig(t, 1)
	r.must(r.admin(), exampleFlavorSpecs())
	r.must(r.admin(), &FlavorSpecs{ID: "1", Set: map[string]string{"rack": "south", "x": ""}})
	r.must(r.admin(), &FlavorSpecs{ID: "1", Unset: "x"})
	r.refused(r.admin(), &FlavorSpecs{ID: "1", Unset: "x"}, errs.NotFound, "Flavor 1 has no extra specs with key x.")
	r.refused(r.admin(), &FlavorSpecs{ID: "1", Set: map[string]string{"a/b": "c"}}, errs.Invalid, "Invalid extra spec name 'a/b'")
	r.refused(r.admin(), &FlavorSpecs{ID: "9", Set: map[string]string{"a": "c"}}, errs.NotFound, "Flavor 9 could not be found.")
	many := map[string]string{}
	for i := range maxExtraSpecs {
		many[fmt.Sprint("k", i)] = "v"
	}
	r.refused(r.admin(), &FlavorSpecs{ID: "1", Set: many}, errs.Invalid, "")
	if got := fmt.Sprint(r.View().Flavor("1").ExtraSpecs); got != "map[hw:cpu_policy:shared rack:south]" {
		t.Errorf("specs %s", got)
	}
	r.must(r.admin(), exampleFlavorUpdate())
	r.must(r.admin(), &FlavorUpdate{ID: "1"})
	if got := r.View().Flavor("1").Description; got != "" {
		t.Errorf("description %q after it was taken away", got)
	}
}

// TestServersKeepTheNewestActions: what a client repeats for ever does not grow
// for ever.
func TestServersKeepTheNewestActions(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	r.report(p.Number, "running")
	for i := range 120 {
		r.must(r.demo(), &ServerReboot{ID: cloudServer, Hard: true})
		r.must(hostActor(cloudHost), &HostReport{HostID: cloudHost, Guests: []GuestObserved{{ID: cloudServer, Permit: p.Number, State: "running",
			PowerEpoch: 1, RebootEpoch: uint64(i + 1)}}})
	}
	actions := collect(r.View().ServerActions(cloudServer))
	if len(actions) != 100 {
		t.Errorf("%d actions, want the newest 100", len(actions))
	}
	for i, a := range actions {
		if a.Action != "reboot" || a.FinishedAt == 0 || i > 0 && a.Index <= actions[i-1].Index {
			t.Errorf("action %d is %+v", i, a)
		}
	}
	if s := r.View().Server(cloudServer); s.TaskState != "" || s.VMState != model.Active {
		t.Errorf("the server is %s %q", s.VMState, s.TaskState)
	}
}

func TestRolesComeAndGo(t *testing.T) {
	r := newRig(t, 1).withDemo()
	r.must(r.admin(), exampleRoleCreate())
	taken, free := "member", "watcher"
	r.refused(r.admin(), &RoleUpdate{ID: exampleRoleCreate().ID, Name: &taken}, errs.Conflict, "")
	r.must(r.admin(), &RoleUpdate{ID: exampleRoleCreate().ID, Name: &free})
	if r.View().RoleNamed("operator") != nil || r.View().RoleNamed("watcher") == nil {
		t.Error("the role was not renamed")
	}
	for _, c := range []Command{&RoleUpdate{ID: roleMember, Name: &free}, &RoleDelete{ID: roleMember}} {
		r.refused(r.admin(), c, errs.Forbidden, "")
	}
	r.refused(r.admin(), &RoleDelete{ID: "none"}, errs.NotFound, "Could not find role: none.")
	r.must(r.admin(), &GrantPut{UserID: demoUser, ProjectID: demoProject, RoleID: exampleRoleCreate().ID})
	before := r.View().User(demoUser).Epoch
	r.must(r.admin(), exampleRoleDelete())
	if n := len(collect(r.View().GrantsOf(demoUser))); n != 1 || r.View().User(demoUser).Epoch <= before {
		t.Errorf("%d grants are left, and the epoch is %d after %d", n, r.View().User(demoUser).Epoch, before)
	}
}
