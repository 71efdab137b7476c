package image

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestGoldenBodies(t *testing.T) {
	r := newRig(t)
	r.Do("GET", "/image", "", nil, "").Golden("versions")
	r.Do("GET", "/image/versions", "", nil, "").Golden("versions_list")
	path := r.image(member, `{"name":"small","tags":["b","a","b"],"min_disk":1,"hw_disk_bus":"virtio"}`)
	r.Do("GET", "/image"+path, member, nil, "").Golden("queued")
	body := `[{"op":"replace","path":"/disk_format","value":"raw"},{"op":"replace","path":"/container_format","value":"bare"},
		{"op":"remove","path":"/hw_disk_bus"},{"op":"add","path":"/a~1b","value":"slash"}]`
	r.want(200, member, "PATCH", path, body, "Content-Type", patchType)
	r.want(204, member, "PUT", path+"/file", rawBytes, "Content-Type", octets)
	r.Do("GET", "/image"+path, member, nil, "").Golden("active")
	r.Do("GET", "/image/v2/images", member, nil, "").Golden("list")
	r.Do("POST", "/image/v2/images", member, nil, "{}").Golden("created")
	r.Do("GET", "/image/v2/schemas/image", member, nil, "").Golden("schema_image")
	r.Do("GET", "/image/v2/schemas/images", member, nil, "").Golden("schema_images")
	r.Do("GET", "/image/v2/info/import", member, nil, "").Golden("import")
	r.Do("GET", "/image/v2/metadefs/namespaces", member, nil, "").Golden("namespaces")
	r.Do("GET", "/image/v2/images", "", nil, "").Golden("no_token")
	r.Do("GET", "/image/v2/images/none", member, nil, "").Golden("not_found")
	r.Do("POST", "/image"+path+"/actions/deactivate", member, nil, "").Golden("not_offered")
	r.Do("GET", "/image/v2/tasks", member, nil, "").Golden("no_route")
}

