package command

import "github.com/kvorum/kvorum/fsm/state"

// PortsCreate makes several ports at once, all or none (Networking API v2, "Bulk
// create ports").
//
// Rules: there is one, and at most MaxBulk; each is as PortCreate says, in
// order, with those before it there.
type PortsCreate struct {
	Items []*PortCreate `json:"items"`
}

// Kind implements Command.
func (*PortsCreate) Kind() string { return "ports.create/1" }

// Apply implements Command.
func (c *PortsCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	return applyAll("ports.create", c.Items, tx, m)
}

func examplePortsCreate() *PortsCreate {
	first, second := examplePortCreate(), examplePortCreate()
	first.ID, second.ID = "00000000-0000-4000-8000-0000000000ea", "00000000-0000-4000-8000-0000000000eb"
	first.MAC, second.MAC, first.Wants, second.Wants = "fa:16:3e:00:00:0a", "fa:16:3e:00:00:0b", nil, nil
	return &PortsCreate{Items: []*PortCreate{first, second}}
}

func workPortsCreate(g Gen) (Command, By, bool) {
	var all []*PortCreate
	by, ok := workAll(g, workPortCreate, &all)
	return &PortsCreate{Items: all}, by, ok
}
