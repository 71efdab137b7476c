package hostagent

import (
	"fmt"
	"slices"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
)

// Next decides what to do about one guest: ONE step, or nothing now (false; the
// step's Wake then says when time alone may change that). It is pure: do the
// step, look, and ask again.
func (r Rules) Next(want Want, obs Observation, rec Record, now time.Time) (Step, bool) {
	if !want.Known {
		return unknown(obs, rec)
	}
	t := &turn{rules: r, want: want, obs: obs, rec: settle(want, obs, rec), now: now}
	var s Step
	switch want.Guest.Power {
	case assign.On:
		s = t.on()
	case assign.Off:
		s = t.off()
	case assign.Gone:
		s = t.gone()
	}
	if s.Kind == None {
		return t.rest(s.Wake)
	}
	if at, ok := t.allowed(); !ok {
		return t.rest(at)
	}
	return s, true
}

// unknown leaves a guest that the desired state does not have alone, whatever
// it does: only what is no more is forgotten.
func unknown(obs Observation, rec Record) (Step, bool) {
	if obs.State == assign.Missing && rec.ID != "" {
		return Step{Kind: Forget, Before: rec}, true
	}
	return Step{}, false
}

// turn is one decision; rec is changed while it is made.
type turn struct {
	rules Rules
	want  Want
	obs   Observation
	rec   Record
	now   time.Time
}

// settle brings the record up to the wish and forgives what no longer holds.
func settle(want Want, obs Observation, rec Record) Record {
	if rec.ID == "" {
		offered, round := rec.Offered, rec.Round
		rec = adopt(want, obs.Have)
		rec.Offered, rec.Round = offered, round
	}
	if w := want.Wish(); rec.Wish != w {
		rec.Wish = w
		rec.forgive()
	}
	if rec.FailedStep == Prepare && obs.Prepared || rec.FailedStep == PlugNetwork && obs.Plugged {
		rec.forgive()
	}
	return rec
}

// allowed tells whether an action may be done now, or else when. What failed
// for good is not tried again for a guest that shall run; to stop and to remove
// is never given up.
func (t *turn) allowed() (time.Time, bool) {
	if t.rec.Fault != "" && t.want.Guest.Power == assign.On {
		return time.Time{}, false
	}
	if t.rec.Failures == 0 {
		return time.Time{}, true
	}
	delay := t.rules.Backoff(t.rec.Failures)
	if t.rec.Fault != "" {
		delay = t.rules.BackoffMax
	}
	return t.over(t.rec.FailedAt, delay)
}

// over tells whether d has passed since the instant at, or else when it will
// have. If the clock has gone back the wait is over: it must not grow.
func (t *turn) over(at int64, d time.Duration) (time.Time, bool) {
	since := time.Unix(0, at)
	until := since.Add(d)
	return until, t.now.Before(since) || !t.now.Before(until)
}

// do makes the step of the kind with the record as it stands.
func (t *turn) do(kind StepKind) Step { return Step{Kind: kind, Before: t.rec, After: t.rec} }

// on brings a guest to run.
func (t *turn) on() Step {
	if t.obs.up() {
		return t.running()
	}
	return t.boot()
}

// running is a guest that runs and shall: reboot it if that is wished.
func (t *turn) running() Step {
	g := t.want.Guest
	if t.rec.StopAt != 0 && t.obs.Boot != t.rec.StopBoot && t.rec.StopBoot != "" {
		// The boot that was told to stop is over: what runs is the next one.
		t.rec.stopOver()
		t.rec.RebootDone = t.rec.RebootTaken
	}
	if g.RebootEpoch > t.rec.RebootTaken {
		return t.takeReboot()
	}
	if t.rec.rebooting() {
		if s, wait := t.finishReboot(); wait {
			return s
		}
	}
	if t.rec.StopAt != 0 {
		// It was asked to stop before it was wanted on again. Should it obey,
		// that is our doing and not its own.
		if until, over := t.over(t.rec.StopAt, t.rules.StopTimeout); !over {
			return Step{Wake: until}
		}
		t.rec.stopOver()
	}
	t.rec.PowerEpoch = max(t.rec.PowerEpoch, g.PowerEpoch)
	t.rec.StoppedItself = false
	t.rec.Fault = ""
	return Step{}
}

