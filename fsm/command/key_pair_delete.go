package command

import "github.com/kvorum/kvorum/internal/model"

// KeyPairDelete removes a key pair. Servers keep their own copy.
//
// Rules: the actor is that user or an administrator; the key pair is there.
type KeyPairDelete struct {
	UserID model.UserID `json:"user_id"`
	Name   string       `json:"name"`
}

// Kind implements Command.
func (*KeyPairDelete) Kind() string { return "key_pair.delete/1" }
