package hostagent_test

import (
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
)

// noon is when the rows of the table happen.
var noon = time.Unix(1_000_000, 0)

func ago(d time.Duration) int64 { return noon.Add(-d).UnixNano() }

// scene is one row's world: a guest wanted on under permit 7 and power epoch 1,
// defined, off, with all that it needs; rows change it.
type scene struct {
	want hostagent.Want
	obs  hostagent.Observation
	rec  hostagent.Record
}

func newScene() *scene {
	s := &scene{
		want: hostagent.Want{Known: true, Confirmed: true, Definition: "d1",
			Guest: assign.Guest{ID: "g", Num: 1, Permit: 7, Power: assign.On, PowerEpoch: 1}},
		obs: hostagent.Observation{Prepared: true, Plugged: true,
			Have: hostagent.Have{ID: "g", Num: 1, State: assign.Shutoff, Permit: 7}},
	}
	s.rec = hostagent.Record{ID: "g", Defined: "d1"}
	return s
}

func (s *scene) running() {
	s.obs.State, s.obs.Boot = assign.Running, "b1"
	s.rec.PowerEpoch = 1
}

// told makes the control plane know what a guest at rest looks like.
func (s *scene) told(state assign.State) {
	s.rec.Offered = assign.Observed{ID: "g", Permit: 7, State: state, PowerEpoch: s.rec.PowerEpoch,
		RebootEpoch: s.rec.RebootDone}
}

type row struct {
	name string
	make func(*scene)
	step hostagent.StepKind
	wake time.Duration // from noon; 0 = none
	then func(*testing.T, hostagent.Step)
}

func runRows(t *testing.T, rows []row) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := newScene()
			s.rec.Wish = hostagent.Wish{}
			r.make(s)
			if s.rec.Wish == (hostagent.Wish{}) {
				s.rec.Wish = s.want.Wish()
			}
			step, ok := hostagent.DefaultRules().Next(s.want, s.obs, s.rec, noon)
			if step.Kind != r.step || ok != (r.step != hostagent.None) {
				t.Fatalf("step %q (%v), want %q", step.Kind, ok, r.step)
			}
			wake := time.Duration(0)
			if !step.Wake.IsZero() {
				wake = step.Wake.Sub(noon)
			}
			if wake != r.wake {
				t.Errorf("wake after %v, want %v", wake, r.wake)
			}
			if r.then != nil {
				r.then(t, step)
			}
		})
	}
}

// TestBirth follows a guest from nothing to a running one.
func TestBirth(t *testing.T) {
	missing := func(s *scene) { s.rec, s.obs.State, s.obs.Permit = hostagent.Record{}, assign.Missing, 0 }
	runRows(t, []row{
		{name: "not confirmed: wait", make: func(s *scene) { missing(s); s.want.Confirmed = false }},
		{name: "images first", make: func(s *scene) { missing(s); s.obs.Prepared = false }, step: hostagent.Prepare},
		{name: "then the domain", make: missing, step: hostagent.Define, then: func(t *testing.T, s hostagent.Step) {
			if s.Before.Defined != "" || s.After.Defined != "d1" {
				t.Errorf("defined before %q, after %q", s.Before.Defined, s.After.Defined)
			}
		}},
		{name: "then the network", make: func(s *scene) { s.obs.Plugged = false }, step: hostagent.PlugNetwork},
		{name: "then it starts", make: func(*scene) {}, step: hostagent.Start, then: func(t *testing.T, s hostagent.Step) {
			if s.Before.PowerEpoch != 0 || s.After.PowerEpoch != 1 {
				t.Errorf("power epoch before %d, after %d", s.Before.PowerEpoch, s.After.PowerEpoch)
			}
		}},
		{name: "then it is told", make: (*scene).running, step: hostagent.Report, then: func(t *testing.T, s hostagent.Step) {
			want := assign.Observed{ID: "g", Permit: 7, State: assign.Running, PowerEpoch: 1}
			if s.Observed != want || s.After.Offered != want {
				t.Errorf("observed %+v", s.Observed)
			}
		}},
		{name: "then there is rest", make: func(s *scene) { s.running(); s.told(assign.Running) }},
		{name: "a wish of another kind is nothing", make: func(s *scene) { s.want.Guest.Power = "hibernate"; s.told(assign.Shutoff) }},
	})
}

