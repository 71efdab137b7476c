package leader

import (
	"slices"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// PollRequest is what a leader asks every voter about the hosts.
type PollRequest struct {
	// Term is the one that the asker leads in, and Seq rises with each of its
	// questions: an older one is refused.
	Term uint64 `json:"term"`
	Seq  uint64 `json:"seq"`
	// Hold are all hosts whose lease must not be granted; it replaces what was
	// held before. Ordered.
	Hold []string `json:"hold,omitempty"`
	// Promise are hosts that the voter is asked to hold from now on, if it finds
	// them silent itself. Ordered.
	Promise []string `json:"promise,omitempty"`
}

// PollAnswer is what a voter says. All lists are ordered.
type PollAnswer struct {
	// Term is the voter's, which is the leader's: else the question is refused.
	Term uint64 `json:"term"`
	// Up is since how long, in nanoseconds, silence counts with this voter.
	Up int64 `json:"up_ns"`
	// Silent are hosts that have not renewed for as long as patience lasts, and
	// are not held.
	Silent []string `json:"silent,omitempty"`
	// Promised are those of the question's Promise that are held now.
	Promised []string `json:"promised,omitempty"`
	// Heard are held hosts that have tried to renew within the life of a lease.
	Heard []string `json:"heard,omitempty"`
}

// MaxPollBytes bounds a question or an answer as JSON.
const MaxPollBytes = 16 << 20

// Poll answers a leader, and does what it says. Conflict: the asker does not lead
// in the term that this voter's vote store has, or has asked something newer
// since; nothing is done then. Invalid: too many hosts are named.
func (r *Register) Poll(q PollRequest) (PollAnswer, error) {
	const op = "leader.poll"
	if len(q.Hold)+len(q.Promise) > maxHosts {
		return PollAnswer{}, errs.Errorf(op, errs.Invalid, "More than %d hosts are named.", maxHosts)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// The term is asked for under the lock: a question of a later term that was
	// answered is never followed by one of an earlier term.
	if term := r.c.Term(); term != q.Term {
		return PollAnswer{}, errs.Errorf(op, errs.Conflict, "This voter is in term %d, and the question is of term %d.", term, q.Term)
	}
	if q.Term < r.term || q.Term == r.term && q.Seq <= r.seq {
		return PollAnswer{}, errs.Errorf(op, errs.Conflict, "A newer question than %d of term %d was answered.", q.Seq, q.Term)
	}
	now := r.awake()
	promised, err := r.hold(q, now)
	if err != nil {
		return PollAnswer{}, err
	}
	r.told, r.term, r.seq = true, q.Term, q.Seq
	a := PollAnswer{Term: q.Term, Up: int64(now - r.up), Promised: promised}
	for h := range r.c.View().Hosts() {
		switch t := r.hosts[string(h.ID)]; {
		case t != nil && t.held && now-t.tried <= r.c.Lease:
			a.Heard = append(a.Heard, string(h.ID))
		case (t == nil || !t.held) && r.silent(t, now):
			a.Silent = append(a.Silent, string(h.ID))
		}
	}
	slices.Sort(a.Heard)
	slices.Sort(a.Silent)
	return a, nil
}

// hold makes the hosts held that a question says, and lets the others go. It
// gives those that were promised.
func (r *Register) hold(q PollRequest, now time.Duration) (promised []string, err error) {
	keep := make(map[string]bool, len(q.Hold)+len(q.Promise))
	for _, id := range q.Hold {
		keep[id] = true
	}
	for _, id := range q.Promise {
		if r.silent(r.hosts[id], now) {
			keep[id] = true
			promised = append(promised, id)
		}
	}
	for id := range keep {
		t := r.tenant(id, now)
		if t == nil {
			return nil, errs.Errorf("leader.poll", errs.Busy, "There are more than %d hosts.", maxHosts)
		}
		t.held = true
	}
	for id, t := range r.hosts {
		if t.held && !keep[id] {
			// It could not renew, but it tried.
			t.held, t.renewed = false, max(t.renewed, t.tried)
		}
	}
	return promised, nil
}
