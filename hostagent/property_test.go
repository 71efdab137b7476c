package hostagent_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// world is a model of a host with one guest: the least that a driver promises.
type world struct {
	t       *rapid.T
	rules   hostagent.Rules
	want    hostagent.Want
	obs     hostagent.Observation
	rec     hostagent.Record
	now     time.Time
	deaf    bool
	stopAt  time.Time
	faults  int // chances left to fail
	reports int
}

// do is the model of Hands.Do, with the laws that must hold at each step.
func (w *world) do(s hostagent.Step) error {
	if s.Kind != hostagent.Report && s.Kind != hostagent.Forget && w.faults > 0 && rapid.Bool().Draw(w.t, "fails") {
		w.faults--
		kind := rapid.SampledFrom([]errs.Kind{errs.Unavailable, errs.Busy, errs.Internal}).Draw(w.t, "kind")
		return errs.Errorf("model", kind, "It does not work.")
	}
	switch s.Kind {
	case hostagent.Prepare:
		w.obs.Prepared = true
	case hostagent.PlugNetwork:
		w.obs.Plugged = true
	case hostagent.Define:
		if w.up() {
			w.t.Fatal("a running guest was redefined")
		}
		w.obs.Permit = w.want.Guest.Permit
		if w.obs.State == assign.Missing {
			w.obs.State = assign.Shutoff
		}
	case hostagent.Start:
		w.start()
	case hostagent.Shutdown:
		if !w.deaf {
			w.stopAt = w.now.Add(5 * time.Second)
		}
	case hostagent.Kill:
		w.down(false)
	case hostagent.Remove:
		if w.want.Guest.Power != assign.Gone || w.up() {
			w.t.Fatalf("removed a guest that is %s and wanted %s", w.obs.State, w.want.Guest.Power)
		}
		w.obs.Have = hostagent.Have{ID: "g", State: assign.Missing}
	case hostagent.Report:
		w.reports++
	}
	return nil
}

func (w *world) up() bool { return w.obs.State == assign.Running || w.obs.State == assign.Paused }

func (w *world) start() {
	g := w.want.Guest
	switch {
	case !w.want.Known || !w.want.Confirmed || g.Power != assign.On:
		w.t.Fatalf("started without being wanted on: %+v", w.want)
	case w.obs.Permit != g.Permit:
		w.t.Fatalf("started under permit %d, wanted %d", w.obs.Permit, g.Permit)
	case !w.obs.Plugged || w.obs.State == assign.Missing:
		w.t.Fatal("started before it was ready")
	case w.up():
		w.t.Fatal("started while it runs")
	}
	w.obs.State, w.obs.StoppedByGuest = assign.Running, false
	w.obs.Boot += "+"
	w.stopAt = time.Time{}
}

func (w *world) down(byGuest bool) {
	w.obs.State, w.obs.StoppedByGuest, w.stopAt = assign.Shutoff, byGuest, time.Time{}
}

// settle turns until nothing moves, and returns how many steps that took.
func (w *world) settle() int {
	for steps := 0; ; steps++ {
		if steps > 200 {
			w.t.Fatalf("no rest after %d steps: want %+v\nobs %+v\nrec %+v", steps, w.want, w.obs, w.rec)
		}
		if !w.stopAt.IsZero() && !w.now.Before(w.stopAt) {
			w.down(true)
		}
		step, ok := w.rules.Next(w.want, w.obs, w.rec, w.now)
		if !ok {
			if step.Wake.IsZero() {
				return steps
			}
			if !step.Wake.After(w.now) {
				w.t.Fatal("asked to wake in the past")
			}
			w.now = step.Wake
			continue
		}
		if step.Kind == hostagent.Forget {
			w.rec = hostagent.Record{}
			continue
		}
		w.rec = w.rules.Outcome(step, w.do(step), w.now)
	}
}

func drawWant(t *rapid.T) hostagent.Want {
	small := rapid.Uint64Range(0, 3)
	return hostagent.Want{
		Known:      rapid.IntRange(0, 9).Draw(t, "known") > 0,
		Confirmed:  rapid.IntRange(0, 3).Draw(t, "confirmed") > 0,
		Definition: rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "definition"),
		Guest: assign.Guest{ID: "g", Permit: small.Draw(t, "permit") + 1,
			Power:      rapid.SampledFrom([]assign.Power{assign.On, assign.Off, assign.Gone}).Draw(t, "power"),
			PowerEpoch: small.Draw(t, "power epoch"), RebootEpoch: small.Draw(t, "reboot epoch"),
			RebootHard: rapid.Bool().Draw(t, "hard")},
	}
}

func drawWorld(t *rapid.T) *world {
	small := rapid.Uint64Range(0, 3)
	w := &world{t: t, rules: hostagent.DefaultRules(), now: noon, want: drawWant(t),
		deaf: rapid.Bool().Draw(t, "deaf"), faults: rapid.IntRange(0, 12).Draw(t, "faults")}
	w.obs = hostagent.Observation{Prepared: rapid.Bool().Draw(t, "prepared"), Plugged: rapid.Bool().Draw(t, "plugged")}
	w.obs.Have = hostagent.Have{ID: "g", Permit: small.Draw(t, "have permit"), State: rapid.SampledFrom([]assign.State{
		assign.Missing, assign.Running, assign.Shutoff, assign.Paused, assign.Crashed}).Draw(t, "state")}
	w.obs.StoppedByGuest = w.obs.State == assign.Shutoff && rapid.Bool().Draw(t, "by guest")
	if w.up() {
		w.obs.Boot = rapid.SampledFrom([]string{"b1", "b2"}).Draw(t, "boot")
	}
	if rapid.Bool().Draw(t, "has record") {
		w.rec = drawRecord(t)
	}
	return w
}

