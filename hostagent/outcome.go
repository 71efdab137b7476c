package hostagent

import (
	"context"
	"errors"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxRepeats is how often a step may succeed without changing anything before
// that counts as a failure: a driver that says yes and does nothing must not be
// asked without end.
const maxRepeats = 2

// Outcome is the record after s was done, or failed with err. It is pure.
func (r Rules) Outcome(s Step, err error, now time.Time) Record {
	if s.Kind == Remove && errs.Is(err, errs.NotFound) {
		err = nil
	}
	if err == nil {
		return succeeded(s, now)
	}
	rec := s.Before
	if s.Kind == Shutdown {
		// A guest that cannot be asked is killed when its time is over.
		return rec
	}
	rec.Failures++
	rec.FailedAt, rec.FailedStep = now.UnixNano(), s.Kind
	if !temporary(err) {
		rec.Fault = errs.Message(err)
	}
	return rec
}

func succeeded(s Step, now time.Time) Record {
	rec := s.After
	if rec.Last != s.Kind {
		rec.Last, rec.Repeats = s.Kind, 0
	} else {
		rec.Repeats++
	}
	if s.Kind == Report {
		return rec
	}
	rec.Fault, rec.Failures, rec.FailedAt, rec.FailedStep = "", 0, 0, None
	if rec.Repeats >= maxRepeats {
		rec.Failures, rec.FailedAt, rec.FailedStep = rec.Repeats, now.UnixNano(), s.Kind
	}
	return rec
}

// temporary tells whether the same step may succeed later by itself.
func temporary(err error) bool {
	return errs.KindOf(err).Retryable() || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, context.Canceled)
}
