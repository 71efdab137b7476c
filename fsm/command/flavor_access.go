package command

import (
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// FlavorAccess lets a project use a private flavor, or no longer (Compute API,
// "Flavors access"). Servers of it that are there stay.
//
// Rules: the actor is an administrator; flavor and project are there; the
// access is new, respectively there; a flavor has at most maxFlavorAccess.
type FlavorAccess struct {
	ID        model.FlavorID  `json:"id"`
	ProjectID model.ProjectID `json:"project_id"`
	// Allow gives the access, else it is taken.
	Allow bool `json:"allow,omitempty"`
}

// Kind implements Command.
func (*FlavorAccess) Kind() string { return "flavor.access/1" }

// maxFlavorAccess bounds how many projects may use one private flavor.
const maxFlavorAccess = 1000

// Apply implements Command.
func (c *FlavorAccess) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "flavor.access"
	f, err := changeFlavor(tx, m.By, op, c.ID)
	if err != nil {
		return nil, err
	}
	if tx.Project(c.ProjectID) == nil {
		return nil, refuse(op, errs.Invalid, "Project ID %s is not a valid project.", c.ProjectID)
	}
	at, has := slices.BinarySearch(f.Projects, c.ProjectID)
	switch {
	case c.Allow && has:
		return nil, refuse(op, errs.Conflict, "Flavor access already exists for flavor %s and project %s combination.", c.ID, c.ProjectID)
	case c.Allow && len(f.Projects) >= maxFlavorAccess:
		return nil, refuse(op, errs.Invalid, "Flavor %s is open to %d projects already, and cannot be to more.", c.ID, maxFlavorAccess)
	case c.Allow:
		f.Projects = slices.Insert(f.Projects, at, c.ProjectID)
	case !has:
		return nil, refuse(op, errs.NotFound, "Flavor access not found for %s / %s combination.", c.ID, c.ProjectID)
	default:
		f.Projects = slices.Delete(f.Projects, at, at+1)
	}
	tx.PutFlavor(f)
	return []string{string(c.ID)}, nil
}

// dropAccess takes a project that goes away from the flavors that were open to
// it.
func dropAccess(tx *state.Tx, p model.ProjectID) {
	for _, old := range collect(tx.Flavors()) {
		if at, has := slices.BinarySearch(old.Projects, p); has {
			f := old.Clone()
			f.Projects = slices.Delete(f.Projects, at, at+1)
			tx.PutFlavor(f)
		}
	}
}

func exampleFlavorAccess() *FlavorAccess {
	return &FlavorAccess{ID: "3", ProjectID: "000000000000000000000000000000a2", Allow: true}
}

func workFlavorAccess(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	f, haveFlavor := pick(g, g.View().Flavors())
	p, haveProject := pick(g, g.View().Projects())
	if !ok || !haveFlavor || !haveProject {
		return nil, by, false
	}
	return &FlavorAccess{ID: f.ID, ProjectID: p.ID, Allow: !f.UsableBy(p.ID) || g.Intn(4) > 0}, by, true
}
