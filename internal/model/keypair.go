package model

// KeyPair is the public half of a user's SSH key or X.509 certificate. It
// belongs to a user, not to a project. Written by key_pair.create and
// key_pair.delete.
type KeyPair struct {
	UserID UserID `json:"user_id,omitzero"`
	Name   string `json:"name,omitzero"`
	Num    uint64 `json:"num,omitzero"`
	// Type is ssh or x509.
	Type        string `json:"type,omitzero"`
	PublicKey   string `json:"public_key,omitzero"`
	Fingerprint string `json:"fingerprint,omitzero"`
	CreatedAt   int64  `json:"created_at,omitzero"`
}
