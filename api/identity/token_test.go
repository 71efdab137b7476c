package identity

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

func TestLogins(t *testing.T) {
	r := newRig(t)
	right := proofOf(resttest.MemberUser, "member-pw")
	byName := func(user, domain string) string {
		return `"identity":{"methods":["password"],"password":{"user":{"name":"` + user + `",` + domain + `"password":"member-pw"}}}`
	}
	token := func(text string) string {
		return fmt.Sprintf(`"identity":{"methods":["token"],"token":{"id":%q}}`, text)
	}
	old := r.login("member")
	const inDefault = `"domain":{"id":"default"},`
	for _, row := range []struct {
		name, proof, scope string
		status             int
		says               string // in the body
	}{
		{"project by id", right, inProject(resttest.MemberProject), 201, `"project":{"id":"` + string(resttest.MemberProject)},
		{"project by name", right, `"scope":{"project":{"name":"demo","domain":{"name":"Default"}}}`, 201, `"project":{"id":"` + string(resttest.MemberProject)},
		{"user by name", byName("demo", inDefault), inProject(resttest.MemberProject), 201, `"name":"demo"`},
		{"the default project", right, ``, 201, `"project":{"id":"` + string(resttest.MemberProject)},
		{"unscoped", right, `"scope":"unscoped"`, 201, `"methods":["password"]`},
		{"unscoped in an object", right, `"scope":{"unscoped":{}}`, 201, `"methods":["password"]`},
		{"no scope is null", right, `"scope":null`, 201, `"project"`},
		{"by token", token(old), inProject(resttest.MemberProject), 201, `"methods":["password","token"]`},
		{"by both", `"identity":{"methods":["token","password"],"token":{"id":"` + old + `"},"password":{"user":{"id":"` + string(resttest.MemberUser) + `","password":"member-pw"}}}`, inProject(resttest.MemberProject), 201, `"methods":["password","token"]`},

		{"wrong password", proofOf(resttest.MemberUser, "admin-pw"), ``, 401, "requires authentication"},
		{"empty password", proofOf(resttest.MemberUser, ""), ``, 401, "requires authentication"},
		{"password of a megabyte", proofOf(resttest.MemberUser, strings.Repeat("x", 10_000)), ``, 401, "requires authentication"},
		{"unknown user", proofOf("none", "member-pw"), ``, 401, "requires authentication"},
		{"unknown name", byName("nobody", inDefault), ``, 401, "requires authentication"},
		{"unknown domain", byName("demo", `"domain":{"name":"mars"},`), ``, 401, "requires authentication"},
		{"name without domain", byName("demo", ``), ``, 400, "needs its 'domain'"},
		{"foreign project", right, inProject(resttest.AdminProject), 401, "requires authentication"},
		{"unknown project", right, inProject("none"), 401, "requires authentication"},
		{"a domain", right, `"scope":{"domain":{"id":"default"}}`, 401, "ask for a project"},
		{"the system", right, `"scope":{"system":{"all":true}}`, 401, "ask for a project"},
		{"a scope of nothing", right, `"scope":{}`, 400, "is required"},
		{"a scope of seven", right, `"scope":7`, 400, "must be an object"},
		{"no method", `"identity":{"methods":[]}`, ``, 400, "'methods' is a required property"},
		{"a method without its part", `"identity":{"methods":["password"]}`, ``, 400, "is required"},
		{"token without its part", `"identity":{"methods":["token"]}`, ``, 400, "'id' is a required property"},
		{"unknown method", `"identity":{"methods":["oath"]}`, ``, 401, "unsupported method"},
		{"token that is none", token("gAAAA"), ``, 401, "requires authentication"},
		{"two users", `"identity":{"methods":["token","password"],"token":{"id":"` + old + `"},"password":{"user":{"id":"` + string(resttest.ReaderUser) + `","password":"reader-pw"}}}`, ``, 401, "requires authentication"},
		{"identity of five", `"identity":5`, ``, 400, "Invalid input for field/attribute auth.identity. It is a number, and must be an object."},
		{"user's id a number", `"identity":{"methods":["password"],"password":{"user":{"id":7,"password":"x"}}}`, ``, 400, "auth.identity.password.user.id. It is a number, and must be a string."},
	} {
		parts := []string{row.proof}
		if row.scope != "" {
			parts = append(parts, row.scope)
		}
		a := r.auth(parts...)
		if a.Status != row.status || !strings.Contains(string(a.Body), row.says) {
			t.Errorf("%s: %d %s\nwant %d with %s", row.name, a.Status, a.Body, row.status, row.says)
		}
		if got := a.Header.Get("X-Subject-Token"); (got != "") != (row.status == 201) {
			t.Errorf("%s: X-Subject-Token %q", row.name, got)
		}
		if scoped := a.Status == 201 && !strings.Contains(row.scope, "unscoped"); a.Status == 201 && (a.At("token", "project") != nil) != scoped {
			t.Errorf("%s: %s", row.name, a.Body)
		}
	}
	if a := r.do("POST", "/auth/tokens", "", `{"auth":5}`).Want(400); a.Text("error", "message") != "Invalid input for field/attribute auth. It is a number, and must be an object." || strings.Contains(string(a.Body), "struct") {
		t.Errorf("%s", a.Body)
	}
	r.do("POST", "/auth/tokens", "", `{"auth":`).Want(400)
	r.do("POST", "/auth/tokens", "", `{"auth":{"x":"`+strings.Repeat("x", maxLogin)+`"}}`).Want(413)
}

