package assign

// Desired is the whole truth for one host: every guest it holds or must get
// rid of, and every network its guests need.
type Desired struct {
	// ClusterID and Incarnation name the cluster; an agent bound to another
	// one refuses the whole.
	ClusterID   string `json:"cluster_id"`
	Incarnation uint64 `json:"incarnation"`
	// Index is the applied index that this was computed at. With Incarnation
	// it is the generation: an agent never goes back to an older one.
	Index uint64 `json:"index"`
	// HostID is the host that this is for.
	HostID string `json:"host_id"`
	// Guests are ordered by ID.
	Guests []Guest `json:"guests,omitempty"`
	// Networks are ordered by ID; only those that a guest here is plugged into
	// and those that their routers join.
	Networks []Network `json:"networks,omitempty"`
	// Routers are ordered by ID.
	Routers []Router `json:"routers,omitempty"`
	// Digest is over everything but Index and itself; see Sums.
	Digest string `json:"digest"`
}

// Sum computes the digest of d: equal for equal content, whatever the index.
func (d Desired) Sum() string { return NewSheet(d).Digest }

// Older tells whether d is of an older generation than than.
func (d Desired) Older(than Desired) bool {
	if d.Incarnation != than.Incarnation {
		return d.Incarnation < than.Incarnation
	}
	return d.Index < than.Index
}
