package rest

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	// Timeout bounds each part of a request: until its body is there, until it
	// is decided, until its answer is taken. Raw bodies and streams may take
	// longer, as long as pace bytes move in each Timeout.
	Timeout time.Duration
	// Slots bounds the requests that are being decided: its capacity is the
	// bound. Who sends or takes bytes slowly has none meanwhile.
	Slots chan struct{}
	// Observe is told of each finished request; may be nil.
	Observe func(door, route string, status int, took time.Duration)

	// streams bounds, as Slots, the requests that move many bytes.
	streams chan struct{}
	once    sync.Once
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

// Elsewhere answers, in a dialect's words, for all that no front door takes.
func (s *Shell) Elsewhere(r chi.Router, d *Dialect) {
	h := s.elsewhere(r, d).ServeHTTP
	r.NotFound(h)
	r.MethodNotAllowed(h)
}

// elsewhere answers below a front door's root what no route takes: 405 with
// the verbs that there are, if the path is known, else 404.
func (s *Shell) elsewhere(r chi.Router, d *Dialect) http.Handler {
	missing := s.Fallback(d, http.StatusNotFound, "The resource could not be found.")
	if d.Missing != nil {
		missing = s.handler(d, &Route{Name: "none", Quiet: true, Persona: Nobody, Handle: d.Missing})
	}
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
	route := &Route{Name: "none", Quiet: true, Persona: Nobody, Handle: func(c *Call) (Answer, error) {
		return Answer{}, errs.E("rest.route", kind, message, nil)
	}}
	return s.handler(d, route)
}

func (s *Shell) handler(d *Dialect, route *Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Clock.Mono()
		c := s.call(d, r)
		x := &exchange{Shell: s, w: w, call: c, route: route, conn: conn{http.NewResponseController(w), s.Clock, s.Timeout}}
		x.serve()
		took := s.Clock.Mono() - began
		x.record(took)
		if s.Observe != nil {
			s.Observe(d.Name, route.Name, x.status, took)
		}
	})
}

func (s *Shell) call(d *Dialect, r *http.Request) *Call {
	c := &Call{Request: r, RequestID: "req-" + uuid.NewString(), Now: s.Clock.Now(), cluster: s.Cluster, timeout: s.Timeout, dialect: d,
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
