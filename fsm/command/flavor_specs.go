package command

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// FlavorSpecs changes a flavor's extra specs (Compute API, "Flavors
// extra-specs"). Servers keep those that they were made with.
//
// Rules: the actor is an administrator; the flavor is there; one to be unset
// is there; the result is well-formed, see checkSpecs.
type FlavorSpecs struct {
	ID model.FlavorID `json:"id"`
	// Set is added, or replaces what has the same names; Unset names one that
	// goes, empty for none.
	Set   map[string]string `json:"set,omitempty"`
	Unset string            `json:"unset,omitempty"`
}

// Kind implements Command.
func (*FlavorSpecs) Kind() string { return "flavor.specs/1" }

// Apply implements Command.
func (c *FlavorSpecs) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "flavor.specs"
	f, err := changeFlavor(tx, m.By, op, c.ID)
	if err != nil {
		return nil, err
	}
	if c.Unset != "" {
		if _, there := f.ExtraSpecs[c.Unset]; !there {
			return nil, refuse(op, errs.NotFound, "Flavor %s has no extra specs with key %s.", c.ID, c.Unset)
		}
		delete(f.ExtraSpecs, c.Unset)
	}
	if f.ExtraSpecs == nil {
		f.ExtraSpecs = map[string]string{}
	}
	maps.Copy(f.ExtraSpecs, c.Set)
	if err := checkSpecs(op, f.ExtraSpecs); err != nil {
		return nil, err
	}
	tx.PutFlavor(f)
	return []string{string(c.ID)}, nil
}

// checkSpecs checks extra specs: not too many, with names and values that the
// API can show.
func checkSpecs(op string, specs map[string]string) error {
	if len(specs) > maxExtraSpecs {
		return refuse(op, errs.Invalid, "%d extra specs are more than %d", len(specs), maxExtraSpecs)
	}
	for _, k := range slices.Sorted(maps.Keys(specs)) {
		if !extraSpecForm.MatchString(k) {
			return refuse(op, errs.Invalid, "Invalid extra spec name '%s'", k)
		}
	}
	return invalid(op, model.CheckMap("extra spec", specs))
}

func exampleFlavorSpecs() *FlavorSpecs {
	return &FlavorSpecs{ID: "1", Set: map[string]string{"rack": "north", "hw:cpu_policy": "shared"}}
}

func workFlavorSpecs(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	f, haveFlavor := pick(g, g.View().Flavors())
	if !ok || !haveFlavor {
		return nil, by, false
	}
	name := fmt.Sprintf("label-%d", g.Intn(4))
	if g.Intn(3) == 0 {
		return &FlavorSpecs{ID: f.ID, Unset: name}, by, true
	}
	return &FlavorSpecs{ID: f.ID, Set: map[string]string{name: fmt.Sprint(g.Intn(9))}}, by, true
}