// TestATokenSaysWhatItIs: what is issued is what is shown later, to the letter.
func TestATokenSaysWhatItIs(t *testing.T) {
	r := newRig(t)
	issued := r.auth(proofOf(resttest.MemberUser, "member-pw"), inProject(resttest.MemberProject)).Want(201)
	text := issued.Header.Get("X-Subject-Token")
	tok := issued.At("token").(map[string]any)
	now := r.Clock.Now().UTC().Truncate(time.Second)
	for key, want := range map[string]string{"issued_at": stamp(now.Unix()), "expires_at": stamp(now.Add(life).Unix())} {
		if tok[key] != want {
			t.Errorf("%s is %v, want %s", key, tok[key], want)
		}
	}
	var roles []string
	for _, role := range tok["roles"].([]any) {
		roles = append(roles, role.(map[string]any)["name"].(string))
	}
	if fmt.Sprint(roles) != "[member reader]" || tok["is_domain"] != false || len(tok["audit_ids"].([]any)) != 1 || len(tok["audit_ids"].([]any)[0].(string)) != 22 {
		t.Errorf("%s", issued.Body)
	}
	if got := issued.Text("token", "catalog", 1, "endpoints", 0, "url"); got != "http://cloud/compute/v2.1" {
		t.Errorf("the catalog leads to %s", got)
	}
	shown := r.subject("GET", text, text).Want(200)
	if !bytes.Equal(shown.Body, issued.Body) || shown.Header.Get("X-Subject-Token") != text {
		t.Errorf("shown\n%s\nissued\n%s", shown.Body, issued.Body)
	}
	r.subject("HEAD", text, text).Want(200)
	short := r.Do("GET", "/identity/v3/auth/tokens?nocatalog", text, map[string]string{"X-Subject-Token": text}, "").Want(200)
	if short.At("token", "catalog") != nil || short.At("token", "roles") == nil {
		t.Errorf("%s", short.Body)
	}
}