// TestPermit: the law that a guest starts only by its permit, confirmed.
func TestPermit(t *testing.T) {
	runRows(t, []row{
		{name: "defined under another permit: define anew", make: func(s *scene) { s.obs.Permit = 5 }, step: hostagent.Define},
		{name: "of unknown permit: define anew", make: func(s *scene) { s.obs.Permit = 0 }, step: hostagent.Define},
		{name: "running under another: not disturbed",
			make: func(s *scene) { s.running(); s.obs.Permit = 5; s.told(assign.Running) }},
		{name: "off under another: define anew, stay off", make: func(s *scene) { s.obs.Permit = 5; s.want.Guest.Power = assign.Off }, step: hostagent.Define},
		{name: "a stale definition: define before the start", make: func(s *scene) { s.rec.Defined = "d0" }, step: hostagent.Define},
		{name: "a stale definition of a running guest waits",
			make: func(s *scene) { s.running(); s.rec.Defined = "d0"; s.told(assign.Running) }},
		{name: "not confirmed: no start", make: func(s *scene) { s.want.Confirmed = false; s.told(assign.Shutoff) }},
		{name: "not confirmed: no reboot", make: func(s *scene) {
			s.running()
			s.told(assign.Running)
			s.want.Confirmed, s.want.Guest.RebootEpoch = false, 1
		}},
		{name: "not confirmed: what is to be off still goes off",
			make: func(s *scene) { s.running(); s.want.Confirmed, s.want.Guest.Power = false, assign.Off }, step: hostagent.Shutdown},
	})
}

// TestOff follows a guest that is to stop.
func TestOff(t *testing.T) {
	off := func(s *scene) { s.running(); s.want.Guest.Power = assign.Off; s.told(assign.Running) }
	asked := func(d time.Duration) func(*scene) {
		return func(s *scene) { off(s); s.rec.StopAt, s.rec.StopBoot = ago(d), "b1" }
	}
	runRows(t, []row{
		{name: "asked first", make: off, step: hostagent.Shutdown, then: func(t *testing.T, s hostagent.Step) {
			if s.Before.StopAt != noon.UnixNano() || s.Before.StopBoot != "b1" {
				t.Errorf("the stop is not noted before: %+v", s.Before)
			}
		}},
		{name: "given its time", make: asked(20 * time.Second), wake: 40 * time.Second},
		{name: "then killed", make: asked(time.Minute), step: hostagent.Kill},
		{name: "the clock went back: killed", make: asked(-time.Hour), step: hostagent.Kill},
		{name: "another boot is asked anew", make: func(s *scene) { asked(time.Hour)(s); s.obs.Boot = "b2" }, step: hostagent.Shutdown},
		{name: "a paused guest hears nothing: killed", make: func(s *scene) { off(s); s.obs.State = assign.Paused }, step: hostagent.Kill},
		{name: "off: told", make: func(s *scene) { off(s); s.obs.State, s.obs.Boot = assign.Shutoff, "" }, step: hostagent.Report},
		{name: "off and told: rest", make: func(s *scene) {
			off(s)
			s.obs.State, s.obs.Boot = assign.Shutoff, ""
			s.told(assign.Shutoff)
			s.rec.Offered.Off = true
		}},
		{name: "it was off already, and told so: told that this was wished", make: func(s *scene) {
			off(s)
			s.obs.State, s.obs.Boot = assign.Shutoff, ""
			s.told(assign.Shutoff)
		}, step: hostagent.Report},
		{name: "never made: made, not started", make: func(s *scene) { s.want.Guest.Power = assign.Off; s.obs.State = assign.Missing }, step: hostagent.Define},
		{name: "wanted on again while it stops: wait for it", make: func(s *scene) {
			asked(20 * time.Second)(s)
			s.want.Guest.Power, s.want.Guest.PowerEpoch = assign.On, 2
		}, wake: 40 * time.Second},
		{name: "and start it when it has", make: func(s *scene) {
			asked(20 * time.Second)(s)
			s.obs.State, s.obs.Boot, s.obs.StoppedByGuest = assign.Shutoff, "", true
			s.want.Guest.Power = assign.On
		}, step: hostagent.Start},
	})
}

// TestStoppedItself: a guest that switched itself off stays off until the user
// wishes otherwise.
func TestStoppedItself(t *testing.T) {
	stopped := func(s *scene) { s.rec.PowerEpoch = 1; s.obs.StoppedByGuest = true }
	runRows(t, []row{
		{name: "told, not started", make: stopped, step: hostagent.Report, then: func(t *testing.T, s hostagent.Step) {
			if !s.Observed.StoppedItself || s.Observed.State != assign.Shutoff || !s.Before.StoppedItself {
				t.Errorf("observed %+v, record %+v", s.Observed, s.Before)
			}
		}},
		{name: "the hypervisor forgot it: the record did not", make: func(s *scene) {
			s.rec.PowerEpoch, s.rec.StoppedItself = 1, true
			s.told(assign.Shutoff)
			s.rec.Offered.StoppedItself = true
		}},
		{name: "a new wish starts it", make: func(s *scene) { stopped(s); s.rec.StoppedItself = true; s.want.Guest.PowerEpoch = 2 }, step: hostagent.Start},
		{name: "a reboot starts it", make: func(s *scene) { stopped(s); s.want.Guest.RebootEpoch = 1 }, step: hostagent.Start},
		{name: "of an unknown domain it is believed", make: func(s *scene) { s.rec = hostagent.Record{}; s.obs.StoppedByGuest = true }, step: hostagent.Report},
		{name: "the host lost power: start", make: func(s *scene) { s.rec.PowerEpoch = 1 }, step: hostagent.Start},
	})
}

