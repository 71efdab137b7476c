package command

import "github.com/kvorum/kvorum/fsm/state"

// NetworksCreate makes several networks at once, all or none (Networking API v2, "Bulk
// create networks").
//
// Rules: there is one, and at most MaxBulk; each is as NetworkCreate says, in
// order, with those before it there.
type NetworksCreate struct {
	Items []*NetworkCreate `json:"items"`
}

// Kind implements Command.
func (*NetworksCreate) Kind() string { return "networks.create/1" }

// Apply implements Command.
func (c *NetworksCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	return applyAll("networks.create", c.Items, tx, m)
}

func exampleNetworksCreate() *NetworksCreate {
	first, second := exampleNetworkCreate(), exampleNetworkCreate()
	first.ID, second.ID = "00000000-0000-4000-8000-0000000000e6", "00000000-0000-4000-8000-0000000000e7"
	return &NetworksCreate{Items: []*NetworkCreate{first, second}}
}

func workNetworksCreate(g Gen) (Command, By, bool) {
	var all []*NetworkCreate
	by, ok := workAll(g, workNetworkCreate, &all)
	return &NetworksCreate{Items: all}, by, ok
}
