package sim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	peerwire "github.com/kvorum/kvorum/internal/wire"
)

// simCluster is the cluster's UUID in the hosts' certificates.
const simCluster = "00000000-0000-4000-8000-00000000000c"

// maxOld bounds the old answers that a wire remembers.
const maxOld = 16

// wire is the way from one agent to the control nodes, below the agent's real
// client and above the real door. It loses, delays, repeats and confuses.
type wire struct {
	w *world
	h *host
	// old are answers that the host was given before.
	old []*answer
}

// answer is a door's answer; it is its own http.ResponseWriter.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, b...)
	return len(b), nil
}

// older are the old answers that are of an older generation than this one.
func (x *wire) older(than *answer) (all []*answer) {
	for _, a := range x.old {
		if a.index() < than.index() {
			all = append(all, a)
		}
	}
	return all
}

// index is the generation of a desired state.
func (a *answer) index() uint64 {
	var d struct{ Index uint64 }
	if json.Unmarshal(a.body, &d) != nil {
		return 0
	}
	return d.Index
}

var errWire = errs.Errorf("sim.wire", errs.Unavailable, "There was no answer.")

// RoundTrip implements http.RoundTripper.
func (x *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = b
	}
	n := x.w.node(r.URL.Host)
	if n == nil {
		return nil, errWire
	}
	x.h.mayDie("wire")
	o, c := x.w.opts, x.w.net
	tells := r.Method == http.MethodPost
	cut := x.h.cuts[n.name]
	switch {
	case n.dark:
		return nil, errWire
	case cut != whole && (cut == cutOff || c.IntN(2) == 0):
		x.w.counts.fault("cut")
		if cut == deaf && !n.paused {
			x.serve(n, r, body)
		}
		return nil, errWire
	case x.w.fault("loss", c.permille(o.Loss)):
		return nil, errWire
	case tells && (n.paused || x.w.fault("late", c.permille(o.Late))):
		x.later(n, r, body)
		return nil, errWire
	case n.paused:
		return nil, errWire
	case tells && x.w.fault("twice", c.permille(o.Twice)):
		x.later(n, r, body)
	}
	a := x.serve(n, r, body)
	x.h.mayDie("wire")
	if x.w.fault("mute", c.permille(o.Mute)) {
		return nil, errWire
	}
	return x.reply(r, a), nil
}

// later lets a message arrive when nobody waits for its answer any more.
func (x *wire) later(n *node, r *http.Request, body []byte) {
	n.in(x.w.net.span(50*time.Millisecond, 30*time.Second), func() { x.serve(n, r, body) })
}

// serve hands a request to a node's door.
func (x *wire) serve(n *node, r *http.Request, body []byte) *answer {
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	x.w.deceive(x.h, r)
	a := &answer{header: http.Header{}}
	// There is no TLS here that says who calls.
	n.door.ServeHTTP(a, peerwire.AsPeer(r, pki.Identity{Cluster: simCluster, Role: pki.Agent, ID: x.h.id, Name: x.h.name}))
	return a
}

// reply is the answer as the agent gets it: now and then one of an older
// generation. An older answer of the present generation does not come: nobody
// can answer a question on an encrypted wire that was not asked yet.
func (x *wire) reply(r *http.Request, a *answer) *http.Response {
	if a.status == http.StatusOK && strings.HasSuffix(r.URL.Path, "/desired") {
		a.body = x.w.mislead(x.h, a.body)
		var old []*answer
		if x.w.net.permille(x.w.opts.Stale) {
			old = x.older(a)
		}
		if x.w.fault("stale", len(old) > 0) {
			a = old[x.w.net.IntN(len(old))]
		} else {
			x.w.leases.told(x.h)
			if x.old = append(x.old, a); len(x.old) > maxOld {
				x.old = x.old[1:]
			}
		}
	}
	return &http.Response{Status: http.StatusText(a.status), StatusCode: a.status, Header: a.header,
		Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}
}
