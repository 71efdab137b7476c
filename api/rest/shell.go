package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Shell serves front doors. Its zero value is not usable; fill in all fields
// but those that say so.
type Shell struct {
	Cluster Cluster
	Auth    Authenticator
	Clock   clock.Clock
	Log     *slog.Logger
	// PublicURL is what clients reach this node by, such as
	// http://cloud.example:8774; empty takes what each request names.
	PublicURL string
	// Timeout bounds one request that is not Raw.
	Timeout time.Duration
	// Slots bounds the requests under way: its capacity is the bound.
	Slots chan struct{}
	// Observe is told of each finished request; may be nil.
	Observe func(door, route string, status int, took time.Duration)
}

// Front adds a front door to a router: its routes, and an answer in its own
// words for everything else below its root, or below the dialect's Below. Roots
// must not contain each other, but for the empty one, which without a Below
// answers only for its routes.
func (s *Shell) Front(r chi.Router, d *Dialect, routes []Route) {
	for i := range routes {
		route := &routes[i]
		if d.Root+route.Path != "" {
			r.Method(route.Method, d.Root+route.Path, s.handler(d, route))
		}
	}
	if below := d.Root + d.Below; below != "" {
		r.Handle(below+"/*", s.elsewhere(r, d))
	}
}

// elsewhere answers below a front door's root what no route takes: 405 with
// the verbs that there are, if the path is known, else 404.
func (s *Shell) elsewhere(r chi.Router, d *Dialect) http.Handler {
	missing := s.Fallback(d, http.StatusNotFound, "The resource could not be found.")
	wrongVerb := s.Fallback(d, http.StatusMethodNotAllowed, "The method is not allowed for this resource.")
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var verbs []string
		for _, m := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			ctx := chi.NewRouteContext()
			if r.Match(ctx, m, req.URL.Path) && ctx.RoutePattern() != d.Root+d.Below+"/*" {
				verbs = append(verbs, m)
			}
		}
		if len(verbs) == 0 {
			missing.ServeHTTP(w, req)
			return
		}
		w.Header().Set("Allow", strings.Join(verbs, ", "))
		wrongVerb.ServeHTTP(w, req)
	})
}

// Fallback answers below a front door's root what no route takes.
func (s *Shell) Fallback(d *Dialect, status int, message string) http.Handler {
	kind := errs.NotFound
	if status == http.StatusMethodNotAllowed {
		kind = errs.MethodNotAllowed
	}
	route := &Route{Name: "none", Quiet: true, Persona: Nobody, Raw: true, Handle: func(c *Call) (Answer, error) {
		return Answer{}, errs.E("rest.route", kind, message, nil)
	}}
	return s.handler(d, route)
}

func (s *Shell) handler(d *Dialect, route *Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Clock.Mono()
		c := s.call(d, r)
		status := s.serve(w, c, route)
		took := s.Clock.Mono() - began
		if s.Observe != nil {
			s.Observe(d.Name, route.Name, status, took)
		}
		s.Log.Debug("request", "door", d.Name, "route", route.Name, "method", r.Method, "status", status,
			"took", took, "request_id", c.RequestID, "index", c.View.Index)
	})
}

func (s *Shell) call(d *Dialect, r *http.Request) *Call {
	c := &Call{Request: r, RequestID: "req-" + uuid.NewString(), Now: s.Clock.Now(), cluster: s.Cluster, dialect: d,
		params: func(name string) string { return param(r, name) }}
	base := s.PublicURL
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	c.Endpoint = base + d.Root
	return c
}

// param is a part of the path, as the client meant it: the router looks at the
// path as it was sent where that differs from its usual encoding.
func param(r *http.Request, name string) string {
	v := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return v
	}
	if plain, err := url.PathUnescape(v); err == nil {
		return plain
	}
	return v
}

// serve runs the request and gives the status that was sent.
func (s *Shell) serve(w http.ResponseWriter, c *Call, route *Route) (status int) {
	select {
	case s.Slots <- struct{}{}:
		defer func() { <-s.Slots }()
	default:
		return s.fail(w, c, errs.Errorf("rest.serve", errs.Unavailable, "The server is busy: try again in a moment."))
	}
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.Log.Error("handler panicked", "panic", p, "route", route.Name, "request_id", c.RequestID, "stack", string(debug.Stack()))
			status = s.fail(w, c, errs.Errorf("rest.serve", errs.Internal, ""))
		}
	}()
	if !route.Raw {
		ctx, cancel := context.WithTimeout(c.Request.Context(), s.Timeout)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
	}
	answer, err := s.answer(w, c, route)
	if err != nil {
		return s.fail(w, c, err)
	}
	return s.send(w, c, answer)
}

