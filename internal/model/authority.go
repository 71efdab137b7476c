package model

// Authority is the one row of the cluster's own certificate authority, and of
// the secrets that every member needs. Written by cluster.init.
type Authority struct {
	// Certificate is the authority's, DER.
	Certificate []byte `json:"certificate,omitempty"`
	// Key and GossipKey are sealed under the cluster's data key.
	Key       []byte `json:"key,omitempty"`
	GossipKey []byte `json:"gossip_key,omitempty"`
	CreatedAt int64  `json:"created_at,omitzero"`
}
