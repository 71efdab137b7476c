package identity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
)

// TestFurtherAttributesStay: what Identity does not know is kept, shown, changed
// and taken away.
func TestFurtherAttributesStay(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	for _, one := range []string{"project", "user"} {
		in := func(body string) string { return fmt.Sprintf(`{%q:%s}`, one, body) }
		a := r.do("POST", "/"+one+"s", admin, in(`{"name":"lab","description":"d","a":"b","n":7.50,"deep":{"x":[1, null]},"none":null,"Größe":"<9>"}`)).Want(201)
		path := "/" + one + "s/" + a.Text(one, "id")
		want := func(text string, gone ...string) {
			t.Helper()
			a := r.do("GET", path, admin, "").Want(200)
			list := r.do("GET", "/"+one+"s?name=lab", admin, "").Want(200)
			for _, body := range []string{string(a.Body), string(list.Body)} {
				for part := range strings.FieldsSeq(text) {
					if !strings.Contains(body, part) {
						t.Errorf("%s lacks %s", body, part)
					}
				}
				for _, part := range gone {
					if strings.Contains(body, part) {
						t.Errorf("%s has %s", body, part)
					}
				}
			}
		}
		want(`"description":"d" "a":"b" "n":7.50 "deep":{"x":[1,null]} "Größe":"\u003c9\u003e"`, "none")
		if got := r.do("PATCH", path, admin, in(`{"a":["c"],"n":null,"enabled":true}`)).Want(200); got.Text(one, "a", 0) != "c" {
			t.Errorf("%s", got.Body)
		}
		want(`"description":"d" "a":["c"] "deep":{"x":[1,null]}`, `"n":`)
		r.do("PATCH", path, admin, in(`{"name":"lab"}`)).Want(200)
		want(`"description":"d" "a":["c"]`)

		many := `{"name":"other"`
		for i := range 65 {
			many += fmt.Sprintf(`,"x%d":%d`, i, i)
		}
		for _, big := range []string{many + "}", `{"x":"` + strings.Repeat("x", 1<<16) + `"}`, `{"` + strings.Repeat("x", 256) + `":1}`, `{"":1}`} {
			r.do("PATCH", path, admin, in(big)).Want(400)
		}
		want(`"a":["c"]`, "x64")
	}
	r.do("PATCH", "/projects/"+string(resttest.MemberProject), admin, `{"project":{"colour":"red"}}`).Want(200)
	if a := r.do("GET", "/auth/projects", r.login("member"), "").Want(200); a.Text("projects", 0, "colour") != "red" {
		t.Errorf("%s", a.Body)
	}
}

// TestNothingIsDroppedInSilence: what cannot be kept is refused in words, and
// what clients send of course is taken.
func TestNothingIsDroppedInSilence(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	ids := map[string]string{}
	for one, body := range map[string]string{
		// As openstack sends them.
		"project": `{"domain_id":"default","name":"lab","description":"d","enabled":true,"options":{},"tags":[],"parent_id":"default","is_domain":false}`,
		"user":    `{"name":"lab","domain_id":"default","default_project_id":"` + string(resttest.MemberProject) + `","password":"pw","email":"a@b.c","description":"d","enabled":true,"options":{}}`,
		"role":    `{"name":"lab","description":"d","domain_id":null,"options":{"immutable":false}}`,
	} {
		ids[one] = r.do("POST", "/"+one+"s", admin, fmt.Sprintf(`{%q:%s}`, one, body)).Want(201).Text(one, "id")
		// What was shown may be sent back, as some clients do.
		shown := r.do("GET", "/"+one+"s/"+ids[one], admin, "").Want(200)
		r.do("PATCH", "/"+one+"s/"+ids[one], admin, string(shown.Body)).Want(200)
	}
	for _, row := range []struct{ one, says, body string }{
		{"project", "Tags of projects are not offered.", `{"tags":["blue"]}`},
		{"project", "Options of projects are not offered.", `{"options":{"immutable":true}}`},
		{"project", "A project that is a domain is not offered.", `{"is_domain":true}`},
		{"project", "projects below projects are not offered.", `{"parent_id":"` + string(resttest.MemberProject) + `"}`},
		{"project", "'domain_id' stays what it is.", `{"domain_id":"mars"}`},
		{"project", "'id' is given by the cloud", `{"id":"mine"}`},
		{"project", "'Enabled' is written 'enabled'", `{"Enabled":false}`},
		{"user", "'domain_id' stays what it is.", `{"domain_id":"mars"}`},
		{"user", "Options of users are not offered.", `{"options":{"lock_password":true}}`},
		{"user", "Passwords do not expire.", `{"password_expires_at":"2030-01-01T00:00:00.000000Z"}`},
		{"user", "/v3/users/{user_id}/password", `{"original_password":"pw","password":"new"}`},
		{"user", "'NAME' is written 'name'", `{"NAME":"x"}`},
		{"user", "user.description. It is a number, and must be a string.", `{"description":7}`},
		{"user", "'id' is given by the cloud", `{"id":7}`},
		{"role", "Roles of a domain are not offered.", `{"domain_id":"default"}`},
		{"role", "Options of roles are not offered.", `{"options":{"immutable":true}}`},
		{"role", "there is no attribute 'colour'.", `{"colour":"red"}`},
	} {
		for method, path := range map[string]string{"POST": "/" + row.one + "s", "PATCH": "/" + row.one + "s/" + ids[row.one]} {
			body := row.body
			if method == "POST" && strings.Contains(row.says, "domain_id' stays") {
				continue // that is how a domain is chosen
			}
			if method == "POST" {
				body = `{"name":"other",` + strings.TrimPrefix(body, "{")
			}
			if a := r.do(method, path, admin, fmt.Sprintf(`{%q:%s}`, row.one, body)).Want(400); !strings.Contains(a.Text("error", "message"), row.says) {
				t.Errorf("%s %s: %s", method, row.body, a.Body)
			}
		}
	}
	for _, body := range []string{`{"Project":{"name":"x"}}`, `{"project":{"name":"x"},"more":{}}`, `{"project":{"name":"x"},"more":1}`, `[]`, `{"project":[]}`} {
		r.do("POST", "/projects", admin, body).Want(400)
	}
}