// answer is the order in which every request is looked at.
func (s *Shell) answer(w http.ResponseWriter, c *Call, route *Route) (Answer, error) {
	if c.dialect.Negotiate != nil {
		v, err := c.dialect.Negotiate(c.Request)
		if err != nil {
			return Answer{}, err
		}
		c.Version = v
	}
	if err := s.authorize(c, route); err != nil {
		return Answer{}, err
	}
	none := Version{}
	if route.Min != none && c.Version.Less(route.Min) || route.Max != none && route.Max.Less(c.Version) {
		return Answer{}, errs.Errorf("rest.version", errs.NotFound, "The resource could not be found.")
	}
	if !route.Raw {
		if err := s.readBody(w, c, route); err != nil {
			return Answer{}, err
		}
	}
	return route.Handle(c)
}

func (s *Shell) authorize(c *Call, route *Route) (err error) {
	if route.Quiet {
		return nil
	}
	if c.View, err = s.Cluster.Read(c.Request.Context()); err != nil {
		return err
	}
	if route.Persona == Nobody {
		return nil
	}
	if c.Caller, err = s.Auth.Authenticate(c.View, c.Request.Header.Get("X-Auth-Token"), c); err != nil {
		return err
	}
	if !route.Persona.Allows(c.Caller) {
		return errs.E("rest.authorize", errs.Forbidden, c.dialect.Forbidden(route), nil)
	}
	return nil
}

func (s *Shell) readBody(w http.ResponseWriter, c *Call, route *Route) error {
	limit := route.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, c.Request.Body, limit))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return errs.Errorf("rest.body", errs.TooLarge, "Request is too large: the limit is %d bytes.", limit)
	}
	if err != nil {
		return errs.E("rest.body", errs.Invalid, "The request body could not be read.", err)
	}
	c.Body = body
	return nil
}

func (s *Shell) send(w http.ResponseWriter, c *Call, a Answer) int {
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	s.common(c, h)
	if a.Stream != nil {
		return s.stream(w, c, a)
	}
	if a.Value == nil {
		w.WriteHeader(a.Status)
		return a.Status
	}
	body, err := json.Marshal(a.Value)
	if err != nil {
		return s.fail(w, c, errs.E("rest.send", errs.Internal, "", err))
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.Status)
	if _, err := w.Write(body); err != nil {
		s.Log.Debug("the client went away", "request_id", c.RequestID, "error", err)
	}
	return a.Status
}

func (s *Shell) stream(w http.ResponseWriter, c *Call, a Answer) int {
	defer a.Stream.Close()
	w.Header().Set("Content-Type", a.Type)
	if a.Length >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(a.Length, 10))
	}
	w.WriteHeader(a.Status)
	if _, err := io.Copy(w, a.Stream); err != nil {
		s.Log.Debug("stream ended early", "request_id", c.RequestID, "error", err)
	}
	return a.Status
}

// common sets what every answer of every API carries.
func (s *Shell) common(c *Call, h http.Header) {
	h.Set("X-OpenStack-Request-Id", c.RequestID)
	h.Set("X-Content-Type-Options", "nosniff")
	if c.View.Index > 0 {
		h.Set("X-Index", strconv.FormatUint(c.View.Index, 10))
	}
	if c.dialect.Headers != nil {
		c.dialect.Headers(c, h)
	}
}

// fail words an error in the API's own format.
func (s *Shell) fail(w http.ResponseWriter, c *Call, err error) int {
	kind := errs.KindOf(err)
	if errors.Is(err, context.DeadlineExceeded) && kind == errs.Internal {
		kind = errs.Unavailable
	}
	status := kind.HTTPStatus()
	if c.dialect.Status != nil {
		if own := c.dialect.Status(err); own != 0 {
			status = own
		}
	}
	h := w.Header()
	s.common(c, h)
	if kind == errs.Unauthorized && c.dialect.Unauthorized != nil {
		h.Set("WWW-Authenticate", c.dialect.Unauthorized(c))
	}
	if kind.Retryable() {
		h.Set("Retry-After", "1")
	}
	if kind == errs.Unknown {
		h.Set("X-Outcome", "unknown")
	}
	level := slog.LevelDebug
	if kind == errs.Internal {
		level = slog.LevelError
	}
	s.Log.Log(c.Request.Context(), level, "request failed", "request_id", c.RequestID, "error", err, "status", status)
	value, text := c.dialect.Fault(c, status, errs.Message(err), h)
	body := []byte(text)
	if value != nil {
		var merr error
		if body, merr = json.Marshal(value); merr != nil {
			s.Log.Error("fault does not encode", "error", merr)
		}
		h.Set("Content-Type", "application/json")
	} else if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if c.Request.Method != http.MethodHead {
		if _, err := w.Write(body); err != nil {
			s.Log.Debug("the client went away", "request_id", c.RequestID, "error", err)
		}
	}
	return status
}