// TestReboot follows both kinds of reboot, and one that a restart cut.
func TestReboot(t *testing.T) {
	wished := func(hard bool) func(*scene) {
		return func(s *scene) {
			s.running()
			s.told(assign.Running)
			s.want.Guest.RebootEpoch, s.want.Guest.RebootHard = 1, hard
		}
	}
	taken := func(d time.Duration, killed bool) func(*scene) {
		return func(s *scene) {
			wished(killed)(s)
			s.rec.RebootTaken, s.rec.StopAt, s.rec.StopBoot, s.rec.Killed = 1, ago(d), "b1", killed
		}
	}
	done := func(t *testing.T, s hostagent.Step) {
		if s.Observed.RebootEpoch != 1 || s.Before.RebootDone != 1 {
			t.Errorf("not done: %+v", s)
		}
	}
	runRows(t, []row{
		{name: "soft: asked, and taken before", make: wished(false), step: hostagent.Shutdown, then: func(t *testing.T, s hostagent.Step) {
			if s.Before.RebootTaken != 1 || s.Before.RebootDone != 0 || s.Before.Killed {
				t.Errorf("before: %+v", s.Before)
			}
		}},
		{name: "soft: given its time", make: taken(20*time.Second, false), wake: 40 * time.Second},
		{name: "soft: then killed", make: taken(time.Minute, false), step: hostagent.Kill, then: func(t *testing.T, s hostagent.Step) {
			if !s.Before.Killed {
				t.Error("the kill is not noted before it is done")
			}
		}},
		{name: "soft: obeyed, so started", make: func(s *scene) {
			taken(20*time.Second, false)(s)
			s.obs.State, s.obs.Boot, s.obs.StoppedByGuest = assign.Shutoff, "", true
		}, step: hostagent.Start, then: func(t *testing.T, s hostagent.Step) {
			if s.Before.RebootDone != 0 || s.After.RebootDone != 1 || s.After.StopAt != 0 {
				t.Errorf("before %+v, after %+v", s.Before, s.After)
			}
		}},
		{name: "hard: killed, and taken before", make: wished(true), step: hostagent.Kill, then: func(t *testing.T, s hostagent.Step) {
			if s.Before.RebootTaken != 1 || !s.Before.Killed || s.Before.Defined != "" {
				t.Errorf("before: %+v", s.Before)
			}
		}},
		{name: "hard: defined anew", make: func(s *scene) { taken(0, true)(s); s.obs.State, s.obs.Boot, s.rec.Defined = assign.Shutoff, "", "" }, step: hostagent.Define},
		{name: "hard: then started", make: func(s *scene) { taken(0, true)(s); s.obs.State, s.obs.Boot = assign.Shutoff, "" }, step: hostagent.Start},
		{name: "a new boot runs: done", make: func(s *scene) { taken(0, true)(s); s.obs.Boot = "b2" }, step: hostagent.Report, then: done},
		{name: "cut after the kill, it runs: not again, told", make: func(s *scene) { taken(0, true)(s); s.rec.Interrupted = true }, step: hostagent.Report, then: done},
		{name: "cut after the kill, it is off: finished", make: func(s *scene) {
			taken(0, true)(s)
			s.rec.Interrupted, s.obs.State, s.obs.Boot = true, assign.Shutoff, ""
		}, step: hostagent.Start},
		{name: "cut while asked: it keeps its time", make: func(s *scene) { taken(20*time.Second, false)(s); s.rec.Interrupted = true }, wake: 40 * time.Second},
		{name: "of an off guest: a start", make: func(s *scene) { s.want.Guest.RebootEpoch = 1 }, step: hostagent.Start},
		{name: "hard, of an off guest: defined first", make: func(s *scene) { s.want.Guest.RebootEpoch, s.want.Guest.RebootHard = 1, true }, step: hostagent.Define},
		{name: "off settles it", make: func(s *scene) {
			taken(0, false)(s)
			s.obs.State, s.obs.Boot, s.want.Guest.Power = assign.Shutoff, "", assign.Off
		}, step: hostagent.Report, then: done},
		{name: "an adopted guest is not rebooted", make: func(s *scene) { wished(true)(s); s.rec = hostagent.Record{} }, step: hostagent.Report, then: done},
	})
}

