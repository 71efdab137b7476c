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
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
)

// maxBody bounds a verb's body, and verbTime how long it may take.
const (
	maxBody  = 64 << 10
	verbTime = 30 * time.Second
)

// Member is one control node as raft knows it.
type Member struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Address string `json:"address"`
	Voter   bool   `json:"voter"`
	Leader  bool   `json:"leader"`
}

// Verbs is the door for the operators' commands; all fields must be set. It
// has no login: it is served only where nobody but the node's owner comes, on
// a socket in the data folder.
type Verbs struct {
	Cluster rest.Cluster
	// Members lists the control nodes that take part in the log.
	Members func() ([]Member, error)
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
	mux.HandleFunc("GET /v1/members", d.verb(d.members))
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

func (d *Verbs) members(context.Context, *http.Request) (any, error) {
	all, err := d.Members()
	return map[string]any{"members": all}, err
}

// TokenRequest asks for a join token.
type TokenRequest struct {
	// Role and Name are those of the one node that may use it.
	Role string `json:"role"`
	Name string `json:"name"`
	// TTL is how long it is good for, such as 15m.
	TTL string `json:"ttl"`
	// At (optional) are the addresses of control nodes to begin with; those that
	// the state knows if there are none.
	At []string `json:"at,omitempty"`
}

// NewToken is a join token for a person to carry.
type NewToken struct {
	ID        string `json:"id"`
	Token     string `json:"token"`
	ExpiresAt string `json:"expires_at"`
}

func (d *Verbs) createToken(ctx context.Context, r *http.Request) (any, error) {
	const op = "operator.createToken"
	var in TokenRequest
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return nil, errs.Errorf(op, errs.TooLarge, "A body has at most %d bytes here.", maxBody)
		}
		return nil, errs.E(op, errs.Invalid, "The body is not understood: it needs role, name and ttl.", err)
	}
	return d.NewToken(ctx, in)
}

// NewToken makes a token with which one node may join once.
func (d *Verbs) NewToken(ctx context.Context, in TokenRequest) (NewToken, error) {
	const op = "operator.newToken"
	ttl, err := time.ParseDuration(in.TTL)
	if err != nil {
		return NewToken{}, errs.Errorf(op, errs.Invalid, "%q is not a duration such as 15m.", in.TTL)
	}
	v, err := d.Cluster.Read(ctx)
	if err != nil {
		return NewToken{}, err
	}
	t, err := tokenFor(v, in.At)
	if err != nil {
		return NewToken{}, err
	}
	expires := d.Clock.Now().Add(ttl)
	_, err = d.Cluster.Propose(ctx, command.Envelope{ID: d.NewID(), By: command.By{System: command.Operator}, Command: &command.JoinTokenCreate{
		ID: model.TokenID(t.ID), Role: in.Role, Name: in.Name, SecretHash: t.SecretHash(), ExpiresAt: expires.UnixNano()}})
	if err != nil {
		return NewToken{}, err
	}
	text, err := t.Text()
	return NewToken{ID: t.ID, Token: text, ExpiresAt: expires.UTC().Format(time.RFC3339)}, err
}

// tokenFor makes a token that says how to know and where to find the cluster.
func tokenFor(v state.View, addresses []string) (pki.Token, error) {
	const op = "operator.newToken"
	a, c := v.Authority(), v.Cluster()
	if a == nil || c == nil {
		return pki.Token{}, errs.Errorf(op, errs.Unavailable, "The cluster is not initialized yet.")
	}
	authority, err := pki.AuthorityFingerprint(a.Certificate)
	if err != nil {
		return pki.Token{}, err
	}
	if len(addresses) == 0 {
		for n := range v.ControlNodes() {
			if len(addresses) < pki.MaxTokenAddresses {
				addresses = append(addresses, n.Address)
			}
		}
	}
	return pki.NewToken(c.ID, authority, addresses)
}
