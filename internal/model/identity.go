package model

import (
	"maps"
	"slices"
)

// Domain is a name space of users and projects (Identity v3, "Domains").
// Written by domain.create.
type Domain struct {
	ID          DomainID `json:"id,omitzero"`
	Name        string   `json:"name,omitzero"`
	Description string   `json:"description,omitzero"`
	Disabled    bool     `json:"disabled,omitzero"`
	CreatedAt   int64    `json:"created_at,omitzero"`
}

// Project owns resources (Identity v3, "Projects"). Written by project.create,
// project.update and project.delete.
type Project struct {
	ID          ProjectID `json:"id,omitzero"`
	DomainID    DomainID  `json:"domain_id,omitzero"`
	Name        string    `json:"name,omitzero"`
	Description string    `json:"description,omitzero"`
	Disabled    bool      `json:"disabled,omitzero"`
	// Extra are attributes that the API does not know, by name: JSON texts.
	Extra map[string]string `json:"extra,omitempty"`
	// Bars is how often the project was disabled: a token for it of before stays
	// dead when the project is enabled again.
	Bars uint64 `json:"bars,omitzero"`
	// Epoch rises with each change; what was authorized under an older one is
	// refused.
	Epoch     uint64 `json:"epoch,omitzero"`
	CreatedAt int64  `json:"created_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (p *Project) Clone() *Project { q := *p; q.Extra = maps.Clone(p.Extra); return &q }

// User is somebody who may log in (Identity v3, "Users"). Written by
// user.create, user.update and user.delete.
type User struct {
	ID       UserID   `json:"id,omitzero"`
	DomainID DomainID `json:"domain_id,omitzero"`
	Name     string   `json:"name,omitzero"`
	Email    string   `json:"email,omitzero"`
	Disabled bool     `json:"disabled,omitzero"`
	// PasswordHash is a PHC string (argon2id); never the password.
	PasswordHash   string    `json:"password_hash,omitzero"`
	DefaultProject ProjectID `json:"default_project,omitzero"`
	// Extra are attributes that the API does not know, by name: JSON texts.
	Extra map[string]string `json:"extra,omitempty"`
	// Bars is how often the user was disabled: a token of before stays dead when
	// the user is enabled again.
	Bars uint64 `json:"bars,omitzero"`
	// Epoch rises with each change of the user or of its roles.
	Epoch     uint64 `json:"epoch,omitzero"`
	CreatedAt int64  `json:"created_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (u *User) Clone() *User { v := *u; v.Extra = maps.Clone(u.Extra); return &v }

// Role is a name that policy refers to (Identity v3, "Roles"). Written by
// cluster.init and role.*.
type Role struct {
	ID          RoleID `json:"id,omitzero"`
	Name        string `json:"name,omitzero"`
	Description string `json:"description,omitzero"`
	// Implies are the roles that come with it.
	Implies []RoleID `json:"implies,omitempty"`
}

// Clone gives a copy that may be changed.
func (r *Role) Clone() *Role { s := *r; s.Implies = slices.Clone(r.Implies); return &s }

// Grant gives a user a role on a project (Identity v3, "role assignments").
// Written by grant.put and grant.delete.
type Grant struct {
	UserID    UserID    `json:"user_id,omitzero"`
	ProjectID ProjectID `json:"project_id,omitzero"`
	RoleID    RoleID    `json:"role_id,omitzero"`
}

// TokenKey signs and encrypts tokens; Sealed under the cluster's data key,
// which is never in the log. Written by cluster.init and token_key.rotate.
type TokenKey struct {
	// Num orders the keys; the highest is the primary.
	Num       uint64 `json:"num,omitzero"`
	Sealed    []byte `json:"sealed,omitempty"`
	CreatedAt int64  `json:"created_at,omitzero"`
}

// Revocation ends a token before its time. Written by token.revoke; removed by
// expire once the token would have expired anyway.
type Revocation struct {
	// AuditID names the token and all that were made from it.
	AuditID   string `json:"audit_id,omitzero"`
	ExpiresAt int64  `json:"expires_at,omitzero"`
}
