package command

import "github.com/kvorum/kvorum/internal/model"

// KeyPairCreate stores a user's public key (Compute API, "Create Or Import
// Keypair").
//
// Rules: the actor is that user or an administrator; the user is there; name,
// type and key are well-formed; the user has fewer than state.MaxKeyPairs; the
// name is new for the user.
type KeyPairCreate struct {
	UserID model.UserID `json:"user_id"`
	Name   string       `json:"name"`
	// Type is ssh or x509.
	Type        string `json:"type"`
	PublicKey   string `json:"public_key"`
	Fingerprint string `json:"fingerprint"`
}

// Kind implements Command.
func (*KeyPairCreate) Kind() string { return "key_pair.create/1" }
