package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// onlyAdmin refuses everybody but administrators.
func onlyAdmin(op string, by By) error {
	if !by.Admin {
		return refuse(op, errs.Forbidden, "You are not authorized to perform the requested action: only administrators may do this.")
	}
	return nil
}

// invalid turns what a check found into a refusal; nil stays nil.
func invalid(op string, err error) error {
	if err == nil {
		return nil
	}
	return errs.E(op, errs.Invalid, err.Error(), nil)
}

// findProject gives a project or says that there is none.
func findProject(tx *state.Tx, id model.ProjectID) (*model.Project, error) {
	p := tx.Project(id)
	if p == nil {
		return nil, refuse("project.find", errs.NotFound, "Could not find project: %s.", id)
	}
	return p, nil
}

// ownProject refuses projects that are not there or not the actor's: those do
// not exist for it.
func ownProject(tx *state.Tx, by By, id model.ProjectID) error {
	if !mayUse(by, id) {
		return refuse("project.find", errs.NotFound, "Could not find project: %s.", id)
	}
	_, err := findProject(tx, id)
	return err
}

// findUser gives a user or says that there is none.
func findUser(tx *state.Tx, id model.UserID) (*model.User, error) {
	u := tx.User(id)
	if u == nil {
		return nil, refuse("user.find", errs.NotFound, "Could not find user: %s.", id)
	}
	return u, nil
}

// bumpUser raises a user's epoch: what it was authorized for before is refused
// from now on. A user that is gone needs none.
func bumpUser(tx *state.Tx, id model.UserID) {
	if old := tx.User(id); old != nil {
		u := old.Clone()
		u.Epoch++
		tx.PutUser(u)
	}
}

// duplicate is the refusal of a name that stands already in its domain.
func duplicate(kind, name string, d model.DomainID) error {
	return refuse(kind+".name", errs.Conflict,
		"Conflict occurred attempting to store %s - Duplicate entry found with name %s at domain ID %s.", kind, name, d)
}

// newHexID refuses ids that are malformed or taken.
func newHexID(op, id string, taken bool) error {
	if !model.IsHexID(id) || taken {
		return refuse(op, errs.Conflict, "id %q is not a new id of 32 hex digits", id)
	}
	return nil
}

// newUUID refuses ids that are malformed or taken.
func newUUID(op, id string, taken bool) error {
	if !model.IsUUID(id) || taken {
		return refuse(op, errs.Conflict, "id %q is not a new UUID", id)
	}
	return nil
}

// reserved says that a project or user is the cluster's first of its kind,
// which the workloads leave alone: without it nobody could do anything.
func reserved(name string) bool { return name == "admin" }
