package command

import (
	"testing"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// plain is a host as its registration left it: without when that was.
func plain(h *model.Host) model.Host {
	p := *h.Clone()
	p.UpdatedAt, p.Archs = 0, nil
	return p
}

// TestRegistrationsComeTwiceAndLate: a registration that is repeated, also
// through another control node and so under another request id, changes nothing;
// neither does one that comes after a newer one.
func TestRegistrationsComeTwiceAndLate(t *testing.T) {
	r := newRig(t, 1)
	say := func(seq uint64, vcpus int, boot string) *HostRegister {
		return &HostRegister{ID: cloudHost, Name: "h1", VCPUs: vcpus, RAM: 4096, Disk: 10, BootID: boot, Seq: seq}
	}
	for _, step := range []struct {
		name  string
		say   *HostRegister
		vcpus int
		boot  string
	}{
		{"the first", say(5, 4, "b1"), 4, "b1"},
		{"again", say(5, 4, "b1"), 4, "b1"},
		{"after another boot", say(9, 8, "b2"), 8, "b2"},
		{"the first, late", say(5, 4, "b1"), 8, "b2"},
		{"of a host that does not number", say(0, 2, "b3"), 2, "b3"},
		{"the second, late", say(9, 8, "b2"), 2, "b3"},
		{"a new one", say(10, 6, "b4"), 6, "b4"},
	} {
		ids := r.must(hostActor(cloudHost), step.say)
		h := r.View().Host(cloudHost)
		if len(ids) != 1 || ids[0] != string(cloudHost) || h.VCPUs != step.vcpus || h.BootID != step.boot {
			t.Errorf("%s: %v, %+v", step.name, ids, h)
		}
	}
}

// TestReportsComeTwiceAndLate: what a host saw counts once, also if it is told
// through two control nodes; what it saw before that, not at all.
func TestReportsComeTwiceAndLate(t *testing.T) {
	r := newRig(t, 1).withCloud()
	p := r.placed()
	say := func(seq uint64, st assign.State) {
		t.Helper()
		r.must(hostActor(cloudHost), &HostReport{HostID: cloudHost, Seq: seq,
			Guests: []GuestObserved{{ID: cloudServer, Permit: p.Number, State: string(st), PowerEpoch: r.View().Server(cloudServer).PowerEpoch}}})
	}
	say(5, assign.Running)
	server, host := *r.View().Server(cloudServer), plain(r.View().Host(cloudHost))
	if server.VMState != model.Active {
		t.Fatalf("reported running, and is %s", server.VMState)
	}
	hash := r.View().Hash()
	say(5, assign.Running)
	if r.View().Hash() != hash {
		t.Errorf("a repetition changed the state: %+v, was %+v", r.View().Server(cloudServer), server)
	}
	r.must(r.demo(), &ServerDelete{ID: cloudServer})
	say6 := &HostReport{HostID: cloudHost, Seq: 6, Guests: []GuestObserved{{ID: cloudServer, Permit: p.Number, State: string(assign.Removed)}}}
	for range 2 {
		r.must(hostActor(cloudHost), say6)
		h := plain(r.View().Host(cloudHost))
		if h.UsedRAM != 0 || h.Guests != 0 || h.Reported != 6 {
			t.Errorf("the claim was given back not once: %+v, was %+v", h, host)
		}
	}
	hash = r.View().Hash()
	r.must(hostActor(cloudHost), &HostReport{HostID: cloudHost, Seq: 5, Guests: []GuestObserved{{ID: cloudServer, Permit: p.Number, State: string(assign.Running)}}})
	if r.View().Hash() != hash {
		t.Error("a late one changed the state")
	}
}
