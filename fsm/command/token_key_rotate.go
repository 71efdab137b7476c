package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// TokenKeyRotate adds a token key, which becomes the primary one, and drops
// the oldest.
//
// Rules: the actor is the leader or an administrator; the key is sealed and
// not empty; Keep, from 1 to MaxTokenKeys, is how many keys stay, the new one
// included. Tokens of a dropped key are no longer valid.
type TokenKeyRotate struct {
	// Sealed is under the cluster's data key.
	Sealed []byte `json:"sealed"`
	Keep   int    `json:"keep"`
}

// Kind implements Command.
func (*TokenKeyRotate) Kind() string { return "token_key.rotate/1" }

// MaxTokenKeys is how many token keys are kept at most.
const MaxTokenKeys = 64

// maxSealedKey bounds a sealed token key, in bytes.
const maxSealedKey = 4096

// Apply implements Command.
func (c *TokenKeyRotate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "token_key.rotate"
	if m.By.System != Leader {
		if err := onlyAdmin(op, m.By); err != nil {
			return nil, err
		}
	}
	if len(c.Sealed) == 0 || len(c.Sealed) > maxSealedKey {
		return nil, refuse(op, errs.Invalid, "a sealed key has 1 to %d bytes, not %d", maxSealedKey, len(c.Sealed))
	}
	if c.Keep < 1 || c.Keep > MaxTokenKeys {
		return nil, refuse(op, errs.Invalid, "1 to %d keys are kept, not %d", MaxTokenKeys, c.Keep)
	}
	num := tx.Next(lastKey)
	tx.PutTokenKey(&model.TokenKey{Num: num, Sealed: c.Sealed, CreatedAt: m.At})
	keys := collect(tx.TokenKeys())
	for _, k := range keys[:max(0, len(keys)-c.Keep)] {
		tx.DeleteTokenKey(k.Num)
	}
	return []string{fmt.Sprint(num)}, nil
}

func exampleTokenKeyRotate() *TokenKeyRotate {
	return &TokenKeyRotate{Sealed: []byte("sealed too"), Keep: 3}
}

func workTokenKeyRotate(g Gen) (Command, By, bool) {
	return &TokenKeyRotate{Sealed: []byte(g.Hex()), Keep: 1 + g.Intn(4)}, By{System: Leader, Term: g.View().Term}, true
}
