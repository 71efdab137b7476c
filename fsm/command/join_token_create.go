package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// JoinTokenCreate lets one node join the cluster, once and soon.
//
// Rules: the actor is the operator or an administrator; the cluster has an
// authority; the id is new, role and name are those of a node, the secret comes
// as its hash. It ends after now, and within 15 minutes. At most MaxOpenTokens
// are open at once.
type JoinTokenCreate struct {
	ID   model.TokenID `json:"id"`
	Role string        `json:"role"`
	// Name is that of the one node that may use it.
	Name string `json:"name"`
	// SecretHash is the SHA-256 of the secret.
	SecretHash []byte `json:"secret_hash"`
	ExpiresAt  int64  `json:"expires_at"`
}

// MaxOpenTokens is how many join tokens may be open at once.
const MaxOpenTokens = 1000

// Kind implements Command.
func (*JoinTokenCreate) Kind() string { return "join_token.create/1" }

// Apply implements Command.
func (c *JoinTokenCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "join_token.create"
	if err := onlyOperator(op, m.By); err != nil {
		return nil, err
	}
	if tx.Authority() == nil {
		return nil, refuse(op, errs.Conflict, "This cluster has no certificate authority: nobody can join it.")
	}
	if err := newUUID(op, string(c.ID), tx.JoinToken(c.ID) != nil); err != nil {
		return nil, err
	}
	if c.Role != model.NodeControl && c.Role != model.NodeAgent {
		return nil, refuse(op, errs.Invalid, "The role is %s or %s, not %q.", model.NodeControl, model.NodeAgent, c.Role)
	}
	if err := invalid(op, model.CheckNodeName(c.Name)); err != nil {
		return nil, err
	}
	if err := invalid(op, checkSecretHash(c.SecretHash)); err != nil {
		return nil, err
	}
	if c.ExpiresAt <= m.At || c.ExpiresAt > m.At+model.MaxTokenLife {
		return nil, refuse(op, errs.Invalid, "A join token ends within 15 minutes.")
	}
	open := 0
	for range tx.OpenJoinTokens(m.At) {
		open++
	}
	if open >= MaxOpenTokens {
		return nil, refuse(op, errs.Conflict, "There are %d open join tokens, and no more may be: delete some.", open)
	}
	tx.PutJoinToken(&model.JoinToken{ID: c.ID, Role: c.Role, Name: c.Name, SecretHash: c.SecretHash, CreatedAt: m.At, ExpiresAt: c.ExpiresAt})
	return []string{string(c.ID)}, nil
}

func exampleJoinTokenCreate() *JoinTokenCreate {
	return &JoinTokenCreate{ID: "00000000-0000-4000-8000-0000000000aa", Role: model.NodeControl, Name: "c2",
		SecretHash: make([]byte, 32), ExpiresAt: 600e9}
}

func workJoinTokenCreate(g Gen) (Command, By, bool) {
	c := &JoinTokenCreate{ID: model.TokenID(g.UUID()), Role: model.NodeControl, Name: "c-" + g.Hex()[:8], SecretHash: []byte(g.Hex()),
		ExpiresAt: g.View().At + 600e9 + int64(g.Intn(400))*1e9}
	if g.Intn(2) == 0 {
		c.Role, c.Name = model.NodeAgent, "h-"+g.Hex()[:8]
	}
	if h, ok := pick(g, g.View().Hosts()); ok && g.Intn(4) == 0 {
		c.Role, c.Name = model.NodeAgent, h.Name
	}
	if g.Intn(2) == 0 {
		return c, By{System: Operator}, true
	}
	by, ok := asAdmin(g)
	return c, by, ok
}
