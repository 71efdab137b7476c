package model

import "maps"

// Flavor is a size of server. Written by flavor.create and flavor.delete;
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
	// Private flavors are seen by administrators only.
	Private    bool              `json:"private,omitzero"`
	ExtraSpecs map[string]string `json:"extra_specs,omitempty"`
	CreatedAt  int64             `json:"created_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (f *Flavor) Clone() *Flavor { g := *f; g.ExtraSpecs = maps.Clone(f.ExtraSpecs); return &g }
