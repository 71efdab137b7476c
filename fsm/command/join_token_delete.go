package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// JoinTokenDelete takes a join token back. A node that joined with it stays.
//
// Rules: the actor is the operator or an administrator; the token is there.
type JoinTokenDelete struct {
	ID model.TokenID `json:"id"`
}

// Kind implements Command.
func (*JoinTokenDelete) Kind() string { return "join_token.delete/1" }

// Apply implements Command.
func (c *JoinTokenDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "join_token.delete"
	if err := onlyOperator(op, m.By); err != nil {
		return nil, err
	}
	if tx.JoinToken(c.ID) == nil {
		return nil, refuse(op, errs.NotFound, "There is no join token %s.", c.ID)
	}
	tx.DeleteJoinToken(c.ID)
	return []string{string(c.ID)}, nil
}

func exampleJoinTokenDelete() *JoinTokenDelete {
	return &JoinTokenDelete{ID: "00000000-0000-4000-8000-0000000000aa"}
}

func workJoinTokenDelete(g Gen) (Command, By, bool) {
	t, ok := pick(g, g.View().JoinTokens())
	if !ok {
		return nil, By{}, false
	}
	return &JoinTokenDelete{ID: t.ID}, By{System: Operator}, true
}
