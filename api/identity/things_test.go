package identity

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
)

// TestPersonas: every route asks for what its row says.
func TestPersonas(t *testing.T) {
	r := newRig(t)
	unscoped := r.auth(proofOf(resttest.MemberUser, "member-pw"), `"scope":"unscoped"`).Want(201).Header.Get("X-Subject-Token")
	admin, member := r.login("admin"), r.login("member")
	names := regexp.MustCompile(`\{[^}]*\}`)
	counted := map[rest.Persona]int{}
	for _, route := range r.door.Routes() {
		if route.Quiet {
			continue
		}
		counted[route.Persona]++
		path := names.ReplaceAllString(strings.TrimPrefix(route.Path, "/v3"), "none")
		for who, token := range map[string]string{"nobody": "", "junk": "junk", "unscoped": unscoped, "member": member, "admin": admin} {
			want := map[string]int{"nobody": 401, "junk": 401, "unscoped": 403, "member": 403}[who]
			if route.Persona == rest.Anyone && want == 403 || who == "admin" || route.Persona == rest.Nobody {
				want = 0
			}
			a := r.do(route.Method, path, token, "")
			if want != 0 && a.Status != want || want == 0 && route.Persona != rest.Nobody && (a.Status == 401 || a.Status == 403) || a.Status >= 500 {
				t.Errorf("%s %s by %s: %d %s, want %d", route.Method, route.Path, who, a.Status, a.Body, want)
			}
		}
	}
	if counted[rest.Admin] < 20 || counted[rest.Anyone] < 8 || counted[rest.Nobody] != 2 {
		t.Errorf("routes by persona: %v", counted)
	}
}

// thing is one sort of thing that is made, shown, listed, changed and deleted.
type thing struct {
	one, many, create, update string
	// changed is the field that the update sets, and its value.
	changed string
	value   any
	// duplicate is a create whose name is taken, bad ones are refused.
	bad []string
}

func TestThingsLife(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	for _, x := range []thing{
		{"project", "projects", `{"name":"lab","description":"d"}`, `{"description":"e","enabled":false}`, "description", "e", []string{`{}`, `{"name":""}`, `{"name":7}`, `{"name":"` + strings.Repeat("n", 256) + `"}`}},
		{"user", "users", `{"name":"ann","password":"pw","email":"a@b.c","default_project_id":"` + string(resttest.MemberProject) + `"}`, `{"name":"anna"}`, "name", "anna",
			[]string{`{}`, `{"name":""}`, `{"name":"x","enabled":"maybe"}`, `{"name":"x","password":"` + strings.Repeat("p", 2000) + `"}`}},
		{"role", "roles", `{"name":"watcher"}`, `{"name":"seer","description":"sees"}`, "name", "seer", []string{`{}`, `{"name":""}`, `{"name":[]}`}},
	} {
		t.Run(x.one, func(t *testing.T) {
			in := func(body string) string { return fmt.Sprintf(`{%q:%s}`, x.one, body) }
			a := r.do("POST", "/"+x.many, admin, in(x.create)).Want(201)
			id := a.Text(x.one, "id")
			path := "/" + x.many + "/" + id
			if len(id) != 32 || a.Text(x.one, "links", "self") != "http://cloud/identity/v3"+path || strings.Contains(string(a.Body), `password"`) {
				t.Errorf("%s", a.Body)
			}
			if got := r.do("GET", path, admin, "").Want(200); string(got.Body) != string(a.Body) {
				t.Errorf("shown %s, made %s", got.Body, a.Body)
			}
			r.do("POST", "/"+x.many, admin, in(x.create)).Want(409)
			for _, bad := range x.bad {
				if a := r.do("POST", "/"+x.many, admin, in(bad)).Want(400); a.At("error", "code") != 400.0 || a.Text("error", "title") != "Bad Request" {
					t.Errorf("%s", a.Body)
				}
			}
			r.do("POST", "/"+x.many, admin, `{`).Want(400)
			name := a.Text(x.one, "name")
			list := r.do("GET", "/"+x.many+"?name="+name, admin, "").Want(200)
			if len(list.At(x.many).([]any)) != 1 || list.Text(x.many, 0, "id") != id || list.At("links", "next") != nil {
				t.Errorf("%s", list.Body)
			}
			if got := r.do("PATCH", path, admin, in(x.update)).Want(200); got.At(x.one, x.changed) != x.value {
				t.Errorf("%s", got.Body)
			}
			r.do("PATCH", "/"+x.many+"/none", admin, in(x.update)).Want(404)
			r.do("DELETE", path, admin, "").Want(204)
			for _, method := range []string{"GET", "DELETE"} {
				if a := r.do(method, path, admin, "").Want(404); !strings.HasPrefix(a.Text("error", "message"), "Could not find "+x.one) {
					t.Errorf("%s", a.Body)
				}
			}
		})
	}
}

