package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// FlavorDelete removes a flavor. Servers keep their own copy.
//
// Rules: the actor is an administrator; the flavor is there.
type FlavorDelete struct {
	ID model.FlavorID `json:"id"`
}

// Kind implements Command.
func (*FlavorDelete) Kind() string { return "flavor.delete/1" }

// Apply implements Command.
func (c *FlavorDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "flavor.delete"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if tx.Flavor(c.ID) == nil {
		return nil, refuse(op, errs.NotFound, "Flavor %s could not be found.", c.ID)
	}
	tx.DeleteFlavor(c.ID)
	return []string{string(c.ID)}, nil
}

func exampleFlavorDelete() *FlavorDelete { return &FlavorDelete{ID: "3"} }

func workFlavorDelete(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	f, haveFlavor := pick(g, g.View().Flavors())
	// The first two stay, so that servers can always be made.
	if !ok || !haveFlavor || f.Num <= 2 {
		return nil, by, false
	}
	return &FlavorDelete{ID: f.ID}, by, true
}