// takeReboot notes the wish and begins it. Unconfirmed it waits: the guest
// could be stopped, but not be started again.
func (t *turn) takeReboot() Step {
	if !t.want.Confirmed {
		return Step{}
	}
	g := t.want.Guest
	t.rec.RebootTaken, t.rec.Interrupted = g.RebootEpoch, false
	t.rec.StopAt, t.rec.StopBoot = t.now.UnixNano(), t.obs.Boot
	t.rec.Killed = g.RebootHard || t.obs.State == assign.Paused
	if g.RebootHard {
		t.rec.Defined = ""
	}
	if t.rec.Killed {
		return t.do(Kill)
	}
	return t.do(Shutdown)
}

// finishReboot goes on with a reboot whose guest still runs in the old boot.
// One that was cut off after its kill is not killed again: wait is false then.
func (t *turn) finishReboot() (s Step, wait bool) {
	if t.rec.Killed && t.rec.Interrupted {
		t.rec.RebootDone = t.rec.RebootTaken
		t.rec.stopOver()
		return Step{}, false
	}
	if !t.want.Confirmed {
		return Step{}, true
	}
	if !t.rec.Killed {
		if until, over := t.over(t.rec.StopAt, t.rules.RebootTimeout); !over {
			return Step{Wake: until}, true
		}
		t.rec.Killed = true
	}
	return t.do(Kill), true
}

// boot is a guest that does not run and shall.
func (t *turn) boot() Step {
	g := t.want.Guest
	if !t.want.Confirmed {
		return Step{}
	}
	ours := t.rec.rebooting() || t.rec.StopAt != 0
	if g.RebootEpoch > t.rec.RebootTaken {
		// Starting it is the reboot.
		ours = true
		t.rec.RebootTaken = g.RebootEpoch
		if g.RebootHard {
			t.rec.Defined = ""
		}
	}
	crashes := 0
	if !ours && g.PowerEpoch <= t.rec.PowerEpoch {
		if t.rec.StoppedItself || t.obs.State == assign.Shutoff && t.obs.StoppedByGuest {
			t.rec.StoppedItself = true
			return Step{}
		}
		var stay Step
		var again bool
		if crashes, stay, again = t.crashed(); !again {
			return stay
		}
	}
	if s := t.define(t.rec.Defined != t.want.Definition); s.Kind != None {
		return s
	}
	if !t.obs.Plugged {
		return t.do(PlugNetwork)
	}
	return t.start(crashes)
}

// crashed counts a guest that went down without being asked, and tells whether
// to start it again now.
func (t *turn) crashed() (crashes int, stay Step, again bool) {
	crashes = t.rec.Crashes
	if _, long := t.over(t.rec.StartedAt, t.rules.CrashWindow); long {
		crashes = 0
	}
	if crashes >= t.rules.MaxCrashes {
		t.rec.Fault = fmt.Sprintf("The guest went down %d times in a row right after it was started.", crashes+1)
		return crashes, Step{}, false
	}
	if crashes > 0 {
		if until, over := t.over(t.rec.StartedAt, t.rules.Backoff(crashes)); !over {
			return crashes, Step{Wake: until}, false
		}
	}
	return crashes + 1, Step{}, true
}

// define makes the domain if it is not there, is of another permit, or is
// stale; its images come first.
func (t *turn) define(stale bool) Step {
	g := t.want.Guest
	if t.obs.State != assign.Missing && t.obs.Permit == g.Permit && !stale {
		return Step{}
	}
	if !t.obs.Prepared {
		return t.do(Prepare)
	}
	s := t.do(Define)
	s.Before.Removed = false
	// Disks that are there are kept, and with them what they lean on.
	s.Before.Images = union(t.rec.Images, hashes(guestImages(g)))
	s.After = s.Before
	s.After.Defined = t.want.Definition
	return s
}

