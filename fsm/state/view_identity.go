package state

import (
	"iter"

	"github.com/kvorum/kvorum/internal/model"
)

// Domain finds a domain.
func (v View) Domain(id model.DomainID) *model.Domain { return v.t.domains.get(model.Domain{ID: id}) }

// Domains lists all domains.
func (v View) Domains() iter.Seq[*model.Domain] { return v.t.domains.all() }

// PutDomain stores a domain.
func (tx *Tx) PutDomain(d *model.Domain) { tx.t.domains.put(d) }

// Project finds a project.
func (v View) Project(id model.ProjectID) *model.Project {
	return v.t.projects.get(model.Project{ID: id})
}

// ProjectNamed finds a project by its name in a domain.
func (v View) ProjectNamed(d model.DomainID, name string) *model.Project {
	return v.t.projects.first(projectsByName, model.Project{DomainID: d, Name: name})
}

// Projects lists all projects.
func (v View) Projects() iter.Seq[*model.Project] { return v.t.projects.all() }

// PutProject stores a project.
func (tx *Tx) PutProject(p *model.Project) { tx.t.projects.put(p) }

// DeleteProject removes a project.
func (tx *Tx) DeleteProject(id model.ProjectID) { tx.t.projects.delete(&model.Project{ID: id}) }

// User finds a user.
func (v View) User(id model.UserID) *model.User { return v.t.users.get(model.User{ID: id}) }

// UserNamed finds a user by its name in a domain.
func (v View) UserNamed(d model.DomainID, name string) *model.User {
	return v.t.users.first(usersByName, model.User{DomainID: d, Name: name})
}

// Users lists all users.
func (v View) Users() iter.Seq[*model.User] { return v.t.users.all() }

// PutUser stores a user.
func (tx *Tx) PutUser(u *model.User) { tx.t.users.put(u) }

// DeleteUser removes a user.
func (tx *Tx) DeleteUser(id model.UserID) { tx.t.users.delete(&model.User{ID: id}) }

// Role finds a role.
func (v View) Role(id model.RoleID) *model.Role { return v.t.roles.get(model.Role{ID: id}) }

// RoleNamed finds a role by name.
func (v View) RoleNamed(name string) *model.Role {
	return v.t.roles.first(rolesByName, model.Role{Name: name})
}

// Roles lists all roles.
func (v View) Roles() iter.Seq[*model.Role] { return v.t.roles.all() }

// PutRole stores a role.
func (tx *Tx) PutRole(r *model.Role) { tx.t.roles.put(r) }

// DeleteRole removes a role.
func (tx *Tx) DeleteRole(id model.RoleID) { tx.t.roles.delete(&model.Role{ID: id}) }

// Grant finds a grant.
func (v View) Grant(g model.Grant) *model.Grant { return v.t.grants.get(g) }

// Grants lists all grants.
func (v View) Grants() iter.Seq[*model.Grant] { return v.t.grants.all() }

// GrantsOf lists a user's grants.
func (v View) GrantsOf(u model.UserID) iter.Seq[*model.Grant] {
	return v.t.grants.from(&model.Grant{UserID: u}, func(g *model.Grant) bool { return g.UserID == u })
}

// PutGrant stores a grant.
func (tx *Tx) PutGrant(g *model.Grant) { tx.t.grants.put(g) }

// DeleteGrant removes a grant.
func (tx *Tx) DeleteGrant(g model.Grant) { tx.t.grants.delete(&g) }

// TokenKeys lists the token keys, the oldest first.
func (v View) TokenKeys() iter.Seq[*model.TokenKey] { return v.t.tokenKeys.all() }

// PutTokenKey stores a token key.
func (tx *Tx) PutTokenKey(k *model.TokenKey) { tx.t.tokenKeys.put(k) }

// DeleteTokenKey removes a token key.
func (tx *Tx) DeleteTokenKey(num uint64) { tx.t.tokenKeys.delete(&model.TokenKey{Num: num}) }

// Revocation finds a revocation by the token's audit id.
func (v View) Revocation(audit string) *model.Revocation {
	return v.t.revocations.get(model.Revocation{AuditID: audit})
}

// RevocationsByExpiry lists revocations, the first to expire first.
func (v View) RevocationsByExpiry() iter.Seq[*model.Revocation] {
	return v.t.revocations.ordered(revsByExpiry)
}

// PutRevocation stores a revocation.
func (tx *Tx) PutRevocation(r *model.Revocation) { tx.t.revocations.put(r) }

// DeleteRevocation removes a revocation.
func (tx *Tx) DeleteRevocation(audit string) {
	tx.t.revocations.delete(&model.Revocation{AuditID: audit})
}
