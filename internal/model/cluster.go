package model

// Cluster is the one row that names the cluster and holds its counters.
// Written by cluster.init and, for counters and Time, by every command that
// takes a number.
type Cluster struct {
	// ID is the cluster's UUID, fixed at bootstrap.
	ID string `json:"id,omitzero"`
	// Incarnation rises with each restore from a backup; what belongs to an
	// older one is refused.
	Incarnation uint64 `json:"incarnation,omitzero"`
	// Region is the region's name as clients see it.
	Region string `json:"region,omitzero"`
	// FeatureLevel gates commands that not every node may know yet.
	FeatureLevel uint64 `json:"feature_level,omitzero"`
	// CreatedAt is when it was bootstrapped.
	CreatedAt int64 `json:"created_at,omitzero"`
	// Last* are the last integer ids given out, by kind.
	LastServer  uint64 `json:"last_server,omitzero"`
	LastImage   uint64 `json:"last_image,omitzero"`
	LastFlavor  uint64 `json:"last_flavor,omitzero"`
	LastKeyPair uint64 `json:"last_key_pair,omitzero"`
	LastHost    uint64 `json:"last_host,omitzero"`
	LastRouter  uint64 `json:"last_router,omitzero"`
	LastSegment uint64 `json:"last_segment,omitzero"`
	LastKey     uint64 `json:"last_key,omitzero"`
}

// Clone gives a copy that may be changed.
func (c *Cluster) Clone() *Cluster { d := *c; return &d }