// TestRescopedTokens keep their end and their root.
func TestRescopedTokens(t *testing.T) {
	r := newRig(t)
	first := r.auth(proofOf(resttest.MemberUser, "member-pw"), `"scope":"unscoped"`).Want(201)
	old := first.Header.Get("X-Subject-Token")
	again := func(of string) *resttest.Answer {
		return r.auth(fmt.Sprintf(`"identity":{"methods":["token"],"token":{"id":%q}}`, of), inProject(resttest.MemberProject)).Want(201)
	}
	r.Clock.Advance(10 * time.Minute)
	second := again(old)
	third := again(second.Header.Get("X-Subject-Token"))
	for i, a := range []*resttest.Answer{second, third} {
		if a.Text("token", "expires_at") != first.Text("token", "expires_at") || a.Text("token", "issued_at") == first.Text("token", "issued_at") {
			t.Errorf("token %d lives from %s to %s", i+2, a.Text("token", "issued_at"), a.Text("token", "expires_at"))
		}
		if a.Text("token", "audit_ids", 1) != first.Text("token", "audit_ids", 0) || a.Text("token", "audit_ids", 0) == first.Text("token", "audit_ids", 0) {
			t.Errorf("token %d: %v, and the first one %v", i+2, a.At("token", "audit_ids"), first.At("token", "audit_ids"))
		}
	}
	// The end of a token made from another leaves that one; the end of the first
	// ends all.
	mine := third.Header.Get("X-Subject-Token")
	r.subject("DELETE", mine, mine).Want(204)
	r.do("GET", "/auth/projects", mine, "").Want(401)
	r.do("GET", "/auth/projects", second.Header.Get("X-Subject-Token"), "").Want(200)
	r.subject("DELETE", old, old).Want(204)
	for _, text := range []string{old, second.Header.Get("X-Subject-Token"), mine} {
		r.do("GET", "/auth/projects", text, "").Want(401)
		r.subject("GET", r.login("admin"), text).Want(404)
	}
}

func TestTokensExpire(t *testing.T) {
	r := newRig(t)
	text, admin := r.login("member"), r.login("admin")
	r.Clock.Advance(life - time.Second)
	r.do("GET", "/auth/projects", text, "").Want(200)
	r.subject("GET", admin, text).Want(200)
	r.Clock.Advance(time.Second)
	a := r.do("GET", "/auth/projects", text, "").Want(401)
	if got := a.Header.Get("WWW-Authenticate"); got != `Keystone uri="http://cloud/identity/v3"` || a.Text("error", "title") != "Unauthorized" {
		t.Errorf("%s %s", got, a.Body)
	}
	r.subject("GET", r.login("admin"), text).Want(404)
	r.auth(fmt.Sprintf(`"identity":{"methods":["token"],"token":{"id":%q}}`, text), inProject(resttest.MemberProject)).Want(401)
	// A token from the future, of a node whose clock is wrong by more than it
	// may, is none yet.
	r.Clock.Advance(24 * time.Hour)
	early := r.login("member")
	r.Clock.Advance(-10 * time.Minute)
	r.do("GET", "/auth/projects", early, "").Want(401)
	r.Clock.Advance(9 * time.Minute)
	r.do("GET", "/auth/projects", early, "").Want(200)
}

