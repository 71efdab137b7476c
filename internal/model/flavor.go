package model

import (
	"maps"
	"slices"
)

// Flavor is a size of server. Written by flavor.*, and by project.delete;
// servers keep a copy of their own.
type Flavor struct {
	ID          FlavorID `json:"id,omitzero"`
	Num         uint64   `json:"num,omitzero"`
	Name        string   `json:"name,omitzero"`
	Description string   `json:"description,omitzero"`
	// VCPUs in whole CPUs; RAM and Swap in MiB; Disk and Ephemeral in GiB.
	VCPUs     int `json:"vcpus,omitzero"`
	RAM       int `json:"ram,omitzero"`
	Disk      int `json:"disk,omitzero"`
	Ephemeral int `json:"ephemeral,omitzero"`
	Swap      int `json:"swap,omitzero"`
	// Private flavors are there for administrators and for Projects only, which
	// are in order.
	Private    bool              `json:"private,omitzero"`
	Projects   []ProjectID       `json:"projects,omitempty"`
	ExtraSpecs map[string]string `json:"extra_specs,omitempty"`
	CreatedAt  int64             `json:"created_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (f *Flavor) Clone() *Flavor {
	g := *f
	g.Projects, g.ExtraSpecs = slices.Clone(f.Projects), maps.Clone(f.ExtraSpecs)
	return &g
}

// UsableBy tells whether a project's users may see the flavor and make servers
// of it.
func (f *Flavor) UsableBy(p ProjectID) bool {
	_, open := slices.BinarySearch(f.Projects, p)
	return !f.Private || open
}
