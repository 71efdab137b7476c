package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// QuotaReset takes a project's own limits of some resources away; the defaults
// hold again. A quota API names the resources of its own door.
//
// Rules: the actor is an administrator; there is at least one resource, and
// each is one of state.Resources. A project without own limits stays as it is.
type QuotaReset struct {
	ProjectID model.ProjectID `json:"project_id"`
	Resources []string        `json:"resources"`
}

// Kind implements Command.
func (*QuotaReset) Kind() string { return "quota.reset/1" }

// Apply implements Command.
func (c *QuotaReset) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "quota.reset"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if len(c.Resources) == 0 {
		return nil, refuse(op, errs.Invalid, "no resource is named")
	}
	for _, name := range c.Resources {
		if _, known := state.ResourceNamed(name); !known {
			return nil, refuse(op, errs.Invalid, "Unknown quota resources ['%s'].", name)
		}
		tx.DeleteQuota(c.ProjectID, name)
	}
	return []string{string(c.ProjectID)}, nil
}

func exampleQuotaReset() *QuotaReset {
	return &QuotaReset{ProjectID: "000000000000000000000000000000a1", Resources: []string{"instances", "cores", "ram"}}
}

func workQuotaReset(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	q, haveQuota := pick(g, g.View().Quotas())
	if !ok || !haveQuota {
		return nil, by, false
	}
	return &QuotaReset{ProjectID: q.ProjectID, Resources: []string{q.Resource}}, by, true
}