// TestTokensEndAtOnce with what they rest on.
func TestTokensEndAtOnce(t *testing.T) {
	yes, no := true, false
	member := model.RoleID("000000000000000000000000000000c2")
	for name, end := range map[string]func(r *rig){
		"the user is disabled": func(r *rig) { r.must(&command.UserUpdate{ID: resttest.MemberUser, Disabled: &yes}) },
		"the user was disabled for a while": func(r *rig) {
			r.must(&command.UserUpdate{ID: resttest.MemberUser, Disabled: &yes})
			r.must(&command.UserUpdate{ID: resttest.MemberUser, Disabled: &no})
		},
		"the user is deleted":     func(r *rig) { r.must(&command.UserDelete{ID: resttest.MemberUser}) },
		"the project is disabled": func(r *rig) { r.must(&command.ProjectUpdate{ID: resttest.MemberProject, Disabled: &yes}) },
		"the project was disabled for a while": func(r *rig) {
			r.must(&command.ProjectUpdate{ID: resttest.MemberProject, Disabled: &yes})
			r.must(&command.ProjectUpdate{ID: resttest.MemberProject, Disabled: &no})
		},
		"the role is taken away": func(r *rig) {
			r.must(&command.GrantDelete{UserID: resttest.MemberUser, ProjectID: resttest.MemberProject, RoleID: member})
		},
		"the password is changed": func(r *rig) { r.setPassword(resttest.MemberUser, "other-pw") },
		"the token key is gone": func(r *rig) {
			r.Must(r.Leader(), &command.TokenKeyRotate{Sealed: []byte("other"), Keep: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			text := r.login("member")
			r.do("GET", "/auth/projects", text, "").Want(200)
			end(r)
			r.do("GET", "/auth/projects", text, "").Want(401)
		})
	}
	r := newRig(t)
	text := r.login("member")
	for i := 0; i < len(text); i += 7 {
		changed := []byte(text)
		if changed[i] == 'A' {
			changed[i] = 'B'
		} else {
			changed[i] = 'A'
		}
		r.do("GET", "/auth/projects", string(changed), "").Want(401)
	}
	for _, junk := range []string{"x", text[:20], text + "A", text + text, strings.Repeat("gAAAA", 1000)} {
		r.do("GET", "/auth/projects", junk, "").Want(401)
	}
}

// TestDisabledPeople log in nowhere.
func TestDisabledPeople(t *testing.T) {
	r := newRig(t)
	yes, no := true, false
	r.must(&command.ProjectUpdate{ID: resttest.MemberProject, Disabled: &yes})
	r.auth(proofOf(resttest.MemberUser, "member-pw"), inProject(resttest.MemberProject)).Want(401)
	if a := r.auth(proofOf(resttest.MemberUser, "member-pw")).Want(201); a.At("token", "project") != nil {
		t.Errorf("scoped to a project that is disabled: %s", a.Body)
	}
	r.must(&command.UserUpdate{ID: resttest.MemberUser, Disabled: &yes})
	r.auth(proofOf(resttest.MemberUser, "member-pw"), `"scope":"unscoped"`).Want(401)
	r.must(&command.UserUpdate{ID: resttest.MemberUser, Disabled: &no})
	r.must(&command.ProjectUpdate{ID: resttest.MemberProject, Disabled: &no})
	r.auth(proofOf(resttest.MemberUser, "member-pw"), inProject(resttest.MemberProject)).Want(201)
}

// TestWhoMayAskAboutTokens: about its own everybody, about others' only
// administrators and services.
func TestWhoMayAskAboutTokens(t *testing.T) {
	r := newRig(t)
	admin, member, reader := r.login("admin"), r.login("member"), r.login("reader")
	for _, row := range []struct {
		caller, about string
		status        int
	}{{member, member, 200}, {member, r.login("member"), 200}, {member, reader, 403}, {member, admin, 403}, {admin, member, 200}, {"junk", member, 401}, {member, "junk", 404}, {member, "", 400}} {
		for _, method := range []string{"GET", "HEAD"} {
			if a := r.subject(method, row.caller, row.about); a.Status != row.status {
				t.Errorf("%s: %d, want %d: %s", method, a.Status, row.status, a.Body)
			}
		}
	}
	r.subject("DELETE", member, reader).Want(403)
	role := model.RoleID("000000000000000000000000000000c9")
	r.must(&command.RoleCreate{ID: role, Name: "service"})
	r.must(&command.GrantPut{UserID: resttest.ReaderUser, ProjectID: resttest.MemberProject, RoleID: role})
	r.subject("GET", r.login("reader"), member).Want(200)
	r.subject("DELETE", admin, member).Want(204)
	r.do("GET", "/auth/projects", member, "").Want(401)
}

// TestWhoHasNothing may still end its token: no project is needed for that.
func TestWhoHasNothing(t *testing.T) {
	r := newRig(t)
	hash, err := r.door.Passwords.Hash("alone-pw")
	if err != nil {
		t.Fatal(err)
	}
	alone := model.UserID("000000000000000000000000000000b9")
	r.must(&command.UserCreate{ID: alone, DomainID: "default", Name: "alone", PasswordHash: hash})
	text := r.auth(proofOf(alone, "alone-pw")).Want(201).Header.Get("X-Subject-Token")
	if a := r.do("GET", "/auth/projects", text, "").Want(200); len(a.At("projects").([]any)) != 0 {
		t.Errorf("%s", a.Body)
	}
	r.subject("DELETE", text, text).Want(204)
	r.do("GET", "/auth/projects", text, "").Want(401)
	r.do("POST", "/users/"+string(alone)+"/password", "", `{"user":{"original_password":"alone-pw","password":"new-pw"}}`).Want(204)
	r.auth(proofOf(alone, "new-pw")).Want(201)
}
