package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// FlavorUpdate changes a flavor's description (Compute API, "Update Flavor
// Description"); nothing else of a flavor ever changes under those who use it.
//
// Rules: the actor is an administrator; the flavor is there; the description
// is well-formed, and empty for none.
type FlavorUpdate struct {
	ID          model.FlavorID `json:"id"`
	Description string         `json:"description,omitempty"`
}

// Kind implements Command.
func (*FlavorUpdate) Kind() string { return "flavor.update/1" }

// Apply implements Command.
func (c *FlavorUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "flavor.update"
	f, err := changeFlavor(tx, m.By, op, c.ID)
	if err != nil {
		return nil, err
	}
	if err := invalid(op, model.CheckText("description", c.Description, maxDescription)); err != nil {
		return nil, err
	}
	f.Description = c.Description
	tx.PutFlavor(f)
	return []string{string(c.ID)}, nil
}

// changeFlavor gives a copy of a flavor that an administrator changes.
func changeFlavor(tx *state.Tx, by By, op string, id model.FlavorID) (*model.Flavor, error) {
	if err := onlyAdmin(op, by); err != nil {
		return nil, err
	}
	f := tx.Flavor(id)
	if f == nil {
		return nil, refuse(op, errs.NotFound, "Flavor %s could not be found.", id)
	}
	return f.Clone(), nil
}

func exampleFlavorUpdate() *FlavorUpdate {
	return &FlavorUpdate{ID: "1", Description: "for trying things out"}
}

func workFlavorUpdate(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	f, haveFlavor := pick(g, g.View().Flavors())
	if !ok || !haveFlavor {
		return nil, by, false
	}
	return &FlavorUpdate{ID: f.ID, Description: fmt.Sprintf("size %d", g.Intn(5))}, by, true
}
