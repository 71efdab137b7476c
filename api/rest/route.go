package rest

import (
	"net/http"

	"github.com/kvorum/kvorum/fsm/state"
)

// Handler answers one kind of request.
type Handler func(c *Call) (Answer, error)

// Route is one row of a front door's table.
type Route struct {
	// Name is the operation's, for policy, metrics and documents, such as
	// "servers:create".
	Name   string
	Method string
	// Path is below the front door's root, with parameters in braces.
	Path string
	// Min and Max bound the microversions that have the route; zero is none.
	Min, Max Version
	Persona  Persona
	// Raw routes read the request's body themselves and bound it; it comes at a
	// pace, see Shell.Timeout. They are counted as streams, not as slots.
	Raw bool
	// MaxBytes bounds the body; 0 is DefaultMaxBytes.
	MaxBytes int64
	// Quiet routes take neither a View nor a body: discovery and health.
	Quiet  bool
	Handle Handler
}

// DefaultMaxBytes bounds a request's body: what the OpenStack Security Guide
// advises (114,688 bytes).
const DefaultMaxBytes = 114688

// Dialect is how one API words what is common to all of its routes.
type Dialect struct {
	// Name is the front door's, for metrics: "compute".
	Name string
	// Root is where it is mounted: "/compute".
	Root string
	// Below narrows what the front door answers for besides its routes, to
	// what is below Root and Below; empty for all below Root.
	Below string
	// Fault gives the body for an error and may add headers or change the
	// status; value nil means that text is sent as it is.
	Fault func(c *Call, status int, message string, h http.Header) (value any, text string)
	// Negotiate finds the microversion that is asked for; nil if the API has
	// none. An error is answered through Fault, under the version beside it.
	Negotiate func(r *http.Request) (Version, error)
	// Headers adds what every answer of this API carries; may be nil.
	Headers func(c *Call, h http.Header)
	// Status may turn an error into another status than its kind's; 0 keeps
	// that one. May be nil.
	Status func(err error) int
	// Unauthorized gives the WWW-Authenticate header's value.
	Unauthorized func(c *Call) string
	// Missing answers for what no route takes; nil is a plain 404.
	Missing Handler
	// Forbidden words the refusal of a caller whom the route's persona does
	// not allow.
	Forbidden func(r *Route) string
}

// Authenticator turns a token into its caller; errs.Unauthorized if it is not
// valid, has expired or was revoked.
type Authenticator interface {
	Authenticate(v state.View, token string, c *Call) (Caller, error)
}