// TestGone follows a guest to its end, and one that nobody knows.
func TestGone(t *testing.T) {
	gone := func(s *scene) { s.want.Guest.Power = assign.Gone }
	runRows(t, []row{
		{name: "killed", make: func(s *scene) { s.running(); gone(s) }, step: hostagent.Kill},
		{name: "removed", make: gone, step: hostagent.Remove},
		{name: "leftovers of one never finished are removed", make: func(s *scene) { gone(s); s.obs.State = assign.Missing }, step: hostagent.Remove},
		{name: "told", make: func(s *scene) { gone(s); s.obs.State, s.rec.Removed = assign.Missing, true }, step: hostagent.Report, then: func(t *testing.T, s hostagent.Step) {
			if s.Observed.State != assign.Removed {
				t.Errorf("observed %+v", s.Observed)
			}
		}},
		{name: "told: rest", make: func(s *scene) {
			gone(s)
			s.obs.State, s.rec.Removed = assign.Missing, true
			s.told(assign.Removed)
		}},
		{name: "unknown and running: left alone", make: func(s *scene) { s.running(); s.want = hostagent.Want{} }},
		{name: "unknown and off: left alone", make: func(s *scene) { s.want = hostagent.Want{} }},
		{name: "unknown and no more: forgotten", make: func(s *scene) { s.want = hostagent.Want{}; s.obs.State = assign.Missing }, step: hostagent.Forget},
		{name: "never known, not here: nothing", make: func(s *scene) { *s = scene{obs: hostagent.Observation{Have: hostagent.Have{State: assign.Missing}}} }},
	})
}

// TestFailure: back off, give up, and what ends either.
func TestFailure(t *testing.T) {
	failed := func(n int, d time.Duration) func(*scene) {
		return func(s *scene) {
			s.rec.Failures, s.rec.FailedAt, s.rec.FailedStep = n, ago(d), hostagent.Start
			s.told(assign.Shutoff)
		}
	}
	fault := func(s *scene) { failed(1, 0)(s); s.rec.Fault = "No." }
	crashed := func(n int, d time.Duration) func(*scene) {
		return func(s *scene) {
			s.obs.State, s.rec.PowerEpoch = assign.Crashed, 1
			s.rec.Crashes, s.rec.StartedAt = n, ago(d)
			s.told(assign.Crashed)
		}
	}
	runRows(t, []row{
		{name: "first failure: a second", make: failed(1, 0), wake: time.Second},
		{name: "fourth: eight seconds", make: failed(4, time.Second), wake: 7 * time.Second},
		{name: "bounded", make: failed(40, 0), wake: time.Minute},
		{name: "then again", make: failed(4, 8*time.Second), step: hostagent.Start},
		{name: "a new wish does not wait", make: func(s *scene) { failed(4, 0)(s); s.rec.Wish = hostagent.Wish{Permit: 6} }, step: hostagent.Start},
		{name: "what it waited for is there", make: func(s *scene) { failed(4, 0)(s); s.rec.FailedStep = hostagent.PlugNetwork }, step: hostagent.Start},
		{name: "given up: told", make: fault, step: hostagent.Report, then: func(t *testing.T, s hostagent.Step) {
			if s.Observed.Fault != "No." || s.Observed.PowerEpoch != 1 {
				t.Errorf("observed %+v", s.Observed)
			}
		}},
		{name: "given up and told: rest for good", make: func(s *scene) {
			fault(s)
			s.rec.Offered.Fault, s.rec.Offered.PowerEpoch = "No.", 1
		}},
		{name: "a higher power epoch tries again", make: func(s *scene) {
			fault(s)
			s.rec.Wish = s.want.Wish()
			s.want.Guest.PowerEpoch = 2
		}, step: hostagent.Start},
		{name: "to go is never given up", make: func(s *scene) {
			fault(s)
			s.rec.FailedAt, s.want.Guest.Power = ago(time.Minute), assign.Gone
		}, step: hostagent.Remove},
		{name: "a crash: started again", make: crashed(0, time.Second), step: hostagent.Start, then: func(t *testing.T, s hostagent.Step) {
			if s.Before.Crashes != 1 || s.Before.StartedAt != noon.UnixNano() {
				t.Errorf("before %+v", s.Before)
			}
		}},
		{name: "the third crash waits", make: crashed(2, 0), wake: 2 * time.Second},
		{name: "the sixth is the end", make: crashed(5, time.Minute), step: hostagent.Report, then: func(t *testing.T, s hostagent.Step) {
			if s.Observed.Fault == "" || s.Before.Fault == "" {
				t.Errorf("no fault: %+v", s)
			}
		}},
		{name: "after a long run it counts anew", make: crashed(5, time.Hour), step: hostagent.Start},
	})
}
