package resttest

import (
	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// The tokens. Unscoped is MemberUser's without a project; everything else is
// not valid.
const (
	Admin    = "admin"
	Member   = "member"
	Reader   = "reader"
	Stranger = "stranger"
	Unscoped = "unscoped"
)

// tokens knows the tokens by name.
type tokens struct{}

var callers = map[string]struct {
	user    model.UserID
	project model.ProjectID
	roles   []string
}{
	Admin:    {AdminUser, AdminProject, []string{"admin", "member", "reader"}},
	Member:   {MemberUser, MemberProject, []string{"member", "reader"}},
	Reader:   {ReaderUser, MemberProject, []string{"reader"}},
	Stranger: {StrangerUser, StrangerProject, []string{"member", "reader"}},
	Unscoped: {MemberUser, "", nil},
}

// Authenticate implements rest.Authenticator.
func (tokens) Authenticate(v state.View, token string, _ *rest.Call) (rest.Caller, error) {
	is, known := callers[token]
	if !known {
		return rest.Caller{}, errs.Errorf("resttest.token", errs.Unauthorized, "The request you have made requires authentication.")
	}
	c := rest.Caller{User: v.User(is.user), Roles: is.roles, AuditIDs: []string{"audit-" + token}}
	if is.project != "" {
		c.Project = v.Project(is.project)
	}
	return c, nil
}

// Caller is who a token stands for, now.
func (w *World) Caller(token string) rest.Caller {
	w.T.Helper()
	c, err := tokens{}.Authenticate(w.View(), token, nil)
	if err != nil {
		w.T.Fatal(err)
	}
	return c
}

// By is who a token stands for as the log knows it, with the present epochs.
func (w *World) By(token string) command.By { return w.Caller(token).By() }
