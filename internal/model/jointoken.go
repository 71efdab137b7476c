package model

// MaxTokenLife is how long a join token lives at most, in nanoseconds: 15
// minutes.
const MaxTokenLife = int64(15 * 60 * 1_000_000_000)

// JoinToken lets one node join once. Written by join_token.create and node.join;
// removed by join_token.delete and by expire.
type JoinToken struct {
	ID TokenID `json:"id,omitzero"`
	// Role and Name are those of the one node that may use it.
	Role string `json:"role,omitzero"`
	Name string `json:"name,omitzero"`
	// SecretHash is the SHA-256 of the secret, which is 256 bits of chance;
	// never the secret.
	SecretHash []byte `json:"secret_hash,omitempty"`
	CreatedAt  int64  `json:"created_at,omitzero"`
	ExpiresAt  int64  `json:"expires_at,omitzero"`
	// UsedAt is when a node joined with it; then UsedKey is the hash of that
	// node's public key, NodeID its id, and Serial names its certificate.
	UsedAt  int64  `json:"used_at,omitzero"`
	UsedKey string `json:"used_key,omitzero"`
	NodeID  NodeID `json:"node_id,omitzero"`
	Serial  string `json:"serial,omitzero"`
}

// Clone gives a copy that may be changed.
func (t *JoinToken) Clone() *JoinToken { u := *t; return &u }

// Open tells whether a node may still join with the token at a time.
func (t *JoinToken) Open(at int64) bool { return t.UsedAt == 0 && t.ExpiresAt > at }
