package fsm

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const (
	project = model.ProjectID("000000000000000000000000000000a1")
	user    = model.UserID("000000000000000000000000000000b1")
)

// rig drives a machine as the log would.
type rig struct {
	t     *testing.T
	m     *Machine
	index uint64
	log   []Entry
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, m: New(true)}
	if res := r.do("init", command.By{System: command.Bootstrap}, command.Example("cluster.init/1")); res.Err != nil {
		t.Fatal(res.Err)
	}
	return r
}

func (r *rig) do(id string, by command.By, c command.Command) Result {
	r.t.Helper()
	data, err := command.Encode(command.Envelope{ID: id, By: by, Command: c})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.raw(data)
}

func (r *rig) raw(data []byte) Result {
	r.index++
	e := Entry{Index: r.index, Term: 3, At: int64(r.index) * 1e9, Data: data}
	r.log = append(r.log, e)
	return r.m.ApplyBatch([]Entry{e})[0]
}

func admin() command.By {
	return command.By{UserID: user, ProjectID: project, Admin: true, UserEpoch: 1, ProjectEpoch: 1}
}

func flavor(name string) *command.FlavorCreate {
	return &command.FlavorCreate{ID: model.FlavorID("id-" + name), Name: name, VCPUs: 1, RAM: 64, Disk: 1}
}

func TestARepeatedRequestGetsItsFirstAnswer(t *testing.T) {
	r := newRig(t)
	first := r.do("req-1", admin(), flavor("a"))
	again := r.do("req-1", admin(), flavor("a"))
	if first.Err != nil || again.Err != nil || again.Index != first.Index {
		t.Errorf("first %+v, again %+v", first, again)
	}
	if other := r.do("req-1", admin(), flavor("b")); !errs.Is(other.Err, errs.Conflict) {
		t.Errorf("the same id for something else: %v", other.Err)
	}
	if r.m.View().FlavorNamed("b") != nil {
		t.Error("it was done all the same")
	}
	refused := r.do("req-2", admin(), flavor("a"))
	repeated := r.do("req-2", admin(), flavor("a"))
	if refused.Err == nil || errs.KindOf(repeated.Err) != errs.KindOf(refused.Err) || errs.Message(repeated.Err) != errs.Message(refused.Err) {
		t.Errorf("a refusal is not remembered: %v, then %v", refused.Err, repeated.Err)
	}
}

func TestARefusedCommandLeavesNoTrace(t *testing.T) {
	r := newRig(t)
	before := r.m.View().Hash()
	c := command.Example("server.create/1").(*command.ServerCreate)
	if res := r.do("", admin(), c); res.Err == nil {
		t.Fatal("a server was made from an image that is not there")
	}
	if r.m.View().Hash() != before {
		t.Error("the state changed")
	}
}

func TestOnlyTheLeaderOfTheTermMayPlace(t *testing.T) {
	r := newRig(t)
	res := r.do("", command.By{System: command.Leader, Term: 2}, command.Example("servers.place/1"))
	if !errs.Is(res.Err, errs.Conflict) || !strings.Contains(errs.Message(res.Err), "term 2") {
		t.Errorf("a deposed leader's duty: %v", res.Err)
	}
}

func TestOldEpochsAreRefused(t *testing.T) {
	r := newRig(t)
	name := "renamed"
	if res := r.do("", admin(), &command.ProjectUpdate{ID: project, Name: &name}); res.Err != nil {
		t.Fatal(res.Err)
	}
	if res := r.do("", admin(), flavor("late")); !errs.Is(res.Err, errs.Unauthorized) {
		t.Errorf("authorized before the project changed: %v", res.Err)
	}
	by := admin()
	by.ProjectEpoch = r.m.View().Project(project).Epoch
	if res := r.do("", by, flavor("late")); res.Err != nil {
		t.Errorf("with the present epoch: %v", res.Err)
	}
}

func TestWhatCannotBeReadStopsTheNode(t *testing.T) {
	good, err := command.Encode(command.Envelope{By: admin(), Command: flavor("x")})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"unknown kind":  bytes.Replace(good, []byte("flavor.create/1"), []byte("flavor.create/9"), 1),
		"unknown field": bytes.Replace(good, []byte(`"vcpus"`), []byte(`"vcpuz"`), 1),
		"no line break": []byte("{}"),
		"empty":         nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			defer func() {
				if recover() == nil {
					t.Error("the entry was skipped")
				}
			}()
			r.raw(data)
		})
	}
}

func TestADivergedNodeStops(t *testing.T) {
	r := newRig(t)
	leader := command.By{System: command.Leader, Term: 3}
	own := r.m.View()
	ok := r.do("", leader, &command.StateCheckpoint{Index: own.Index, Schema: 1, Hash: own.Hash().String()})
	if ok.Err != nil {
		t.Fatal(ok.Err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a node with another hash goes on")
		}
	}()
	r.do("", leader, &command.StateCheckpoint{Index: own.Index, Schema: 1, Hash: strings.Repeat("0", 32)})
}

func TestSnapshotEqualsReplay(t *testing.T) {
	r := newRig(t)
	for _, name := range []string{"a", "b", "c"} {
		r.do("req-"+name, admin(), flavor(name))
	}
	var file bytes.Buffer
	if _, err := r.m.Snapshot().WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	restored, replayed := New(true), New(true)
	if err := restored.Restore(bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	replayed.ApplyBatch(r.log)
	want := r.m.View()
	for name, m := range map[string]*Machine{"restored": restored, "replayed": replayed} {
		if got := m.View(); got.Hash() != want.Hash() || got.Stamp != want.Stamp {
			t.Errorf("%s: %v %v, want %v %v", name, got.Stamp, got.Hash(), want.Stamp, want.Hash())
		}
	}
	damaged := bytes.Replace(file.Bytes(), []byte(`"name":"b"`), []byte(`"name":"z"`), 1)
	before := restored.View().Hash()
	if err := restored.Restore(bytes.NewReader(damaged)); err == nil {
		t.Error("a damaged snapshot was taken")
	}
	if restored.View().Hash() != before {
		t.Error("a refused snapshot changed the state")
	}
}

func TestAnswersAreForgotten(t *testing.T) {
	r := newRig(t)
	r.do("old", admin(), flavor("a"))
	r.index += 700 // more than ten minutes later
	for _, name := range []string{"b", "c", "d"} {
		r.do("new-"+name, admin(), flavor(name))
	}
	if again := r.do("new-d", admin(), flavor("d")); again.Err != nil {
		t.Errorf("a young answer is gone: %v", again.Err)
	}
	if again := r.do("old", admin(), flavor("a")); again.Err == nil {
		t.Error("an answer is kept beyond its time")
	}
}
