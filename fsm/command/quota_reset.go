package command

import "github.com/kvorum/kvorum/internal/model"

// QuotaReset takes a project's own limits away; the defaults hold again.
//
// Rules: the actor is an administrator. A project without own limits stays as
// it is.
type QuotaReset struct {
	ProjectID model.ProjectID `json:"project_id"`
}

// Kind implements Command.
func (*QuotaReset) Kind() string { return "quota.reset/1" }
