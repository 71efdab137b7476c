package model

import "slices"

// Router joins subnets of a project and may lead outside. Its interfaces are
// ports. Written by router.* and tags.change.
type Router struct {
	ID          RouterID  `json:"id,omitzero"`
	Num         uint64    `json:"num,omitzero"`
	ProjectID   ProjectID `json:"project_id,omitzero"`
	Name        string    `json:"name,omitzero"`
	Description string    `json:"description,omitzero"`
	Down        bool      `json:"down,omitzero"`
	// ExternalNetworkID is where its gateway is; empty for none.
	ExternalNetworkID NetworkID `json:"external_network_id,omitzero"`
	Tags              []string  `json:"tags,omitempty"`
	Revision          uint64    `json:"revision,omitzero"`
	CreatedAt         int64     `json:"created_at,omitzero"`
	UpdatedAt         int64     `json:"updated_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (r *Router) Clone() *Router { s := *r; s.Tags = slices.Clone(r.Tags); return &s }