func drawRecord(t *rapid.T) hostagent.Record {
	small := rapid.Uint64Range(0, 3)
	r := hostagent.Record{ID: "g", PowerEpoch: small.Draw(t, "rec power"), RebootDone: small.Draw(t, "rec done"),
		Defined:       rapid.SampledFrom([]string{"", "d1", "d2"}).Draw(t, "rec definition"),
		StoppedItself: rapid.Bool().Draw(t, "rec stopped"), Removed: rapid.Bool().Draw(t, "rec removed"),
		Interrupted: rapid.Bool().Draw(t, "interrupted"), Killed: rapid.Bool().Draw(t, "killed")}
	r.RebootTaken = r.RebootDone + rapid.Uint64Range(0, 1).Draw(t, "rebooting")
	if rapid.Bool().Draw(t, "stopping") || r.Killed {
		r.StopAt = ago(time.Duration(rapid.IntRange(-100, 100).Draw(t, "asked ago")) * time.Second)
		r.StopBoot = rapid.SampledFrom([]string{"", "b1", "b2"}).Draw(t, "stop boot")
	}
	if rapid.IntRange(0, 4).Draw(t, "faulty") == 0 {
		r.Fault, r.Wish = "It did not work.", hostagent.Wish{Permit: 1, Power: assign.On}
	}
	return r
}

// TestNextSettles: from anywhere, with a bounded number of faults, the guest
// comes to rest; where it rests is what was wanted, or is explained.
func TestNextSettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := w.obs
		w.settle()
		if !w.want.Known {
			if w.obs.State != before.State || w.obs.Boot != before.Boot {
				t.Fatalf("an unknown guest was touched: %v, then %v", before, w.obs)
			}
			return
		}
		checkRest(t, w)
	})
}

func checkRest(t *rapid.T, w *world) {
	g := w.want.Guest
	o := w.rec.Offered
	switch g.Power {
	case assign.On:
		if !w.up() && w.want.Confirmed && o.Fault == "" && !o.StoppedItself && !w.rec.StoppedItself {
			t.Fatalf("wanted on and rests at %v: %+v", w.obs, w.rec)
		}
	case assign.Off:
		if w.up() {
			t.Fatalf("wanted off and rests at %v: %+v", w.obs, w.rec)
		}
	case assign.Gone:
		if o.State != assign.Removed || w.obs.State != assign.Missing {
			t.Fatalf("wanted gone and rests at %v: %+v", w.obs, w.rec)
		}
	}
	if w.obs.State != assign.Missing && o.State != w.obs.State {
		t.Fatalf("rests at %v and told %v", w.obs.State, o.State)
	}
	if g.Power == assign.On && w.up() && w.want.Confirmed && (o.RebootEpoch < g.RebootEpoch || o.PowerEpoch < g.PowerEpoch) {
		t.Fatalf("wishes were not answered: %+v of %+v", o, g)
	}
}

// TestRebootAtMostOnce: whatever is cut off by a restart of the agent, a boot is
// ended by a reboot wish at most once.
func TestRebootAtMostOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.want.Known, w.want.Confirmed, w.want.Guest.Power = true, true, assign.On
		w.obs.Have = hostagent.Have{ID: "g", State: assign.Running, Permit: w.want.Guest.Permit, Boot: "b"}
		w.rec, w.faults = hostagent.Record{}, 0
		w.settle()
		boots := len(w.obs.Boot)
		w.want.Guest.RebootEpoch++
		w.want.Guest.RebootHard = rapid.Bool().Draw(t, "kind of reboot")
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			if !w.stopAt.IsZero() && !w.now.Before(w.stopAt) {
				w.down(true)
			}
			step, ok := w.rules.Next(w.want, w.obs, w.rec, w.now)
			if !ok {
				if step.Wake.IsZero() {
					break
				}
				w.now = step.Wake
				continue
			}
			cut := rapid.SampledFrom([]string{"", "", "before", "after"}).Draw(t, "cut")
			w.rec = step.Before
			if cut != "before" {
				err := w.do(step)
				if cut == "" {
					w.rec = w.rules.Outcome(step, err, w.now)
				}
			}
			if cut != "" { // what a restart of the agent leaves
				w.rec.Interrupted = w.rec.RebootTaken > w.rec.RebootDone
				w.rec.Crashes, w.rec.StartedAt, w.rec.Offered = 0, 0, assign.Observed{}
			}
		}
		w.settle()
		if ended := len(w.obs.Boot) - boots; ended > 1 {
			t.Fatalf("one wish ended %d boots", ended)
		}
		if w.rec.Offered.RebootEpoch != w.want.Guest.RebootEpoch || w.obs.State != assign.Running {
			t.Fatalf("not finished: %v, %+v", w.obs, w.rec.Offered)
		}
	})
}
