package hostagent_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// TestLife is a guest's whole life on a host with one thread.
func TestLife(t *testing.T) {
	r := newRig(t, false, nil)
	g := guest(1)
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Running)
	if len(r.plane.register) != 1 || r.plane.register[0].HostID != theHost || r.plane.register[0].VCPUs == 0 {
		t.Errorf("registered %+v", r.plane.register)
	}
	out, err := r.agent.Console(context.Background(), g.ID, 1<<20)
	if err != nil || !bytes.Contains(out, []byte("instance-id: guest-1")) {
		t.Errorf("console %q, %v", out, err)
	}

	g.RebootEpoch = 1
	r.plane.put(g)
	r.until("soft reboot", func() bool { return r.plane.saw(g.ID).RebootEpoch == 1 })
	g.RebootEpoch, g.RebootHard = 2, true
	r.plane.put(g)
	r.until("hard reboot", func() bool { return r.plane.saw(g.ID).RebootEpoch == 2 })
	if acts := r.acts(); acts["start"] != 3 || acts["kill"] != 1 || acts["define"] != 2 || acts["shutdown"] != 1 {
		t.Errorf("acts %v", acts)
	}

	r.driver.StopSelf(g.ID)
	r.wantSeen(g.ID, assign.Shutoff)
	if o := r.plane.saw(g.ID); !o.StoppedItself {
		t.Errorf("observed %+v", o)
	}
	g.PowerEpoch = 2
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Running)

	g.Power = assign.Off
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Shutoff)
	if o := r.plane.saw(g.ID); o.StoppedItself || o.Fault != "" {
		t.Errorf("observed %+v", o)
	}
	g.Power = assign.Gone
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Removed)
	r.plane.put()
	r.until("forgotten", func() bool { return len(r.agent.Ledger().IDs()) == 0 && r.agent.Counts().Guests == 0 })
	if left, err := r.disk.List(); err != nil || len(left) != 2 {
		t.Errorf("the ledger keeps %v, %v", left, err)
	}
}

// TestDeafGuestIsKilled: StopTimeout bounds a guest that does not listen.
func TestDeafGuestIsKilled(t *testing.T) {
	r := newRig(t, false, func(o *sim.Options) { o.Faults.Deaf = 1 })
	g := guest(1)
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Running)
	g.Power = assign.Off
	r.plane.put(g)
	since := r.clock.Mono()
	r.wantSeen(g.ID, assign.Shutoff)
	if took := r.clock.Mono() - since; took < time.Minute || took > 2*time.Minute || r.acts()["kill"] != 1 {
		t.Errorf("killed after %v: %v", took, r.acts())
	}
}

// TestRestartDisturbsNothing: an agent that comes back adopts what runs, with
// and without its ledger, and says it once more: what the control plane heard
// last may be what nobody acknowledged.
func TestRestartDisturbsNothing(t *testing.T) {
	for _, lost := range []bool{false, true} {
		r := newRig(t, false, nil)
		g := guest(1)
		g.RebootEpoch, g.RebootHard = 4, true
		r.plane.put(g, guest(2))
		r.wantSeen("guest-1", assign.Running)
		r.wantSeen("guest-2", assign.Running)
		r.rest()
		acts, reports := r.acts(), r.plane.reports
		if lost {
			r.disk = hostagent.NewMemDisk()
		}
		r.restart()
		r.rest()
		r.clock.Advance(time.Hour)
		r.rest()
		if !maps.Equal(acts, r.acts()) {
			t.Errorf("ledger lost %v: acts %v, then %v", lost, acts, r.acts())
		}
		if again := r.plane.reports - reports; again != 1 {
			t.Errorf("ledger lost %v: reported %d times again", lost, again)
		}
	}
}

// TestWithoutControlPlane: guests run on and stop as was wished; none is started
// before the control plane has spoken to this agent.
func TestWithoutControlPlane(t *testing.T) {
	r := newRig(t, false, nil)
	g := guest(1)
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Running)
	r.plane.setDown(true)
	r.driver.CrashGuest(g.ID)
	r.until("restarted alone", func() bool { return r.state(g.ID) == assign.Running })

	r.driver.CrashHost()
	r.restart()
	for range 20 {
		r.rest()
		r.clock.Advance(time.Minute)
	}
	if s := r.state(g.ID); s != assign.Shutoff {
		t.Fatalf("unconfirmed and %s", s)
	}
	if ok, reason := r.net.Ready(g.NICs[0].PortID); !ok {
		t.Errorf("the network was not kept: %s", reason)
	}
	r.plane.setDown(false)
	r.until("started when confirmed", func() bool { return r.state(g.ID) == assign.Running })
}

// TestQuarantine: a guest that the control plane does not know is left alone,
// counted, and keeps its images.
func TestQuarantine(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.put(guest(1), guest(2))
	r.wantSeen("guest-1", assign.Running)
	r.wantSeen("guest-2", assign.Running)
	r.plane.put(guest(2))
	r.rest()
	acts := r.acts()
	r.clock.Advance(time.Hour)
	r.rest()
	if r.state("guest-1") != assign.Running || !maps.Equal(acts, r.acts()) {
		t.Errorf("guest-1 is %s; %v", r.state("guest-1"), r.acts())
	}
	if n := r.agent.Counts(); n.Quarantined != 1 || n.Guests != 2 {
		t.Errorf("counts %+v", n)
	}
	if !r.agent.Ledger().Images()["aa"] {
		t.Error("its image may be pruned")
	}
}