// TestBadInput goes through what clients get wrong. own is a queued image of
// the member, hers an active private one of the other project, open a public one.
func TestBadInput(t *testing.T) {
	r := newRig(t)
	own, hers := r.image(member, `{"name":"own","color":"red"}`), r.active(stranger, `,"visibility":"private"`)
	open := r.active(admin, `,"visibility":"public"`)
	guarded := r.image(member, `{"protected":true}`)
	long := strings.Repeat("n", 256)
	for _, tc := range []struct {
		name, who, method, path, body, media string
		status                               int
		says                                 string
	}{
		{"malformed JSON", member, "POST", "/v2/images", `{"name":`, "", 400, "Malformed"},
		{"JSON and more", member, "POST", "/v2/images", `{} {}`, "", 400, "Malformed"},
		{"null", member, "POST", "/v2/images", `null`, "", 400, "not an object"},
		{"a list", member, "POST", "/v2/images", `[]`, "", 400, ""},
		{"name of 256", member, "POST", "/v2/images", `{"name":"` + long + `"}`, "", 400, "the limit is 255"},
		{"name a number", member, "POST", "/v2/images", `{"name":7}`, "", 400, "'name' must be a string"},
		{"visibility null", member, "POST", "/v2/images", `{"visibility":null}`, "", 400, "'visibility'"},
		{"unknown visibility", member, "POST", "/v2/images", `{"visibility":"all"}`, "", 400, "Invalid visibility"},
		{"unknown format", member, "POST", "/v2/images", `{"disk_format":"floppy"}`, "", 400, "Invalid disk format"},
		{"min_disk below 0", member, "POST", "/v2/images", `{"min_disk":-1}`, "", 400, "min_disk"},
		{"min_ram a fraction", member, "POST", "/v2/images", `{"min_ram":1.5}`, "", 400, "min_ram"},
		{"min_ram too large", member, "POST", "/v2/images", `{"min_ram":1e12}`, "", 400, "min_ram"},
		{"protected a text", member, "POST", "/v2/images", `{"protected":"yes"}`, "", 400, "protected"},
		{"tags a text", member, "POST", "/v2/images", `{"tags":"a"}`, "", 400, "tags"},
		{"tag a number", member, "POST", "/v2/images", `{"tags":[1]}`, "", 400, "tag"},
		{"property a number", member, "POST", "/v2/images", `{"color":1}`, "", 400, "'color'"},
		{"read-only on create", member, "POST", "/v2/images", `{"status":"active"}`, "", 403, "read-only"},
		{"reserved", member, "POST", "/v2/images", `{"os_glance_x":"1"}`, "", 403, "reserved"},
		{"id no UUID", member, "POST", "/v2/images", `{"id":"1"}`, "", 400, "UUID"},
		{"id taken", member, "POST", "/v2/images", `{"id":"` + strings.TrimPrefix(own, "/v2/images/") + `"}`, "", 409, "already exists"},
		{"another's image", member, "POST", "/v2/images", `{"owner":"000000000000000000000000000000a3"}`, "", 403, "not permitted"},
		{"public by a member", member, "POST", "/v2/images", `{"visibility":"public"}`, "", 403, "publicize_image"},
		{"too many tags", member, "POST", "/v2/images", `{"tags":["` + strings.Join(numbers(129), `","`) + `"]}`, "", 413, "tags"},
		{"too large a body", member, "POST", "/v2/images", `{"x":"` + strings.Repeat("x", 120000) + `"}`, "", 413, ""},
		{"create by a reader", reader, "POST", "/v2/images", `{}`, "", 403, "add_image"},
		{"no token", "", "GET", "/v2/images", "", "", 401, ""},

		{"unknown id", member, "GET", "/v2/images/00000000-0000-4000-8000-000000000000", "", "", 404, "No image found"},
		{"null id", member, "GET", "/v2/images/", "", "", 404, ""},
		{"foreign", member, "GET", hers, "", "", 404, "No image found"},
		{"foreign file", member, "GET", hers + "/file", "", "", 404, "No image found"},
		{"foreign delete", member, "DELETE", hers, "", "", 404, "No image found"},
		{"foreign patch", member, "PATCH", hers, `[]`, patchType, 404, "No image found"},
		{"foreign upload", member, "PUT", hers + "/file", "x", octets, 404, "No image found"},
		{"foreign tag", member, "PUT", hers + "/tags/x", "", "", 404, "No image found"},
		{"foreign deactivate", member, "POST", hers + "/actions/deactivate", "", "", 404, "No image found"},
		{"public patch", member, "PATCH", open, `[]`, patchType, 403, "not permitted to modify"},
		{"public delete", member, "DELETE", open, "", "", 403, "not permitted to modify"},
		{"public upload", member, "PUT", open + "/file", "x", octets, 403, "not permitted to modify"},
		{"protected delete", member, "DELETE", guarded, "", "", 403, "protected"},
		{"wrong verb", member, "PUT", own, "{}", "", 405, ""},

		{"patch as JSON", member, "PATCH", own, `[]`, "application/json", 415, patchType},
		{"patch an object", member, "PATCH", own, `{}`, patchType, 400, ""},
		{"patch without op", member, "PATCH", own, `[{"path":"/name","value":"x"}]`, patchType, 400, "'op'"},
		{"patch unknown op", member, "PATCH", own, `[{"op":"move","path":"/name","value":"x"}]`, patchType, 400, "move"},
		{"patch unknown op on nothing", member, "PATCH", own, `[{"op":"move","path":"/nope","value":"x"}]`, patchType, 400, "move"},
		{"patch without value", member, "PATCH", own, `[{"op":"add","path":"/x"}]`, patchType, 400, "missing"},
		{"patch deep path", member, "PATCH", own, `[{"op":"add","path":"/a/b","value":"x"}]`, patchType, 400, "path"},
		{"patch no path", member, "PATCH", own, `[{"op":"add","path":"a","value":"x"}]`, patchType, 400, "path"},
		{"patch read-only", member, "PATCH", own, `[{"op":"replace","path":"/status","value":"active"}]`, patchType, 403, "read-only"},
		{"patch away a base", member, "PATCH", own, `[{"op":"remove","path":"/visibility"}]`, patchType, 403, "may not be removed"},
		{"patch absent", member, "PATCH", own, `[{"op":"replace","path":"/nope","value":"x"}]`, patchType, 409, "does not exist"},
		{"patch absent away", member, "PATCH", own, `[{"op":"remove","path":"/nope"}]`, patchType, 409, "does not exist"},
		{"patch to public", member, "PATCH", own, `[{"op":"replace","path":"/visibility","value":"public"}]`, patchType, 403, "publicize_image"},
		{"patch old form twice", member, "PATCH", own, `[{"add":"/a","remove":"/b","value":"x"}]`, oldPatchType, 400, "exactly one"},
		{"patch format when active", stranger, "PATCH", hers, `[{"op":"replace","path":"/disk_format","value":"qcow2"}]`, patchType, 403, "queued"},

		{"tag of 256", member, "PUT", own + "/tags/" + long, "", "", 400, "the limit is 255"},
		{"absent tag", member, "DELETE", own + "/tags/none", "", "", 404, "no tag"},
		{"upload as JSON", member, "PUT", own + "/file", "x", "application/json", 415, octets},
		{"upload without formats", member, "PUT", own + "/file", "x", octets, 400, "must be set"},
		{"upload twice", stranger, "PUT", hers + "/file", "x", octets, 409, "active to saving"},

		{"limit a text", member, "GET", "/v2/images?limit=x", "", "", 400, "limit"},
		{"limit below 0", member, "GET", "/v2/images?limit=-1", "", "", 400, "limit"},
		{"unknown marker", member, "GET", "/v2/images?marker=none", "", "", 400, "Marker"},
		{"foreign marker", member, "GET", "/v2/images?marker=" + strings.TrimPrefix(hers, "/v2/images/"), "", "", 400, "Marker"},
		{"unknown sort key", member, "GET", "/v2/images?sort_key=owner", "", "", 400, "sort key"},
		{"unknown sort dir", member, "GET", "/v2/images?sort_dir=up", "", "", 400, "sort direction"},
		{"both sorts", member, "GET", "/v2/images?sort=name&sort_key=id", "", "", 400, "combined"},
		{"more dirs than keys", member, "GET", "/v2/images?sort_key=name&sort_dir=asc&sort_dir=asc", "", "", 400, "match"},
		{"visibility of none", member, "GET", "/v2/images?visibility=none", "", "", 400, "visibility"},
		{"member status of none", member, "GET", "/v2/images?member_status=none", "", "", 400, "status"},
		{"size a text", member, "GET", "/v2/images?size_min=big", "", "", 400, "size_min"},
		{"time garbage", member, "GET", "/v2/images?created_at=gt:soon", "", "", 400, "created_at"},
		{"open quote", member, "GET", `/v2/images?name=in:%22a,b`, "", "", 400, "quote"},
		{"hidden maybe", member, "GET", "/v2/images?os_hidden=maybe", "", "", 400, "os_hidden"},
		{"unknown schema", member, "GET", "/v2/schemas/none", "", "", 404, "schema"},
		{"members", member, "GET", own + "/members", "", "", 501, "not offered"},
		{"a tag is no tag", member, "GET", "/v2/images?sort=%3Cscript%3E", "", "", 400, "&lt;script&gt;"},
		{"import", member, "POST", own + "/import", "{}", "", 501, "not offered"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := r.View().Hash()
			var w *httptest.ResponseRecorder
			if tc.media == "" {
				w = r.do(tc.who, tc.method, tc.path, tc.body)
			} else {
				w = r.do(tc.who, tc.method, tc.path, tc.body, "Content-Type", tc.media)
			}
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("%d %s; want %d with %q", w.Code, w.Body, tc.status, tc.says)
			}
			if lines := shownOf(w); len(lines) != 2 || !strings.HasPrefix(lines[0], strconv.Itoa(tc.status)+" ") || strings.ContainsAny(lines[1], "<>") {
				t.Errorf("openstack shows %q of %s, as %s", lines, w.Body, w.Header().Get("Content-Type"))
			}
			if tc.status/100 == 4 && changedImages(r, before) {
				t.Error("it was refused and yet changed an image")
			}
		})
	}
	if n := r.blobs(); n != 1 {
		t.Errorf("%d files are stored, want the one that two images share", n)
	}
}

