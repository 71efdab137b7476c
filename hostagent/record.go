package hostagent

import "github.com/kvorum/kvorum/internal/assign"

// Record is what the agent remembers of one guest. What has a JSON name
// survives a restart; the rest is forgiven by one.
type Record struct {
	// ID is empty in a record that was never stored.
	ID string `json:"id"`
	// Wish is the last wish that was worked on; Fault the sentence with which
	// the host gave up on it, if it did.
	Wish  Wish   `json:"wish"`
	Fault string `json:"fault,omitempty"`
	// PowerEpoch is the highest one under which the guest was started here or
	// seen running. It is noted when the guest runs: starting is a level, and a
	// start that was cut off is simply made again.
	PowerEpoch uint64 `json:"power_epoch,omitempty"`
	// RebootTaken is noted before a reboot, RebootDone after it: at most once.
	RebootTaken uint64 `json:"reboot_taken,omitempty"`
	RebootDone  uint64 `json:"reboot_done,omitempty"`
	// StopAt is when we asked the boot StopBoot to stop (Unix nanoseconds, 0 =
	// we did not); Killed says that we pulled its plug, or tried.
	StopAt   int64  `json:"stop_at,omitempty"`
	StopBoot string `json:"stop_boot,omitempty"`
	Killed   bool   `json:"killed,omitempty"`
	// StoppedItself says that the guest switched itself off under PowerEpoch;
	// kept here because a hypervisor forgets it.
	StoppedItself bool `json:"stopped_itself,omitempty"`
	// Defined is the definition that the domain was last made from, "" when it
	// has to be made again; Images are the hashes of what its disks lean on.
	Defined string   `json:"defined,omitempty"`
	Images  []string `json:"images,omitempty"`
	// Removed says that a Gone guest's domain and disks were removed.
	Removed bool `json:"removed,omitempty"`

	// Offered is the last observation handed to the reporter, valid in the
	// ledger's report round Round only. A restart forgets it, so that everything
	// is told once more: what was not acknowledged may have been heard.
	Offered assign.Observed `json:"-"`
	Round   uint64          `json:"-"`
	// Interrupted says that a reboot was found half-way after a restart.
	Interrupted bool `json:"-"`
	// Failures counts failed steps in a row, the last at FailedAt.
	Failures   int      `json:"-"`
	FailedAt   int64    `json:"-"`
	FailedStep StepKind `json:"-"`
	// Crashes counts the starts after it went down unasked; StartedAt is the
	// last start.
	Crashes   int   `json:"-"`
	StartedAt int64 `json:"-"`
	// Last is the last step that succeeded, Repeats how often it did so again
	// without another step between.
	Last    StepKind `json:"-"`
	Repeats int      `json:"-"`
}

// adopt begins the record of a guest that this agent has none of. A reboot
// wished before is taken as done: it may have been, and at most once is the
// promise. A domain that is there is taken to have run under the wanted power
// epoch, so that one that switched itself off stays off.
func adopt(want Want, have Have) Record {
	g := want.Guest
	rec := Record{ID: g.ID, Wish: want.Wish(), RebootTaken: g.RebootEpoch, RebootDone: g.RebootEpoch}
	if have.State != assign.Missing {
		rec.PowerEpoch = g.PowerEpoch
		rec.Images = hashes(guestImages(g))
	}
	return rec
}

// forgive drops what is remembered of failures.
func (r *Record) forgive() {
	r.Fault, r.Failures, r.FailedAt, r.FailedStep, r.Crashes = "", 0, 0, None, 0
	r.Last, r.Repeats = None, 0
}

// stopOver drops the stop that we asked for: that boot has ended, or it paid
// no heed.
func (r *Record) stopOver() { r.StopAt, r.StopBoot, r.Killed = 0, "", false }

// rebooting tells whether a reboot is under way.
func (r *Record) rebooting() bool { return r.RebootTaken > r.RebootDone }
