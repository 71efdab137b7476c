package errs

import (
	"errors"
	"fmt"
)

// Error is what every fallible operation of the program returns once the
// failure has a meaning. Only Msg is ever shown to users; Op and Err are for
// the operator's log.
type Error struct {
	// Op names the place, as "package.operation".
	Op string
	// Kind decides how callers behave.
	Kind Kind
	// Msg says in one sentence what is wrong and, where it helps, what to do.
	Msg string
	// Err is the cause, if there is one.
	Err error
}

// E makes an Error. msg may be empty when err says everything already; err
// may be nil. A KindOf err wins over an Internal kind, so that wrapping does
// not lose meaning.
func E(op string, kind Kind, msg string, err error) error {
	if kind == Internal && err != nil {
		kind = KindOf(err)
	}
	return &Error{Op: op, Kind: kind, Msg: msg, Err: err}
}

// Errorf makes an Error without a cause from a format.
func Errorf(op string, kind Kind, format string, args ...any) error {
	return &Error{Op: op, Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Error renders the whole chain, for logs.
func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.String()
	if e.Msg != "" {
		s += ": " + e.Msg
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// KindOf tells the outermost Kind in err's chain; an error that carries none
// is Internal. nil has no kind: asking is a programmer's mistake and gives
// Internal too.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is tells whether err carries the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Message is the sentence that may be shown to a user: the outermost Msg that
// is not empty. Errors without one give a fixed sentence, so that internals
// never leak.
func Message(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		if e.Msg != "" {
			return e.Msg
		}
		err = e.Err
	}
	return "An unknown error has occurred. Please try your request again."
}
