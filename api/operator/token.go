package operator

import (
	"context"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
)

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
	var in TokenRequest
	if err := body(r, &in, "role, name and ttl"); err != nil {
		return nil, err
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
	err = d.propose(ctx, &command.JoinTokenCreate{ID: model.TokenID(t.ID), Role: in.Role, Name: in.Name, SecretHash: t.SecretHash(), ExpiresAt: expires.UnixNano()})
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

// Token is a join token as it is listed: nobody can join with what is told here.
type Token struct {
	ID   string `json:"id"`
	Role string `json:"role"`
	Name string `json:"name"`
	// State is open, used or expired.
	State     string `json:"state"`
	ExpiresAt string `json:"expires_at"`
	// Node is the id of the node that joined with it; empty if none did.
	Node string `json:"node"`
}

// listTokens lists the join tokens, the first to end first: those that are over
// stay for a while.
func (d *Verbs) listTokens(ctx context.Context, _ *http.Request) (any, error) {
	v, err := d.Cluster.Read(ctx)
	if err != nil {
		return nil, err
	}
	out := []Token{}
	for t := range v.JoinTokensByExpiry() {
		row := Token{ID: string(t.ID), Role: t.Role, Name: t.Name, State: "expired", Node: string(t.NodeID),
			ExpiresAt: time.Unix(0, t.ExpiresAt).UTC().Format(time.RFC3339)}
		switch {
		case t.UsedAt != 0:
			row.State = "used"
		case t.Open(d.Clock.Now().UnixNano()):
			row.State = "open"
		}
		out = append(out, row)
	}
	return map[string]any{"tokens": out}, nil
}

// deleteToken takes a join token back. Who joined with it stays.
func (d *Verbs) deleteToken(ctx context.Context, r *http.Request) (any, error) {
	return struct{}{}, d.propose(ctx, &command.JoinTokenDelete{ID: model.TokenID(r.PathValue("id"))})
}
