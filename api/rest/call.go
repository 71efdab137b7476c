package rest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
)

// Cluster is the control node as the front doors use it.
type Cluster interface {
	// Read gives a view that shows everything acknowledged before the call.
	Read(ctx context.Context) (state.View, error)
	// Propose puts a command in the log and waits until this node has applied
	// it. Its three outcomes: no error (done), errs.Unknown (may have been
	// done; the same ID may be tried again), any other kind (surely not done).
	Propose(ctx context.Context, e command.Envelope) (Done, error)
}

// Done is what a command did, and the state right after.
type Done struct {
	Index uint64
	IDs   []string
	View  state.View
}

// Call is one request on its way through a handler.
type Call struct {
	Request *http.Request
	// View is the state that the handler decides on; after Do it is the state
	// that shows what was done.
	View    state.View
	Caller  Caller
	Version Version
	// RequestID is "req-" and a UUID.
	RequestID string
	// Body has been read and bounded already, unless the route is Raw: then it
	// is nil and the handler reads Request.Body.
	Body []byte
	// Endpoint is the URL that the client reached the front door by, without a
	// slash at its end, such as http://host:8774/compute.
	Endpoint string
	// Now is the time of the request's arrival.
	Now time.Time

	params  func(string) string
	cluster Cluster
	timeout time.Duration
	dialect *Dialect
}

// Param is a part of the path that the route names in braces.
func (c *Call) Param(name string) string { return c.params(name) }

// Query is the first value of a query parameter.
func (c *Call) Query(name string) string { return c.Request.URL.Query().Get(name) }

// Root is the path where the front door is mounted.
func (c *Call) Root() string { return c.dialect.Root }

// Context ends when the client goes away or the request takes too long.
func (c *Call) Context() context.Context { return c.Request.Context() }

// UUID makes a new id.
func (c *Call) UUID() string { return uuid.NewString() }

// Hex makes a new id of 32 hex digits.
func (c *Call) Hex() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// Do puts a command in the log, as the caller, and gives the ids of what it
// made. Afterwards View shows it. It must be called at most once.
func (c *Call) Do(cmd command.Command) ([]string, error) {
	return c.DoAs(c.Caller.By(), cmd)
}

// DoAs is Do for another actor: a host, say.
func (c *Call) DoAs(by command.By, cmd command.Command) ([]string, error) {
	ctx, cancel := context.WithTimeout(c.Context(), c.timeout)
	defer cancel()
	done, err := c.cluster.Propose(ctx, command.Envelope{ID: c.RequestID, By: by, Command: cmd})
	if err != nil {
		return nil, err
	}
	c.View = done.View
	return done.IDs, nil
}

// Answer is what a handler gives back.
type Answer struct {
	Status int
	// Value is encoded as JSON; nil sends no body, unless Stream is set.
	Value any
	// Stream is sent as it is and then closed; Type is its media type and
	// Length its size in bytes, -1 when not known.
	Stream io.ReadCloser
	Type   string
	Length int64
	Header http.Header
}

// JSON is an answer with a JSON body.
func JSON(status int, value any) Answer { return Answer{Status: status, Value: value} }

// Empty is an answer without a body.
func Empty(status int) Answer { return Answer{Status: status} }

// With adds a header to an answer.
func (a Answer) With(name, value string) Answer {
	if a.Header == nil {
		a.Header = http.Header{}
	}
	a.Header.Add(name, value)
	return a
}
