package command

import "github.com/kvorum/kvorum/fsm/state"

// SubnetsCreate makes several subnets at once, all or none (Networking API v2, "Bulk
// create subnets").
//
// Rules: there is one, and at most MaxBulk; each is as SubnetCreate says, in
// order, with those before it there.
type SubnetsCreate struct {
	Items []*SubnetCreate `json:"items"`
}

// Kind implements Command.
func (*SubnetsCreate) Kind() string { return "subnets.create/1" }

// Apply implements Command.
func (c *SubnetsCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	return applyAll("subnets.create", c.Items, tx, m)
}

func exampleSubnetsCreate() *SubnetsCreate {
	first, second := exampleSubnetCreate(), exampleSubnetCreate()
	first.ID, second.ID = "00000000-0000-4000-8000-0000000000e8", "00000000-0000-4000-8000-0000000000e9"
	first.CIDR, first.Gateway, second.CIDR, second.Gateway = "10.8.0.0/24", "", "10.9.0.0/24", ""
	return &SubnetsCreate{Items: []*SubnetCreate{first, second}}
}

func workSubnetsCreate(g Gen) (Command, By, bool) {
	var all []*SubnetCreate
	by, ok := workAll(g, workSubnetCreate, &all)
	return &SubnetsCreate{Items: all}, by, ok
}
