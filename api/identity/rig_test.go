package identity

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// opener opens the token key of the golden cluster.init.
type opener struct{}

func (opener) Open(what string, sealed []byte) ([]byte, error) {
	if what != SealedTokenKey || string(sealed) != "sealed" {
		return nil, errs.Errorf("rig.open", errs.Internal, "")
	}
	return []byte(strings.Repeat("k", FernetKeyBytes)), nil
}

// life is how long the rig's tokens live.
const life = time.Hour

// rig is a world with this front door, whose tokens are real and whose users
// have passwords: "admin-pw", "member-pw" and so on. Its clock stands still but
// for a second a command.
type rig struct {
	*resttest.World
	door *Door
}

// who are the users with a password.
var who = map[string]model.UserID{"admin": resttest.AdminUser, "member": resttest.MemberUser, "reader": resttest.ReaderUser, "stranger": resttest.StrangerUser}

func newRig(t testing.TB) *rig {
	t.Helper()
	w := resttest.New(t)
	dear := defaultCost
	defaultCost = argonCost{memory: 64, passes: 1, threads: 1}
	t.Cleanup(func() { defaultCost = dear })
	passwords, err := NewPasswords(2)
	if err != nil {
		t.Fatal(err)
	}
	d := &Door{Tokens: NewTokens(opener{}, life), Passwords: passwords, Region: "RegionOne",
		Services: []Service{{Type: "identity", Name: "keystone", Path: "/identity"}, {Type: "compute", Name: "nova", Path: "/compute/v2.1"}}}
	w.Shell.Auth = d.Tokens
	w.Front(Dialect("/identity"), d.Routes())
	r := &rig{w, d}
	for name, id := range who {
		r.setPassword(id, name+"-pw")
	}
	return r
}

// setPassword gives a user a password, as an administrator.
func (r *rig) setPassword(id model.UserID, password string) {
	r.T.Helper()
	hash, err := r.door.Passwords.Hash(password)
	if err != nil {
		r.T.Fatal(err)
	}
	r.must(&command.UserUpdate{ID: id, PasswordHash: &hash})
}

// must is a command of an administrator.
func (r *rig) must(c command.Command) {
	r.T.Helper()
	r.Must(r.By(resttest.Admin), c)
}

// do is a request below /identity/v3.
func (r *rig) do(method, path, token, body string) *resttest.Answer {
	r.T.Helper()
	return r.Do(method, "/identity/v3"+path, token, nil, body)
}

// proof is the identity part of a login by password.
func proofOf(user model.UserID, password string) string {
	return fmt.Sprintf(`"identity":{"methods":["password"],"password":{"user":{"id":%q,"password":%q}}}`, user, password)
}

// inProject is a scope.
func inProject(p model.ProjectID) string { return fmt.Sprintf(`"scope":{"project":{"id":%q}}`, p) }

// auth asks for a token with the parts of a body.
func (r *rig) auth(parts ...string) *resttest.Answer {
	r.T.Helper()
	return r.do("POST", "/auth/tokens", "", `{"auth":{`+strings.Join(parts, ",")+`}}`)
}

// login gives a token of a user by its name, in its project.
func (r *rig) login(name string) string {
	r.T.Helper()
	project := map[string]model.ProjectID{"admin": resttest.AdminProject, "stranger": resttest.StrangerProject}[name]
	if project == "" {
		project = resttest.MemberProject
	}
	return r.auth(proofOf(who[name], name+"-pw"), inProject(project)).Want(201).Header.Get("X-Subject-Token")
}

// subject asks about a token.
func (r *rig) subject(method, token, about string) *resttest.Answer {
	r.T.Helper()
	return r.Do(method, "/identity/v3/auth/tokens", token, map[string]string{"X-Subject-Token": about}, "")
}
