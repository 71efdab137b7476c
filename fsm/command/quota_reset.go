package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// QuotaReset takes a project's own limits away; the defaults hold again.
//
// Rules: the actor is an administrator. A project without own limits stays as
// it is.
type QuotaReset struct {
	ProjectID model.ProjectID `json:"project_id"`
}

// Kind implements Command.
func (*QuotaReset) Kind() string { return "quota.reset/1" }

// Apply implements Command.
func (c *QuotaReset) Apply(tx *state.Tx, m Meta) ([]string, error) {
	if err := onlyAdmin("quota.reset", m.By); err != nil {
		return nil, err
	}
	for _, r := range state.Resources {
		tx.DeleteQuota(c.ProjectID, r.Name)
	}
	return []string{string(c.ProjectID)}, nil
}

func exampleQuotaReset() *QuotaReset {
	return &QuotaReset{ProjectID: "000000000000000000000000000000a1"}
}

func workQuotaReset(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	q, haveQuota := pick(g, g.View().Quotas())
	if !ok || !haveQuota {
		return nil, by, false
	}
	return &QuotaReset{ProjectID: q.ProjectID}, by, true
}
