package command

import "github.com/kvorum/kvorum/internal/model"

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
