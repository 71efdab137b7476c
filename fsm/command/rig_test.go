package command

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// rig applies commands to a store of its own, as the state machine does, and
// is the source of chance for workloads.
type rig struct {
	t     testing.TB
	store *state.Store
	rng   *rand.Rand
	stamp state.Stamp
}

// The admin of a fresh rig, its project, and a member of a project of its own.
const (
	adminUser    = model.UserID("000000000000000000000000000000b1")
	adminProject = model.ProjectID("000000000000000000000000000000a1")
	demoUser     = model.UserID("000000000000000000000000000000b2")
	demoProject  = model.ProjectID("000000000000000000000000000000a2")
	roleMember   = model.RoleID("000000000000000000000000000000c2")
)

func newRig(t testing.TB, seed uint64) *rig {
	t.Helper()
	r := &rig{t: t, store: state.NewStore(64), rng: rand.New(rand.NewPCG(seed, seed))}
	r.stamp = state.Stamp{Term: 1, At: 1e9}
	r.must(By{System: Bootstrap}, exampleClusterInit())
	return r
}

func (r *rig) View() state.View { return r.store.View() }
func (r *rig) Intn(n int) int   { return r.rng.IntN(n) }
func (r *rig) Hex() string      { return fmt.Sprintf("%016x%016x", r.rng.Uint64(), r.rng.Uint64()) }
func (r *rig) UUID() string {
	h := r.Hex()
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}

// apply takes a command through its encoding and applies it in the next entry,
// a second later.
func (r *rig) apply(by By, c Command) ([]string, error) {
	r.t.Helper()
	b, err := Encode(Envelope{ID: fmt.Sprintf("req-%d", r.stamp.Index+1), By: by, Command: c})
	if err != nil {
		r.t.Fatalf("%s: %v", c.Kind(), err)
	}
	return r.entry(state.Stamp{Index: r.stamp.Index + 1, Term: r.stamp.Term, At: r.stamp.At + 1e9}, b)
}

// entry applies one encoded entry.
func (r *rig) entry(at state.Stamp, b []byte) ([]string, error) {
	r.t.Helper()
	e, err := Decode(b)
	if err != nil {
		r.t.Fatalf("entry %d: %v", at.Index, err)
	}
	r.stamp = at
	tx := r.store.Begin(at)
	ids, err := e.Command.Apply(tx, Meta{Stamp: tx.Stamp, By: e.By, RequestID: e.ID})
	if err != nil {
		tx.Rollback()
	} else {
		tx.Commit()
	}
	r.store.Publish()
	return ids, err
}

func (r *rig) must(by By, c Command) []string {
	r.t.Helper()
	ids, err := r.apply(by, c)
	if err != nil {
		r.t.Fatalf("%s: %v", c.Kind(), err)
	}
	return ids
}

// refused expects a refusal of a kind; msg, if given, is the exact sentence.
func (r *rig) refused(by By, c Command, kind errs.Kind, msg string) {
	r.t.Helper()
	before := r.View().Hash()
	_, err := r.apply(by, c)
	if !errs.Is(err, kind) || msg != "" && errs.Message(err) != msg {
		r.t.Errorf("%s: %v\nwant %v: %s", c.Kind(), err, kind, msg)
	}
	if after := r.View().Hash(); after != before {
		r.t.Errorf("%s was refused and yet changed the state", c.Kind())
	}
}

func (r *rig) admin() By {
	by := asUser(r.View(), adminUser, adminProject)
	by.Admin = true
	return by
}

func (r *rig) demo() By { return asUser(r.View(), demoUser, demoProject) }

func (r *rig) leader() By { return By{System: Leader, Term: r.stamp.Term} }

// withDemo adds a second project with a member.
func (r *rig) withDemo() *rig {
	r.t.Helper()
	r.must(r.admin(), exampleProjectCreate())
	r.must(r.admin(), exampleUserCreate())
	r.must(r.admin(), exampleGrantPut())
	return r
}

// The things of a rig withCloud.
const (
	cloudImage   = model.ImageID("00000000-0000-4000-8000-0000000000d1")
	cloudNet     = model.NetworkID("00000000-0000-4000-8000-0000000000e1")
	cloudSubnet  = model.SubnetID("00000000-0000-4000-8000-0000000000e2")
	cloudRouter  = model.RouterID("00000000-0000-4000-8000-0000000000e4")
	cloudServer  = model.ServerID("00000000-0000-4000-8000-000000000001")
	cloudHost    = model.HostID("00000000-0000-4000-8000-0000000000f1")
	cloudHostTwo = model.HostID("00000000-0000-4000-8000-0000000000f2")
)

// withCloud adds, for the member's project, a network with a subnet, and an
// active public image and a host.
func (r *rig) withCloud() *rig {
	r.t.Helper()
	r.withDemo()
	r.must(r.admin(), exampleImageCreate())
	r.must(r.admin(), exampleImageUpload())
	n := exampleNetworkCreate()
	n.ProjectID = demoProject
	r.must(r.demo(), n)
	s := exampleSubnetCreate()
	s.ProjectID = demoProject
	r.must(r.demo(), s)
	r.must(hostActor(cloudHost), exampleHostRegister())
	return r
}

func hostActor(id model.HostID) By { return By{System: HostBy + string(id)} }

// aServer is the example server, for the member's project.
func aServer() *ServerCreate {
	c := exampleServerCreate()
	c.ProjectID, c.UserID = demoProject, demoUser
	return c
}

// placed makes the example server and gives it to the host.
func (r *rig) placed() *model.Permit {
	r.t.Helper()
	r.must(r.demo(), aServer())
	r.must(r.leader(), exampleServersPlace())
	return r.View().Permit(cloudServer)
}

// report lets the host say what it sees of the example server.
func (r *rig) report(permit uint64, st string) {
	r.t.Helper()
	r.must(hostActor(cloudHost), &HostReport{HostID: cloudHost,
		Guests: []GuestObserved{{ID: cloudServer, Permit: permit, State: st, PowerEpoch: 1}}})
}
