package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Command is one kind of change. Apply does it or refuses it with an
// errs.Kind; what a refused one did is undone by the caller.
type Command interface {
	// Kind is the name with its revision, such as "server.create/1".
	Kind() string
	// Apply checks everything that the change depends on and makes it. It
	// gives the ids of what was made.
	Apply(tx *state.Tx, m Meta) ([]string, error)
}

// Meta is what Apply knows of the entry besides the command.
type Meta struct {
	state.Stamp
	By By
	// RequestID is the envelope's id.
	RequestID string
}

// Gen gives a workload what it needs to make up commands: the state, and the
// simulator's own sources of chance and ids.
type Gen interface {
	View() state.View
	// Intn is a number from 0 to n-1.
	Intn(n int) int
	// UUID and Hex are new ids.
	UUID() string
	Hex() string
}

// Workload makes up a plausible command, or says that the state offers
// nothing to do. The actor is who would ask for it.
type Workload func(g Gen) (Command, By, bool)

// pick gives a random element of a sequence; zero if there is none.
func pick[T any](g Gen, seq func(func(T) bool)) (T, bool) {
	var all []T
	seq(func(x T) bool { all = append(all, x); return len(all) < 64 })
	if len(all) == 0 {
		var zero T
		return zero, false
	}
	return all[g.Intn(len(all))], true
}

// asUser is the actor that a user of a project is, with current epochs.
func asUser(v state.View, u model.UserID, p model.ProjectID) By {
	by := By{UserID: u, ProjectID: p}
	if x := v.User(u); x != nil {
		by.UserEpoch = x.Epoch
	}
	if x := v.Project(p); x != nil {
		by.ProjectEpoch = x.Epoch
	}
	return by
}

// anybody picks a user with a project, for workloads.
func anybody(g Gen) (By, bool) {
	grant, ok := pick(g, g.View().Grants())
	if !ok {
		return By{}, false
	}
	return asUser(g.View(), grant.UserID, grant.ProjectID), true
}

func asAdmin(g Gen) (By, bool) {
	by, ok := anybody(g)
	by.Admin = true
	return by, ok
}

// refuse makes a refusal.
func refuse(op string, kind errs.Kind, format string, args ...any) error {
	return errs.Errorf(op, kind, format, args...)
}

// mayUse tells whether the actor may act on what belongs to a project: its
// own, or anything for administrators and the system. A user's foreign things
// do not exist for them: errs.NotFound.
func mayUse(by By, owner model.ProjectID) bool {
	return by.System != "" || by.Admin || by.ProjectID == owner
}

// onlySystem refuses everybody but one system actor.
func onlySystem(op string, by By, who string) error {
	if by.System != who {
		return refuse(op, errs.Forbidden, "only %s may do this", who)
	}
	return nil
}