func hashes(images []assign.Image) []string {
	var all []string
	for _, i := range images {
		all = append(all, i.SHA256)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// start boots the guest. It is the only place that does, and looks at the
// permit once more.
func (t *turn) start(crashes int) Step {
	g := t.want.Guest
	if !t.want.Confirmed || t.obs.Permit != g.Permit {
		return Step{}
	}
	s := t.do(Start)
	s.Before.StartedAt, s.Before.Crashes = t.now.UnixNano(), crashes
	s.After = s.Before
	s.After.PowerEpoch = max(s.After.PowerEpoch, g.PowerEpoch)
	s.After.RebootDone = s.After.RebootTaken
	s.After.Interrupted, s.After.StoppedItself = false, false
	s.After.stopOver()
	return s
}

// off brings a guest to stand still: kindly first, then by force. A guest that
// is not there is made, so that what it is promised is really there.
func (t *turn) off() Step {
	// To be off settles every wish to reboot.
	t.rec.RebootTaken = max(t.rec.RebootTaken, t.want.Guest.RebootEpoch)
	t.rec.RebootDone = t.rec.RebootTaken
	if !t.obs.up() {
		if !t.want.Confirmed {
			return Step{}
		}
		return t.define(false)
	}
	if t.obs.State == assign.Paused || t.rec.Killed && t.obs.Boot == t.rec.StopBoot {
		return t.kill()
	}
	if t.rec.StopAt == 0 || t.obs.Boot != t.rec.StopBoot {
		t.rec.StopAt, t.rec.StopBoot, t.rec.Killed = t.now.UnixNano(), t.obs.Boot, false
		return t.do(Shutdown)
	}
	if until, over := t.over(t.rec.StopAt, t.rules.StopTimeout); !over {
		return Step{Wake: until}
	}
	return t.kill()
}

func (t *turn) kill() Step {
	if t.rec.StopAt == 0 {
		t.rec.StopAt = t.now.UnixNano()
	}
	t.rec.StopBoot, t.rec.Killed = t.obs.Boot, true
	return t.do(Kill)
}

// gone removes a guest. Remove is called once even if there is no domain: disks
// may be left of one that was never finished.
func (t *turn) gone() Step {
	if t.obs.up() {
		return t.kill()
	}
	if t.rec.Removed && t.obs.State == assign.Missing {
		return Step{}
	}
	s := t.do(Remove)
	s.After.Removed = true
	s.After.Defined, s.After.Images = "", nil
	return s
}

// rest is a guest that needs nothing now: what is seen is reported if it is
// news.
func (t *turn) rest(wake time.Time) (Step, bool) {
	o := t.observed()
	if o == t.rec.Offered || o.State == assign.Missing && o.Fault == "" && t.rec.Offered.ID == "" {
		return Step{Wake: wake}, false
	}
	s := t.do(Report)
	s.Observed = o
	s.After.Offered = o
	return s, true
}

// observed is what the control plane is to know of the guest. It answers the
// permit of the desired state, whatever the domain was made under.
func (t *turn) observed() assign.Observed {
	g := t.want.Guest
	o := assign.Observed{
		ID: g.ID, Permit: g.Permit, State: t.obs.State, Fault: t.rec.Fault,
		PowerEpoch: t.rec.PowerEpoch, RebootEpoch: t.rec.RebootDone, Off: g.Power == assign.Off && !t.obs.up(),
		StoppedItself: t.rec.StoppedItself && t.rec.PowerEpoch >= g.PowerEpoch && !t.obs.up(),
	}
	if g.Power == assign.Gone && t.rec.Removed && o.State == assign.Missing {
		o.State = assign.Removed
	}
	if o.Fault != "" && g.Power == assign.On {
		// Tried, and given up: nothing more comes of these wishes.
		o.PowerEpoch = max(o.PowerEpoch, g.PowerEpoch)
		o.RebootEpoch = max(o.RebootEpoch, t.rec.RebootTaken)
	}
	return o
}