func numbers(n int) (out []string) {
	for i := range n {
		out = append(out, strings.Repeat("t", i+1))
	}
	return out
}

// shownOf gives the lines of a fault as openstack shows them: of a page, what is
// left without its tags, each line once.
func shownOf(w *httptest.ResponseRecorder) (lines []string) {
	if !strings.Contains(w.Header().Get("Content-Type"), "text/html") {
		return nil
	}
	for line := range strings.Lines(w.Body.String()) {
		line = strings.TrimSpace(tags.ReplaceAllString(line, ""))
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

var tags = regexp.MustCompile(`<.+?>`)

// changedImages tells whether a refused command did more than leave its result.
func changedImages(r *rig, before any) bool {
	return r.View().Hash() != before && slices.ContainsFunc(slices.Collect(r.View().Images()), func(i image) bool {
		return i.UpdatedAt == r.View().At
	})
}

func TestPatch(t *testing.T) {
	r := newRig(t)
	path := r.image(member, `{"name":"n","a":"1"}`)
	old := `[{"add":"/b","value":"2"},{"replace":"/name","value":null},{"remove":"/a"}]`
	r.want(200, member, "PATCH", path, old, "Content-Type", oldPatchType)
	got := decode[map[string]any](t, r.want(200, member, "PATCH", path,
		`[{"op":"add","path":"/tags","value":["x"]},{"op":"replace","path":"/min_ram","value":64},{"op":"add","path":"/b","value":"3"}]`, "Content-Type", patchType+"; charset=utf-8"))
	if got["name"] != nil || got["a"] != nil || got["b"] != "3" || got["min_ram"] != 64.0 || len(got["tags"].([]any)) != 1 {
		t.Errorf("after both patches: %v", got)
	}
	// An administrator changes and publishes what is another's.
	r.want(200, admin, "PATCH", path, `[{"op":"replace","path":"/visibility","value":"public"}]`, "Content-Type", patchType)
	r.want(200, stranger, "GET", path, "")
}

func TestTags(t *testing.T) {
	r := newRig(t)
	path := r.image(member, `{}`)
	r.want(204, member, "PUT", path+"/tags/a%2Fb%20c", "")
	r.want(204, member, "PUT", path+"/tags/a%2Fb%20c", "")
	r.want(204, member, "PUT", path+"/tags/plain", "")
	r.want(204, member, "PUT", path+"/tags/x%2Fy%2525", "") // its escapes are undone once
	if got := decode[struct{ Tags []string }](t, r.want(200, member, "GET", path, "")).Tags; !slices.Equal(got, []string{"a/b c", "plain", "x/y%25"}) {
		t.Errorf("tags: %q", got)
	}
	r.want(204, member, "DELETE", path+"/tags/plain", "")
	r.want(404, member, "DELETE", path+"/tags/plain", "")
}

func TestVisibility(t *testing.T) {
	r := newRig(t)
	paths := map[string]string{}
	for _, v := range []string{"private", "shared", "community", "public"} {
		who := stranger
		if v == "public" {
			who = admin
		}
		paths[v] = r.image(who, `{"name":"`+v+`","visibility":"`+v+`"}`)
	}
	for v, status := range map[string]int{"private": 404, "shared": 404, "community": 200, "public": 200} {
		r.want(status, member, "GET", paths[v], "")
		r.want(200, admin, "GET", paths[v], "")
	}
	for query, want := range map[string]string{"": "public", "?visibility=community": "community", "?visibility=all": "public community", "?visibility=private": ""} {
		if got := strings.Join(r.names(member, query), " "); got != want {
			t.Errorf("list%s shows %q, want %q", query, got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	r := newRig(t)
	w := r.want(201, member, "POST", "/v2/images", `{"id":"00000000-0000-4000-8000-000000000abc","disk_format":"raw","container_format":"bare"}`)
	if got := w.Header().Get("Location"); got != "http://cloud/image/v2/images/00000000-0000-4000-8000-000000000abc" {
		t.Errorf("Location: %s", got)
	}
	file := "/v2/images/00000000-0000-4000-8000-000000000abc/file"
	r.want(204, member, "PUT", file, rawBytes, "Content-Type", octets)
	h := r.want(200, member, "GET", file, "").Header()
	if h.Get("Content-MD5") != "5f5c59db36bea9d68685463c0a295a9e" || h.Get("Content-Length") != "600" || h.Get("Content-Type") != octets {
		t.Errorf("of the file: %v", h)
	}
	if got := r.want(401, "", "GET", "/v2/images", "").Header().Get("WWW-Authenticate"); got != `Keystone uri="http://cloud/identity"` {
		t.Errorf("WWW-Authenticate: %s", got)
	}
	if got := r.want(405, member, "PUT", "/v2/images", "").Header().Get("Allow"); got != "GET, POST" {
		t.Errorf("Allow: %s", got)
	}
}

// TestDecideIsPure: equal input gives the equal command.
func TestDecideIsPure(t *testing.T) {
	r := newRig(t)
	decided := func() string {
		cmd, err := decideCreate(r.Caller(member), draft{"name": "n", "a": "1", "b": "2", "tags": []any{"y", "x"}}, "00000000-0000-4000-8000-000000000001")
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(cmd)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if first, again := decided(), decided(); first != again {
		t.Errorf("%s, then %s", first, again)
	}
}
