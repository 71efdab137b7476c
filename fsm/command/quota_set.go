package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// QuotaSet gives a project limits of its own.
//
// Rules: the actor is an administrator; the project is there; each resource is
// one of state.Resources and named once; a limit is model.Unlimited or from 0
// to MaxQuotaLimit, and not below what the project has, unless forced.
type QuotaSet struct {
	ProjectID model.ProjectID `json:"project_id"`
	Limits    []QuotaLimit    `json:"limits"`
	Force     bool            `json:"force,omitempty"`
}

// QuotaLimit is one limit of QuotaSet.
type QuotaLimit struct {
	Resource string `json:"resource"`
	Limit    int64  `json:"limit"`
}

// Kind implements Command.
func (*QuotaSet) Kind() string { return "quota.set/1" }

// MaxQuotaLimit is the greatest limit that is one.
const MaxQuotaLimit = 1<<31 - 1

// Apply implements Command.
func (c *QuotaSet) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "quota.set"
	if err := onlyAdmin(op, m.By); err != nil {
		return nil, err
	}
	if tx.Project(c.ProjectID) == nil {
		return nil, refuse(op, errs.Invalid, "Project ID %s is not a valid project.", c.ProjectID)
	}
	named := map[string]bool{}
	for _, l := range c.Limits {
		if named[l.Resource] {
			return nil, refuse(op, errs.Invalid, "Quota resource %s is named twice.", l.Resource)
		}
		named[l.Resource] = true
		if err := c.check(tx, l); err != nil {
			return nil, err
		}
		tx.PutQuota(&model.Quota{ProjectID: c.ProjectID, Resource: l.Resource, Limit: l.Limit})
	}
	return []string{string(c.ProjectID)}, nil
}

func (c *QuotaSet) check(tx *state.Tx, l QuotaLimit) error {
	const op = "quota.set"
	if _, known := state.ResourceNamed(l.Resource); !known {
		return refuse(op, errs.Invalid, "Unknown quota resources ['%s'].", l.Resource)
	}
	if l.Limit < model.Unlimited {
		return refuse(op, errs.Invalid, "Quota limit %d for %s must be -1 or greater.", l.Limit, l.Resource)
	}
	if l.Limit > MaxQuotaLimit {
		return refuse(op, errs.Invalid, "Quota limit %d for %s must be at most %d.", l.Limit, l.Resource, MaxQuotaLimit)
	}
	if used := tx.Used(c.ProjectID, l.Resource); l.Limit != model.Unlimited && l.Limit < used && !c.Force {
		return refuse(op, errs.Invalid, "Quota limit %d for %s must be greater than or equal to already used and reserved %d.", l.Limit, l.Resource, used)
	}
	return nil
}

func exampleQuotaSet() *QuotaSet {
	return &QuotaSet{ProjectID: "000000000000000000000000000000a1", Limits: []QuotaLimit{{"cores", 40}, {"instances", model.Unlimited}}, Force: true}
}

func workQuotaSet(g Gen) (Command, By, bool) {
	by, ok := asAdmin(g)
	p, haveProject := pick(g, g.View().Projects())
	if !ok || !haveProject {
		return nil, by, false
	}
	r := state.Resources[g.Intn(len(state.Resources))]
	return &QuotaSet{ProjectID: p.ID, Limits: []QuotaLimit{{r.Name, r.Default/2 + int64(g.Intn(int(r.Default)))}}, Force: g.Intn(4) == 0}, by, true
}