func TestFilters(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	yes := true
	r.must(&command.ProjectCreate{ID: "000000000000000000000000000000a9", DomainID: "default", Name: "Attic", Disabled: yes})
	for query, want := range map[string]string{
		"projects":                               "Attic admin demo elsewhere",
		"projects?name=demo":                     "demo",
		"projects?enabled=True":                  "admin demo elsewhere",
		"projects?enabled=false":                 "Attic",
		"projects?enabled=0":                     "Attic",
		"projects?domain_id=default&name=demo":   "demo",
		"projects?domain_id=mars":                "",
		"projects?parent_id=default&name=demo":   "demo",
		"projects?is_domain=true":                "",
		"projects?name__startswith=e":            "elsewhere",
		"projects?name__contains=em":             "demo",
		"projects?name__icontains=ATT":           "Attic",
		"projects?name__endswith=o":              "demo",
		"projects?colour=red":                    "Attic admin demo elsewhere",
		"users?name=reader":                      "reader",
		"users?enabled=true&name__contains=demo": "demo",
		"roles?name=member":                      "member",
		"domains?name=Default":                   "Default",
		"domains?name=mars":                      "",
		"services?type=compute":                  "nova",
		"services?name=keystone":                 "keystone",
		"services?type=volume":                   "",
	} {
		a := r.do("GET", "/"+query, admin, "").Want(200)
		many, _, _ := strings.Cut(query, "?")
		got := map[string]bool{}
		for _, x := range a.At(many).([]any) {
			got[x.(map[string]any)["name"].(string)] = true
		}
		for _, name := range strings.Fields(want) {
			if !got[name] {
				t.Errorf("%s lacks %s: %s", query, name, a.Body)
			}
		}
		if len(got) != len(strings.Fields(want)) {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
}

func TestTheCatalogsParts(t *testing.T) {
	r := newRig(t)
	admin, member := r.login("admin"), r.login("member")
	catalog := r.do("GET", "/auth/catalog", member, "").Want(200)
	service := catalog.Text("catalog", 1, "id")
	endpoint := catalog.Text("catalog", 1, "endpoints", 0, "id")
	if a := r.do("GET", "/services/"+service, admin, "").Want(200); a.Text("service", "type") != "compute" {
		t.Errorf("%s", a.Body)
	}
	a := r.do("GET", "/endpoints/"+endpoint, admin, "").Want(200)
	if a.Text("endpoint", "url") != "http://cloud/compute/v2.1" || a.Text("endpoint", "service_id") != service || a.Text("endpoint", "interface") != "public" {
		t.Errorf("%s", a.Body)
	}
	if a := r.do("GET", "/regions/RegionOne", member, "").Want(200); a.Text("region", "id") != "RegionOne" {
		t.Errorf("%s", a.Body)
	}
	for _, path := range []string{"/services/none", "/endpoints/none", "/regions/none"} {
		r.do("GET", path, admin, "").Want(404)
	}
	for query, want := range map[string]int{"": 6, "?interface=public": 2, "?service_id=" + service: 3, "?service_id=" + service + "&interface=internal": 1,
		"?region_id=RegionOne": 6, "?region=mars": 0, "?interface=secret": 0} {
		if got := len(r.do("GET", "/endpoints"+query, admin, "").Want(200).At("endpoints").([]any)); got != want {
			t.Errorf("endpoints%s: %d, want %d", query, got, want)
		}
	}
	for _, path := range []string{"/auth/projects", "/auth/domains", "/auth/system", "/regions", "/users/" + string(resttest.MemberUser) + "/projects"} {
		if a := r.do("GET", path+"?x=y", member, "").Want(200); a.Text("links", "self") != "http://cloud/identity/v3"+path {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
}

func TestGrants(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	roles := r.do("GET", "/roles?name=reader", admin, "").Want(200)
	path := "/projects/" + string(resttest.StrangerProject) + "/users/" + string(resttest.MemberUser) + "/roles"
	one := path + "/" + roles.Text("roles", 0, "id")
	r.do("HEAD", one, admin, "").Want(404)
	r.do("DELETE", one, admin, "").Want(404)
	r.do("PUT", one, admin, "").Want(204)
	r.do("PUT", one, admin, "").Want(204)
	r.do("HEAD", one, admin, "").Want(204)
	if a := r.do("GET", path, admin, "").Want(200); len(a.At("roles").([]any)) != 1 || a.Text("roles", 0, "name") != "reader" {
		t.Errorf("%s", a.Body)
	}
	a := r.do("GET", "/users/"+string(resttest.MemberUser)+"/projects", r.login("member"), "").Want(200)
	if len(a.At("projects").([]any)) != 2 {
		t.Errorf("%s", a.Body)
	}
	r.auth(proofOf(resttest.MemberUser, "member-pw"), inProject(resttest.StrangerProject)).Want(201)
	r.do("DELETE", one, admin, "").Want(204)
	r.auth(proofOf(resttest.MemberUser, "member-pw"), inProject(resttest.StrangerProject)).Want(401)
	for _, bad := range []string{"/projects/none/users/" + string(resttest.MemberUser) + "/roles", "/projects/" + string(resttest.MemberProject) + "/users/none/roles"} {
		r.do("GET", bad, admin, "").Want(404)
		r.do("PUT", bad+"/"+roles.Text("roles", 0, "id"), admin, "").Want(404)
	}
	r.do("PUT", path+"/none", admin, "").Want(404)
}

// TestAssignments are the grants, seen from the side.
func TestAssignments(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	all := len(r.do("GET", "/role_assignments", admin, "").Want(200).At("role_assignments").([]any))
	roles := r.do("GET", "/roles?name=member", admin, "").Want(200)
	member, project := roles.Text("roles", 0, "id"), string(resttest.StrangerProject)
	of := "user.id=" + string(resttest.MemberUser) + "&scope.project.id=" + project
	path := "/projects/" + project + "/users/" + string(resttest.MemberUser) + "/roles/" + member
	r.do("PUT", path, admin, "").Want(204)
	for query, want := range map[string]int{"": all + 1, "?" + of: 1, "?" + of + "&effective": 2, "?" + of + "&effective=0": 1, "?" + of + "&role.id=" + member: 1,
		"?" + of + "&role.id=none": 0, "?user.id=none": 0, "?group.id=x": 0, "?scope.domain.id=default": 0, "?scope.system=all": 0} {
		if got := len(r.do("GET", "/role_assignments"+query, admin, "").Want(200).At("role_assignments").([]any)); got != want {
			t.Errorf("%q: %d, want %d", query, got, want)
		}
	}
	a := r.do("GET", "/role_assignments?include_names=True&"+of, admin, "").Want(200)
	for _, row := range []struct {
		want string
		at   []any
	}{
		{"member", []any{"role", "name"}}, {string(resttest.MemberUser), []any{"user", "id"}}, {"Default", []any{"user", "domain", "name"}},
		{project, []any{"scope", "project", "id"}}, {"default", []any{"scope", "project", "domain", "id"}},
		{"http://cloud/identity/v3" + path, []any{"links", "assignment"}},
	} {
		if got := a.Text(append([]any{"role_assignments", 0}, row.at...)...); got != row.want {
			t.Errorf("%v: %q, want %q", row.at, got, row.want)
		}
	}
	r.do("GET", "/role_assignments", r.login("member"), "").Want(403)
}

// TestPolicysRolesStay: policy knows them by name.
func TestPolicysRolesStay(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	for _, name := range []string{"admin", "member", "reader"} {
		a := r.do("GET", "/roles?name="+name, admin, "").Want(200)
		if a.At("roles", 0, "options", "immutable") != true {
			t.Errorf("%s", a.Body)
		}
		id := a.Text("roles", 0, "id")
		r.do("DELETE", "/roles/"+id, admin, "").Want(403)
		r.do("PATCH", "/roles/"+id, admin, `{"role":{"name":"other"}}`).Want(403)
	}
}

// TestARoleGoesWithItsGrants.
func TestARoleGoesWithItsGrants(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	id := r.do("POST", "/roles", admin, `{"role":{"name":"watcher"}}`).Want(201).Text("role", "id")
	r.do("PUT", "/projects/"+string(resttest.StrangerProject)+"/users/"+string(resttest.MemberUser)+"/roles/"+id, admin, "").Want(204)
	text := r.auth(proofOf(resttest.MemberUser, "member-pw"), inProject(resttest.StrangerProject)).Want(201).Header.Get("X-Subject-Token")
	r.do("DELETE", "/roles/"+id, admin, "").Want(204)
	r.do("GET", "/auth/projects", text, "").Want(401)
	r.do("GET", "/projects/"+string(resttest.StrangerProject)+"/users/"+string(resttest.MemberUser)+"/roles", admin, "").Want(200)
}

func TestPeopleSeeThemselves(t *testing.T) {
	r := newRig(t)
	member := r.login("member")
	r.do("GET", "/users/"+string(resttest.MemberUser), member, "").Want(200)
	r.do("GET", "/users/"+string(resttest.ReaderUser), member, "").Want(404)
	r.do("GET", "/users/"+string(resttest.ReaderUser)+"/projects", member, "").Want(404)
	r.do("GET", "/projects/"+string(resttest.MemberProject), member, "").Want(200)
	r.do("GET", "/projects/"+string(resttest.StrangerProject), member, "").Want(404)
	r.do("GET", "/domains/default", member, "").Want(200)
	r.do("GET", "/domains/mars", member, "").Want(404)
}

func TestOwnPassword(t *testing.T) {
	r := newRig(t)
	member := r.login("member")
	path := "/users/" + string(resttest.MemberUser) + "/password"
	for body, status := range map[string]int{
		`{"user":{"password":"new"}}`:                                                               400,
		`{"user":{"original_password":"member-pw"}}`:                                                400,
		`{"user":{"original_password":"wrong","password":"new"}}`:                                   401,
		`{"user":{"original_password":7,"password":"new"}}`:                                         400,
		`{"user":{"original_password":"member-pw","password":"` + strings.Repeat("p", 1025) + `"}}`: 400,
	} {
		r.do("POST", path, member, body).Want(status)
	}
	r.do("POST", "/users/none/password", member, `{"user":{"original_password":"member-pw","password":"new"}}`).Want(401)
	r.do("POST", path, member, `{"user":{"original_password":"member-pw","password":"new"}}`).Want(204)
	r.do("GET", "/auth/projects", member, "").Want(401)
	r.auth(proofOf(resttest.MemberUser, "member-pw")).Want(401)
	r.auth(proofOf(resttest.MemberUser, "new")).Want(201)
}

func TestDiscovery(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/identity", "/identity/"} {
		a := r.Do("GET", path, "", nil, "").Want(300)
		if a.Header.Get("Location") != "http://cloud/identity/v3/" || a.Text("versions", "values", 0, "id") != "v3.14" {
			t.Errorf("%v %s", a.Header, a.Body)
		}
	}
	for _, path := range []string{"/identity/v3", "/identity/v3/"} {
		a := r.Do("GET", path, "", nil, "").Want(200)
		if a.Text("version", "links", 0, "href") != "http://cloud/identity/v3/" || a.Header.Get("Vary") != "X-Auth-Token" {
			t.Errorf("%v %s", a.Header, a.Body)
		}
	}
	if a := r.do("GET", "/nothing", "", "").Want(404); a.Text("error", "title") != "Not Found" {
		t.Errorf("%s", a.Body)
	}
	if a := r.do("PUT", "/users", r.login("admin"), "").Want(405); a.Header.Get("Allow") != "GET, POST" {
		t.Errorf("%v", a.Header)
	}
}

// hasty is a cloud in which somebody else deletes at once what is made.
type hasty struct{ *resttest.World }

func (h hasty) Propose(ctx context.Context, e command.Envelope) (rest.Done, error) {
	done, err := h.World.Propose(ctx, e)
	switch c := e.Command.(type) {
	case *command.ProjectCreate:
		h.Must(h.By(resttest.Admin), &command.ProjectDelete{ID: c.ID})
	case *command.UserCreate:
		h.Must(h.By(resttest.Admin), &command.UserDelete{ID: c.ID})
	case *command.RoleCreate:
		h.Must(h.By(resttest.Admin), &command.RoleDelete{ID: c.ID})
	}
	done.View = h.View()
	return done, err
}

func TestWhatVanishesAtOnceIsNotFound(t *testing.T) {
	r := newRig(t)
	admin := r.login("admin")
	r.Shell.Cluster = hasty{r.World}
	for _, one := range []string{"project", "user", "role"} {
		r.do("POST", "/"+one+"s", admin, `{"`+one+`":{"name":"x"}}`).Want(404)
	}
}
