package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// KeyPairDelete removes a key pair. Servers keep their own copy.
//
// Rules: the actor is that user or an administrator; the key pair is there.
type KeyPairDelete struct {
	UserID model.UserID `json:"user_id"`
	Name   string       `json:"name"`
}

// Kind implements Command.
func (*KeyPairDelete) Kind() string { return "key_pair.delete/1" }

// Apply implements Command.
func (c *KeyPairDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if !sameUser(m.By, c.UserID) || tx.KeyPair(c.UserID, c.Name) == nil {
		return nil, refuse("key_pair.delete", errs.NotFound, "Keypair %s not found for user %s", c.Name, c.UserID)
	}
	tx.DeleteKeyPair(c.UserID, c.Name)
	return []string{c.Name}, nil
}

func exampleKeyPairDelete() *KeyPairDelete {
	return &KeyPairDelete{UserID: "000000000000000000000000000000b1", Name: "laptop"}
}

func workKeyPairDelete(g Gen) (Command, By, bool) {
	by, ok := anybody(g)
	k, haveKey := pick(g, g.View().KeyPairs())
	if !ok || !haveKey {
		return nil, by, false
	}
	return &KeyPairDelete{UserID: k.UserID, Name: k.Name}, by, true
}