// TestFaultIsTold: what fails for good is told once and tried again by a new
// wish only; what may pass is tried until it does.
func TestFaultIsTold(t *testing.T) {
	r := newRig(t, false, nil)
	g := guest(1)
	r.driver.FailNext("start", errs.Errorf("test", errs.Busy, "Later."), 5)
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Running)
	if n := r.agent.Counts(); n.Failures[hostagent.Start] != 5 {
		t.Errorf("counts %+v", n)
	}

	g2 := guest(2)
	r.driver.FailNext("define", errs.Errorf("test", errs.Invalid, "No such machine type."), 1)
	r.plane.put(g, g2)
	r.until("fault", func() bool { return r.plane.saw(g2.ID).Fault == "No such machine type." })
	r.clock.Advance(time.Hour)
	r.rest()
	r.restart() // a fault outlives the agent
	r.rest()
	if s := r.state(g2.ID); s != assign.Missing {
		t.Errorf("tried again: %s", s)
	}
	g2.PowerEpoch++
	r.plane.put(g, g2)
	r.wantSeen(g2.ID, assign.Running)
	if o := r.plane.saw(g2.ID); o.Fault != "" {
		t.Errorf("observed %+v", o)
	}
}

// TestNoActWithoutLedger: if the intent cannot be stored nothing is done.
func TestNoActWithoutLedger(t *testing.T) {
	r := newRig(t, false, nil)
	g := guest(1)
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Running)
	r.disk.Fail(errors.New("no space left"))
	g.RebootEpoch, g.RebootHard = 1, true
	r.plane.put(g)
	acts := r.acts()
	for range 5 {
		r.round()
		r.clock.Advance(time.Minute)
	}
	if !maps.Equal(acts, r.acts()) {
		t.Errorf("acts %v, then %v", acts, r.acts())
	}
	r.disk.Fail(nil)
	r.until("reboot", func() bool { return r.plane.saw(g.ID).RebootEpoch == 1 })
}

// TestResyncAfterAbsence: a control plane that comes back with another desired
// state is told everything once more.
func TestResyncAfterAbsence(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.put(guest(1), guest(2))
	r.wantSeen("guest-1", assign.Running)
	r.wantSeen("guest-2", assign.Running)
	r.rest()
	r.plane.setDown(true)
	r.rest()
	r.plane.setDown(false)
	clear(r.plane.seen)
	r.rest()
	if len(r.plane.seen) != 0 {
		t.Fatalf("told again although nothing changed: %v", r.plane.seen)
	}
	r.plane.setDown(true)
	r.rest()
	r.plane.setDown(false)
	r.plane.put(guest(1), guest(2), guest(3))
	r.wantSeen("guest-1", assign.Running)
	r.wantSeen("guest-2", assign.Running)
}

// TestRefusedReportBlocksNobody: one guest's report that is refused for good is
// dropped, the others' arrive.
func TestRefusedReportBlocksNobody(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.refuse["guest-2"] = true
	r.plane.put(guest(1), guest(2), guest(3))
	r.wantSeen("guest-1", assign.Running)
	r.wantSeen("guest-3", assign.Running)
	r.rest()
	if n := r.agent.Counts(); n.Dropped == 0 {
		t.Errorf("counts %+v", n)
	}
}

// TestCapacityChangeIsTold: the host registers again when it offers another
// capacity.
func TestCapacityChangeIsTold(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.put()
	r.rest()
	r.driver.SetCapacity(assign.Capacity{VCPUs: 8})
	r.rest()
	if n := len(r.plane.register); n != 2 || r.plane.register[1].VCPUs != 8 {
		t.Fatalf("registered %+v", r.plane.register)
	}
	r.restart()
	r.rest()
	if a, b, c := r.plane.register[0].Seq, r.plane.register[1].Seq, r.plane.register[2].Seq; a == 0 || b <= a || c <= b {
		t.Errorf("numbered %d, %d and, after a restart, %d", a, b, c)
	}
}

// TestUnderFaults: a host on which calls fail and events are lost still gets
// there, and does the same for the same seed.
func TestUnderFaults(t *testing.T) {
	run := func(seed uint64) string {
		var trace bytes.Buffer
		r := newRig(t, false, func(o *sim.Options) {
			o.Seed = seed
			o.Faults = sim.Faults{Call: 4, CallAfter: 5, LoseEvent: 2, Deaf: 3}
			o.Trace = func(op, id string, err error) {
				trace.WriteString(op + " " + id + " " + errs.KindOf(err).String() + "\n")
			}
		})
		gs := []assign.Guest{guest(1), guest(2), guest(3)}
		r.plane.put(gs...)
		for _, g := range gs {
			r.wantSeen(g.ID, assign.Running)
		}
		gs[0].Power, gs[1].Power, gs[2].RebootEpoch = assign.Off, assign.Gone, 1
		r.plane.put(gs...)
		r.wantSeen("guest-1", assign.Shutoff)
		r.wantSeen("guest-2", assign.Removed)
		r.until("reboot", func() bool { return r.plane.saw("guest-3").RebootEpoch == 1 })
		return trace.String()
	}
	for seed := range uint64(8) {
		if first := run(seed); first != run(seed) {
			t.Errorf("seed %d: two runs differ", seed)
		}
	}
}

// TestReportsAreNumberedOverLives: a report of an agent has a higher number than
// every one of the agents before it, also if the clock went back.
func TestReportsAreNumberedOverLives(t *testing.T) {
	r := newRig(t, false, nil)
	r.plane.put(guest(1))
	r.wantSeen("guest-1", assign.Running)
	first := r.plane.lastSeq
	r.clock = clock.NewFake(noon.Add(-time.Hour))
	r.restart()
	g := guest(1)
	g.Power = assign.Off
	r.plane.put(g)
	r.wantSeen(g.ID, assign.Shutoff)
	if first == 0 || r.plane.lastSeq <= first {
		t.Errorf("numbers of reports: %d, then %d", first, r.plane.lastSeq)
	}
}
