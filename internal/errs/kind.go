package errs

import "net/http"

// Kind is the meaning of a failure. New kinds are added at the end only: the
// numbers are remembered in the replicated log's results.
type Kind uint8

// The closed list of kinds.
const (
	Internal         Kind = iota // a defect or a broken machine
	Invalid                      // the request itself is wrong
	Unauthorized                 // who are you?
	Forbidden                    // you may not
	NotFound                     // no such thing, or not yours
	Conflict                     // the thing's state does not allow it
	Quota                        // a limit of the project is reached
	TooLarge                     // a body or value over its bound
	Unsupported                  // a media type or format that is not taken
	NotAcceptable                // a version that is not served
	MethodNotAllowed             // the resource has no such verb
	Gone                         // it was here; the history is no longer
	NotImplemented               // known, and not offered here
	Unavailable                  // surely not done; another node or a later try may
	Busy                         // surely not done; too much at once
	Unknown                      // may have been done; repeat with the same id
)

// facts is the one table over all kinds.
var facts = [...]struct {
	name   string
	status int
	retry  bool
}{
	Internal:         {"internal", http.StatusInternalServerError, false},
	Invalid:          {"invalid", http.StatusBadRequest, false},
	Unauthorized:     {"unauthorized", http.StatusUnauthorized, false},
	Forbidden:        {"forbidden", http.StatusForbidden, false},
	NotFound:         {"not found", http.StatusNotFound, false},
	Conflict:         {"conflict", http.StatusConflict, false},
	Quota:            {"quota", http.StatusForbidden, false},
	TooLarge:         {"too large", http.StatusRequestEntityTooLarge, false},
	Unsupported:      {"unsupported", http.StatusUnsupportedMediaType, false},
	NotAcceptable:    {"not acceptable", http.StatusNotAcceptable, false},
	MethodNotAllowed: {"method not allowed", http.StatusMethodNotAllowed, false},
	Gone:             {"gone", http.StatusGone, false},
	NotImplemented:   {"not implemented", http.StatusNotImplemented, false},
	Unavailable:      {"unavailable", http.StatusServiceUnavailable, true},
	Busy:             {"busy", http.StatusTooManyRequests, true},
	Unknown:          {"unknown outcome", http.StatusServiceUnavailable, true},
}

// String names the kind in lower-case words.
func (k Kind) String() string {
	if int(k) >= len(facts) {
		return facts[Internal].name
	}
	return facts[k].name
}

// HTTPStatus is the status that every front door answers for the kind, unless
// its own API says otherwise.
func (k Kind) HTTPStatus() int {
	if int(k) >= len(facts) {
		return http.StatusInternalServerError
	}
	return facts[k].status
}

// Retryable tells whether the same call, with the same id, may succeed later
// without anything else changing.
func (k Kind) Retryable() bool { return int(k) < len(facts) && facts[k].retry }

// KindNamed finds a kind by the name that String gives it; Internal and false
// for a name that is none.
func KindNamed(name string) (Kind, bool) {
	for k := range facts {
		if facts[k].name == name {
			return Kind(k), true
		}
	}
	return Internal, false
}
