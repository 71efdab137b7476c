package agentapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/failpoint"
	"github.com/kvorum/kvorum/internal/model"
)

const (
	// maxWait is how long a watch may wait.
	maxWait = 3 * time.Second
	// readPatience is how long a read point may take before the agent is sent
	// to another control node.
	readPatience = 2 * time.Second
)

// DeltaType is the media type of an answer that is an assign.Delta; the whole
// is plain JSON.
const DeltaType = "application/vnd.kvorum.delta+json"

// desired answers GET /agent/v1/desired?host=ID&digest=D&wait=3s[&deltas=1].
// It waits until the host is to be told anything but what has the digest D, or
// the time is over (204). Every answer is given at a read point, "unchanged"
// too: a control node that has lost its leader says so instead. An agent that
// takes deltas gets one if this node knows what has the digest D, whoever told
// it.
type desired struct {
	door  *Door
	board *board
}

// ServeHTTP implements http.Handler.
func (s *desired) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d, q := s.door, r.URL.Query()
	host, have := q.Get("host"), q.Get("digest")
	wait, err := time.ParseDuration(q.Get("wait"))
	if err != nil || wait < 0 || !model.IsUUID(host) {
		d.fail(w, r, errs.Errorf("agentapi.desired", errs.Invalid, "host must be a UUID and wait a duration"))
		return
	}
	if err := mustBe(r, host); err != nil {
		d.fail(w, r, err)
		return
	}
	k, err := s.board.sit(host)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	defer s.board.leave(k)
	got := s.wait(r.Context(), k, have, d.Clock.After(min(wait, maxWait)))
	if r.Context().Err() != nil {
		return
	}
	sheet, err := s.at(r.Context(), k, question{have: have, got: got})
	switch {
	case err != nil:
		d.fail(w, r, err)
	case sheet == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		if failpoint.Hit(r.Context(), failpoint.WatchFlush) != nil {
			panic(http.ErrAbortHandler) // the answer is lost
		}
		s.send(w, k, *sheet, have, q.Get("deltas") == "1")
	}
}

// wait returns when, as far as this node knows, there is something to be told,
// with that; or with nothing when the time is over or it does not know.
func (s *desired) wait(ctx context.Context, k *desk, have string, end <-chan time.Time) *assign.Sheet {
	var done func()
	defer func() {
		if done != nil {
			done()
		}
	}()
	for {
		at, err := s.board.look(k, question{have: have})
		if err != nil || at.sheet != nil {
			return at.sheet
		}
		select {
		case <-end:
			return nil
		default:
		}
		if done == nil {
			done = s.board.wait()
		}
		select {
		case <-at.news:
		case <-end:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// at answers the question at a read point.
func (s *desired) at(ctx context.Context, k *desk, q question) (*assign.Sheet, error) {
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	v, err := s.door.Cluster.Read(ctx)
	if err != nil {
		return nil, err
	}
	q.least = v
	at, err := s.board.look(k, q)
	return at.sheet, err
}

// send gives the host its desired state: the way to it, if it can be had.
func (s *desired) send(w http.ResponseWriter, k *desk, sheet assign.Sheet, have string, deltas bool) {
	if deltas {
		if delta, ok := s.board.delta(k, have, sheet); ok {
			w.Header().Set("Content-Type", DeltaType)
			s.door.answer(w, http.StatusOK, delta)
			return
		}
	}
	s.door.answer(w, http.StatusOK, sheet.Desired)
}

// assigned is the desired state with its secrets opened, for the agent alone.
// Its digest is over the open ones, and so the same on every control node. It
// is left to the caller.
func (d *Door) assigned(v state.View, host string) (assign.Desired, error) {
	if v.Host(model.HostID(host)) == nil {
		return assign.Desired{}, errs.Errorf("agentapi.desired", errs.NotFound, "Host %s is not registered.", host)
	}
	out := state.Undigested(v, model.HostID(host))
	for i := range out.Guests {
		g := &out.Guests[i]
		for _, secret := range []struct {
			word string
			text *[]byte
		}{{SealedUserData, &g.UserData}, {SealedPassword, &g.Password}} {
			if len(*secret.text) == 0 {
				continue
			}
			plain, err := d.Opener.Open(secret.word, *secret.text)
			if err != nil {
				return assign.Desired{}, err
			}
			*secret.text = plain
		}
	}
	return out, nil
}
