package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// accessList are the projects that a private flavor is open to.
func accessList(c *rest.Call, f *model.Flavor) rest.Answer {
	out := []object{}
	for _, p := range f.Projects {
		out = append(out, object{"flavor_id": f.ID, "tenant_id": p})
	}
	return rest.JSON(http.StatusOK, object{"flavor_access": out})
}

func listFlavorAccess(c *rest.Call) (rest.Answer, error) {
	f, err := findFlavor(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if !f.Private {
		return rest.Answer{}, errs.Errorf("compute.flavor", errs.NotFound, "Access list not available for public flavors.")
	}
	return accessList(c, f), nil
}

var tenantRule = record(has("tenant", text(1, model.MaxName, nil)).must())

// decideAccess is the command for a flavor's action.
func decideAccess(c *rest.Call, f *model.Flavor, name string, arg any) (*command.FlavorAccess, error) {
	if name != "addTenantAccess" && name != "removeTenantAccess" {
		return nil, invalid("There is no such action: %s", shorten(name))
	}
	if err := tenantRule(name, arg, c.Version); err != nil {
		return nil, err
	}
	add := name == "addTenantAccess"
	if add && !f.Private && c.Version.AtLeast(7) {
		return nil, errs.Errorf("compute.flavor", errs.Conflict, "Can not add access to a public flavor.")
	}
	return &command.FlavorAccess{ID: f.ID, ProjectID: model.ProjectID(arg.(object)["tenant"].(string)), Allow: add}, nil
}

func flavorAction(c *rest.Call) (rest.Answer, error) {
	body, err := decode(c)
	if err != nil {
		return rest.Answer{}, err
	}
	in := body.(object)
	if len(in) != 1 {
		return rest.Answer{}, invalid("Malformed request body: it must have exactly one action")
	}
	f, err := findFlavor(c)
	if err != nil {
		return rest.Answer{}, err
	}
	for name, arg := range in {
		cmd, err := decideAccess(c, f, name, arg)
		if err != nil {
			return rest.Answer{}, err
		}
		if _, err := c.Do(cmd); err != nil {
			return rest.Answer{}, err
		}
	}
	if f, err = findFlavor(c); err != nil {
		return rest.Answer{}, err
	}
	return accessList(c, f), nil
}
