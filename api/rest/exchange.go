package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// exchange is one request and its answer. It is counted in Slots while
// something is decided, in streams while many bytes move, and nowhere while a
// small body or answer is on its way: that costs a goroutine, and ends in time.
type exchange struct {
	*Shell
	w     http.ResponseWriter
	call  *Call
	route *Route
	conn  conn
	place place

	// status, failure and its kind are what was answered.
	status  int
	failure error
	kind    errs.Kind
}

// busy refuses for want of a place.
func busy() error {
	return errs.Errorf("rest.serve", errs.Unavailable, "The server is busy: try again in a moment.")
}

// serve runs the request and sends its answer.
func (x *exchange) serve() {
	defer x.place.leave()
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			x.Log.Error("handler panicked", "panic", p, "route", x.route.Name, "request_id", x.call.RequestID, "stack", string(debug.Stack()))
			x.fail(errs.Errorf("rest.serve", errs.Internal, ""))
		}
	}()
	if x.hasBody() {
		x.conn.reading()
	}
	answer, err := x.answer()
	if err != nil {
		x.fail(err)
		return
	}
	x.send(answer)
}

func (x *exchange) hasBody() bool {
	return x.call.Request.Body != nil && x.call.Request.Body != http.NoBody
}

// answer is the order in which every request is looked at.
func (x *exchange) answer() (Answer, error) {
	c := x.call
	if !x.place.take(x.Slots) {
		return Answer{}, busy()
	}
	if err := x.admit(); err != nil {
		return Answer{}, err
	}
	if x.route.Raw {
		if !x.place.take(x.many()) {
			return Answer{}, busy()
		}
		c.Request.Body = &pacedBody{ReadCloser: c.Request.Body, conn: x.conn}
		return x.route.Handle(c)
	}
	if x.hasBody() && !x.route.Quiet {
		x.place.leave()
		if err := x.readBody(); err != nil {
			return Answer{}, err
		}
		if !x.place.take(x.Slots) {
			return Answer{}, busy()
		}
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), x.Timeout)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	return x.route.Handle(c)
}

// many is the set of the requests that move many bytes.
func (s *Shell) many() chan struct{} {
	s.once.Do(func() { s.streams = make(chan struct{}, cap(s.Slots)) })
	return s.streams
}

// admit finds the microversion and the caller, and tells whether there is such
// a route for them.
func (x *exchange) admit() (err error) {
	c := x.call
	if c.dialect.Negotiate != nil {
		if c.Version, err = c.dialect.Negotiate(c.Request); err != nil {
			return err
		}
	}
	if err := x.authorize(); err != nil {
		return err
	}
	none := Version{}
	if x.route.Min != none && c.Version.Less(x.route.Min) || x.route.Max != none && x.route.Max.Less(c.Version) {
		return errs.Errorf("rest.version", errs.NotFound, "The resource could not be found.")
	}
	return nil
}

func (x *exchange) authorize() (err error) {
	c, route := x.call, x.route
	if route.Quiet {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), x.Timeout)
	defer cancel()
	if c.View, err = x.Cluster.Read(ctx); err != nil {
		return err
	}
	if route.Persona == Nobody {
		return nil
	}
	if c.Caller, err = x.Auth.Authenticate(c.View, c.Request.Header.Get("X-Auth-Token"), c); err != nil {
		return err
	}
	if !route.Persona.Allows(c.Caller) {
		return errs.E("rest.authorize", errs.Forbidden, c.dialect.Forbidden(route), nil)
	}
	return nil
}

func (x *exchange) readBody() error {
	limit := x.route.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.w, x.call.Request.Body, limit))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return errs.Errorf("rest.body", errs.TooLarge, "Request is too large: the limit is %d bytes.", limit)
	}
	if err != nil {
		return errs.E("rest.body", errs.Invalid, "The request body could not be read.", err)
	}
	x.conn.arrived()
	x.call.Body = body
	return nil
}

// record logs what became of the request: what was to change something, and
// what failed by us, so that an operator sees it; reads only for who looks for
// them. A token is never logged.
func (x *exchange) record(took time.Duration) {
	c, level := x.call, slog.LevelDebug
	switch {
	case x.failure != nil && x.kind == errs.Internal:
		level = slog.LevelError
	case !reads(c.Request.Method) || x.status >= http.StatusInternalServerError:
		level = slog.LevelInfo
	}
	attrs := []any{"door", c.dialect.Name, "route", x.route.Name, "method", c.Request.Method, "path", cut(c.Request.URL.Path),
		"status", x.status, "took", took, "request_id", c.RequestID, "index", c.View.Index}
	if c.Caller.User != nil {
		attrs = append(attrs, "user", c.Caller.User.ID, "project", c.Caller.ProjectID())
	}
	if x.failure != nil {
		attrs = append(attrs, "error", x.failure)
	}
	x.Log.Log(c.Request.Context(), level, "request", attrs...)
}

// reads tells whether a method changes nothing.
func reads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// cut keeps what a client sent short enough for a line of the log.
func cut(s string) string { return s[:min(len(s), 256)] }
