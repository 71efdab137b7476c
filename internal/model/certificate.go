package model

// Certificate is the record of a certificate that the cluster's authority gave
// to a node. Written by cluster.init, node.join and node.remove; removed by
// expire when it has ended.
type Certificate struct {
	// Serial is its serial number in 32 hex digits.
	Serial string `json:"serial,omitzero"`
	Role   string `json:"role,omitzero"`
	NodeID NodeID `json:"node_id,omitzero"`
	Name   string `json:"name,omitzero"`
	// KeyHash is the SHA-256 of its public key (SubjectPublicKeyInfo), in hex.
	KeyHash   string `json:"key_hash,omitzero"`
	NotBefore int64  `json:"not_before,omitzero"`
	NotAfter  int64  `json:"not_after,omitzero"`
	// RevokedAt is when it was taken back; 0 while it is good.
	RevokedAt int64 `json:"revoked_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (c *Certificate) Clone() *Certificate { d := *c; return &d }
