package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// TokenRevoke ends a token, and all that were made from it, before its time.
//
// Rules: the actor is a user (whether the token is theirs to revoke is policy)
// or the leader; the audit id is well-formed. A token that has expired already
// needs no record; of two records the one that stays longer is kept.
type TokenRevoke struct {
	AuditID string `json:"audit_id"`
	// ExpiresAt is when the last token with that audit id ends by itself, Unix
	// nanoseconds.
	ExpiresAt int64 `json:"expires_at"`
}

// Kind implements Command.
func (*TokenRevoke) Kind() string { return "token.revoke/1" }

// maxAuditID bounds an audit id, in characters; ours have 22.
const maxAuditID = 64

// Apply implements Command.
func (c *TokenRevoke) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "token.revoke"
	if m.By.UserID == "" && m.By.System != Leader {
		return nil, refuse(op, errs.Forbidden, "only a user or the leader may do this")
	}
	if err := invalid(op, model.CheckName("audit id", c.AuditID)); err != nil {
		return nil, err
	}
	if err := invalid(op, model.CheckText("audit id", c.AuditID, maxAuditID)); err != nil {
		return nil, err
	}
	if old := tx.Revocation(c.AuditID); c.ExpiresAt <= m.At || old != nil && old.ExpiresAt >= c.ExpiresAt {
		return nil, nil
	}
	tx.PutRevocation(&model.Revocation{AuditID: c.AuditID, ExpiresAt: c.ExpiresAt})
	return nil, nil
}

func exampleTokenRevoke() *TokenRevoke {
	return &TokenRevoke{AuditID: "AAAAAAAAAAAAAAAAAAAAAA", ExpiresAt: 3600e9}
}

func workTokenRevoke(g Gen) (Command, By, bool) {
	by, ok := anybody(g)
	return &TokenRevoke{AuditID: g.Hex()[:22], ExpiresAt: g.View().At + int64(g.Intn(3600))*1e9}, by, ok
}
