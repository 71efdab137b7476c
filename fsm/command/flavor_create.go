package command

import "github.com/kvorum/kvorum/internal/model"

// FlavorCreate makes a flavor (Compute API, "Create Flavor"). Units are those
// of model.Flavor.
//
// Rules: the actor is an administrator; id and name are well-formed and both
// new; there is at least one CPU and 1 MiB; no number is negative or above
// MaxFlavorNumber; extra specs are well-formed.
type FlavorCreate struct {
	ID          model.FlavorID    `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	VCPUs       int               `json:"vcpus"`
	RAM         int               `json:"ram"`
	Disk        int               `json:"disk"`
	Ephemeral   int               `json:"ephemeral,omitempty"`
	Swap        int               `json:"swap,omitempty"`
	Private     bool              `json:"private,omitempty"`
	ExtraSpecs  map[string]string `json:"extra_specs,omitempty"`
}

// Kind implements Command.
func (*FlavorCreate) Kind() string { return "flavor.create/1" }
