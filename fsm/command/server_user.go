package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// findServer gives a server that the actor may act on; to others it does not
// exist.
func findServer(tx *state.Tx, by By, id model.ServerID) (*model.Server, error) {
	s := tx.Server(id)
	if s == nil || !mayUse(by, s.ProjectID) {
		return nil, refuse("server.find", errs.NotFound, "Instance %s could not be found.", id)
	}
	return s, nil
}

// wrongState is the refusal of an action that a server's state does not allow.
func wrongState(s *model.Server, action string) error {
	if s.TaskState != "" {
		return refuse("server."+action, errs.Conflict, "Cannot '%s' instance %s while it is in task_state %s", action, s.ID, s.TaskState)
	}
	return refuse("server."+action, errs.Conflict, "Cannot '%s' instance %s while it is in vm_state %s", action, s.ID, s.VMState)
}

// touch marks a server as changed by this entry.
func touch(s *model.Server, m Meta) *model.Server {
	s.UpdatedAt, s.Revision = m.At, m.Index
	return s
}

// someServer picks a server and its owner, for workloads.
func someServer(g Gen) (*model.Server, By, bool) {
	s, ok := pick(g, g.View().Servers())
	if !ok {
		return nil, By{}, false
	}
	return s, asUser(g.View(), s.UserID, s.ProjectID), true
}
