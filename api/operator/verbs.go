package operator

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// maxBody bounds a verb's body, and verbTime how long it may take.
const (
	maxBody  = 64 << 10
	verbTime = 30 * time.Second
)

// Verbs is the door for the operators' commands; all fields must be set. It
// has no login: it is served only where nobody but the node's owner comes, on
// a socket in the data folder.
type Verbs struct {
	Cluster rest.Cluster
	// Members lists the control nodes that take part in the log.
	Members func() ([]Member, error)
	// Removable tells why a control node, by its id, cannot be removed now.
	Removable func(ctx context.Context, id string) error
	// HandOver gives the lead, which this node must have, to another control node
	// by its id, or to any if that is empty.
	HandOver func(id string) error
	// Gossip lists the nodes that gossip finds, and Alarms what is wrong with
	// nodes' identities, as this control node sees it.
	Gossip func() ([]GossipMember, error)
	Alarms func() []Alarm
	Clock  clock.Clock
	Log    *slog.Logger
	// NewID makes the id of a command.
	NewID func() string
}

// Handler serves the door below /v1/.
func (d *Verbs) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/join-tokens", d.verb(d.createToken))
	mux.HandleFunc("GET /v1/join-tokens", d.verb(d.listTokens))
	mux.HandleFunc("DELETE /v1/join-tokens/{id}", d.verb(d.deleteToken))
	mux.HandleFunc("GET /v1/members", d.verb(d.members))
	mux.HandleFunc("DELETE /v1/members/{name}", d.verb(d.removeMember))
	mux.HandleFunc("POST /v1/leader", d.verb(d.handOver))
	mux.HandleFunc("GET /v1/servers/{id}/why", d.verb(d.why))
	mux.HandleFunc("GET /v1/gossip/members", d.verb(d.gossip))
	mux.HandleFunc("GET /v1/gossip/alarms", d.verb(d.alarms))
	return mux
}

// verb answers what f gives, or its error, in time.
func (d *Verbs) verb(f func(ctx context.Context, r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), verbTime)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		v, err := f(ctx, r)
		if err != nil {
			d.Log.Warn("operator's command failed", "path", r.URL.Path, "error", err)
			kind := errs.KindOf(err)
			write(w, kind.HTTPStatus(), map[string]any{"error": map[string]string{"kind": kind.String(), "message": errs.Message(err)}})
			return
		}
		write(w, http.StatusOK, v)
	}
}

// body reads a verb's body; needs names what it must have.
func body(r *http.Request, in any, needs string) error {
	const op = "operator.body"
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(in); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return errs.Errorf(op, errs.TooLarge, "A body has at most %d bytes here.", maxBody)
		}
		return errs.E(op, errs.Invalid, "The body is not understood: it needs "+needs+".", err)
	}
	return nil
}

// propose puts an operator's command in the log.
func (d *Verbs) propose(ctx context.Context, c command.Command) error {
	_, err := d.Cluster.Propose(ctx, command.Envelope{ID: d.NewID(), By: command.By{System: command.Operator}, Command: c})
	return err
}
