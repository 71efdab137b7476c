package rest

import (
	"slices"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// Caller is who asks, as its token says.
type Caller struct {
	User    *model.User
	Project *model.Project // nil for an unscoped token
	// Roles are names, implied ones included.
	Roles []string
	// AuditIDs name the token and the one that it was made from.
	AuditIDs []string
	// Token is everything that the identity API shows of the token; only that
	// package looks into it.
	Token any
}

// Has tells whether the caller has a role.
func (c Caller) Has(role string) bool { return slices.Contains(c.Roles, role) }

// Admin tells whether the caller may act on everything.
func (c Caller) Admin() bool { return c.Has("admin") }

// ProjectID is the project that the token is scoped to; empty for none.
func (c Caller) ProjectID() model.ProjectID {
	if c.Project == nil {
		return ""
	}
	return c.Project.ID
}

// By is the caller as the log knows it, with the epochs that the request was
// authorized under.
func (c Caller) By() command.By {
	by := command.By{UserID: c.User.ID, UserEpoch: c.User.Epoch, Admin: c.Admin()}
	if c.Project != nil {
		by.ProjectID, by.ProjectEpoch = c.Project.ID, c.Project.Epoch
	}
	return by
}

// Persona is the least that a caller must be for a route.
type Persona int

// The personas, each containing the ones after it.
const (
	Nobody Persona = iota // no token is asked for
	Anyone                // any valid token
	Reader                // reads its project's things
	Member                // writes its project's things
	Admin                 // everything
)

// String names the persona.
func (p Persona) String() string {
	return [...]string{"nobody", "anyone", "reader", "member", "admin"}[p]
}

// Allows tells whether the caller is at least the persona.
func (p Persona) Allows(c Caller) bool {
	switch p {
	case Reader:
		return c.Project != nil && (c.Has("reader") || c.Admin())
	case Member:
		return c.Project != nil && (c.Has("member") || c.Admin())
	case Admin:
		return c.Admin()
	}
	return true
}
