package compute

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

func TestServersLife(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	path := "/servers/" + string(id)
	is := func(status, task string, power float64) {
		t.Helper()
		a := r.ask("GET", path, "", "").Want(200)
		got, _ := a.At("server", "OS-EXT-STS:task_state").(string)
		if a.Text("server", "status") != status || got != task || a.At("server", "OS-EXT-STS:power_state") != power {
			t.Fatalf("want %s %q %v: %s", status, task, power, a.Body)
		}
	}
	is("BUILD", "scheduling", 0)
	r.Place(id)
	is("BUILD", "spawning", 0)
	r.Report(id, assign.Running)
	is("ACTIVE", "", 1)
	r.ask("POST", path+"/action", "", `{"reboot":{"type":"Hard"}}`).Want(202)
	is("HARD_REBOOT", "rebooting_hard", 1)
	r.Report(id, assign.Running)
	r.ask("POST", path+"/action", "", `{"reboot":{"type":"SOFT"}}`).Want(202)
	is("REBOOT", "rebooting", 1)
	r.Report(id, assign.Running)
	r.ask("POST", path+"/action", "", `{"os-stop":null}`).Want(202)
	is("ACTIVE", "powering-off", 1)
	r.Report(id, assign.Shutoff)
	is("SHUTOFF", "", 4)
	r.ask("POST", path+"/action", "", `{"reboot":{"type":"SOFT"}}`).Want(409)
	r.ask("POST", path+"/action", "", `{"os-start":{}}`).Want(202)
	r.Report(id, assign.Running)
	is("ACTIVE", "", 1)

	actions := r.ask("GET", path+"/os-instance-actions", "2.58", "").Want(200)
	for i, want := range []string{"start", "stop", "reboot", "reboot", "create"} {
		if got := actions.Text("instanceActions", i, "action"); got != want {
			t.Errorf("action %d is %s, want %s", i, got, want)
		}
	}
	a := r.ask("DELETE", path, "", "").Want(204)
	r.ask("GET", path, "", "").Want(404)
	r.ask("POST", path+"/action", "", `{"os-start":null}`).Want(404)
	r.ask("GET", path+"/os-instance-actions", "2.20", "").Want(404)
	if got := r.ask("GET", path+"/os-instance-actions", "2.21", "").Want(200).Text("instanceActions", 0, "request_id"); got != a.Header.Get("X-Compute-Request-Id") {
		t.Errorf("the delete's request id is %s, its answer said %v", got, a.Header)
	}
	r.Do("GET", "/compute/v2.1"+path+"/os-instance-actions", resttest.Stranger, at("2.21"), "").Want(404)
}

func TestConsole(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	r.Run(id)
	for body, want := range map[string]string{
		`null`: "one\ntwo\nthree\n", `{}`: "one\ntwo\nthree\n", `{"length":null}`: "one\ntwo\nthree\n", `{"length":-1}`: "one\ntwo\nthree\n",
		`{"length":0}`: "", `{"length":1}`: "", `{"length":"2"}`: "three\n", `{"length":3}`: "two\nthree\n", `{"length":99}`: "one\ntwo\nthree\n",
	} {
		a := r.ask("POST", "/servers/"+string(id)+"/action", "", `{"os-getConsoleOutput":`+body+`}`).Want(200)
		if got := a.Text("output"); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestCreateMany(t *testing.T) {
	r := newRig(t)
	a := r.ask("POST", "/servers", "", create(`"min_count":2,"max_count":"20","return_reservation_id":true`)).Want(202)
	if len(a.JSON()) != 1 || !strings.HasPrefix(a.Text("reservation_id"), "r-") {
		t.Errorf("%s", a.Body)
	}
	list := r.ask("GET", "/servers?sort_key=display_name&sort_dir=asc&reservation_id="+a.Text("reservation_id"), "", "").Want(200)
	for i, want := range []string{"web-1", "web-10", "web-2"} {
		if got := list.Text("servers", i, "name"); got != want {
			t.Errorf("server %d is %s, want %s", i, got, want)
		}
	}
	if n := len(list.At("servers").([]any)); n != 10 {
		t.Errorf("%d servers: the quota has room for 10", n)
	}
	r.ask("POST", "/servers", "", create()).Want(403)
}

func TestCreateByAdmin(t *testing.T) {
	r := newRig(t)
	for _, row := range []struct{ version, fields, host, zone string }{
		{"", `"availability_zone":"nova:h1"`, "h1", ""},
		{"", `"availability_zone":"nova:h1:h1"`, "h1", ""},
		{"", `"availability_zone":"nova::h1"`, "h1", ""},
		{"2.74", `"networks":"none","host":"h1","availability_zone":"nova"`, "h1", "nova"},
		{"2.74", `"networks":"none","hypervisor_hostname":"h1"`, "h1", ""},
	} {
		a := r.admin("POST", "/servers", row.version, create(row.fields)).Want(202)
		s := r.View().Server(model.ServerID(a.Text("server", "id")))
		if s.WantHost != row.host || s.WantZone != row.zone {
			t.Errorf("%s: host %q zone %q", row.fields, s.WantHost, s.WantZone)
		}
	}
	r.admin("POST", "/servers", "", create(`"availability_zone":"nova:h9"`)).Want(400)
	r.admin("POST", "/servers", "2.74", create(`"networks":"none","host":"h1","hypervisor_hostname":"h2"`)).Want(400)
	r.ask("POST", "/servers", "2.74", create(`"networks":"none","host":"h1"`)).Want(403)
}

func TestCreateWithPortAndBlocks(t *testing.T) {
	r := newRig(t)
	plain := `"block_device_mapping_v2":[{"source_type":"image","destination_type":"local","boot_index":"0","delete_on_termination":true,"uuid":"` + string(resttest.Image) + `"}]`
	r.ask("POST", "/servers", "", create(plain)).Want(202)
	r.ask("POST", "/servers", "", `{"server":{"name":"x","flavorRef":"http://cloud/flavors/1","imageRef":"",`+plain+`}}`).Want(202)
	a := r.ask("POST", "/servers", "2.90", create(`"networks":"none","hostname":"own-name"`, `"min_count":2`)).Want(202)
	if got := r.View().Server(model.ServerID(a.Text("server", "id"))).Hostname; got != "own-name-1" {
		t.Errorf("hostname %q", got)
	}
}

func TestLists(t *testing.T) {
	r := newRig(t)
	var ids []string
	for i := range 4 {
		id := r.server(fmt.Sprintf("s%d", i))
		ids = append(ids, string(id))
	}
	r.Run(model.ServerID(ids[0]))
	r.ask("PUT", "/servers/"+ids[0]+"/tags", "2.26", `{"tags":["red","big"]}`).Want(200)
	theirs := r.Do("POST", "/compute/v2.1/servers", resttest.Stranger, nil, create()).Want(202).Text("server", "id")
	gone := string(r.server("gone"))
	r.ask("DELETE", "/servers/"+gone, "", "").Want(204)
	address := r.ask("GET", "/servers/"+ids[0], "", "").Text("server", "addresses", "private", 0, "addr")
	for _, row := range []struct{ who, version, query, want string }{
		{"member", "", "", "3 2 1 0"},
		{"member", "", "?sort_key=created_at&sort_dir=asc", "0 1 2 3"},
		{"member", "", "?sort_key=display_name", "3 2 1 0"},
		{"member", "", "?sort_key=memory_mb&sort_dir=asc", "0 1 2 3"},
		{"member", "", "?limit=2", "3 2 +"},
		{"member", "", "?limit=2&marker=" + ids[2], "1 0 +"},
		{"member", "", "?limit=2&marker=" + ids[0], ""},
		{"member", "", "?limit=0", ""},
		{"member", "", "?name=s[12]", "2 1"},
		{"member", "", "?status=active", "0"},
		{"member", "", "?status=active&status=BUILD", "3 2 1 0"},
		{"member", "", "?status=FLYING", ""},
		{"member", "", "?flavor=1&image=" + string(resttest.Image), "3 2 1 0"},
		{"member", "", "?flavor=99", ""},
		{"member", "", "?ip=" + address + "$", "0"},
		{"member", "", "?host=h1", "3 2 1 0"},
		{"member", "", "?color=red", "3 2 1 0"},
		{"member", "", "?all_tenants=0", "3 2 1 0"},
		{"member", "2.25", "?tags=red", "3 2 1 0"},
		{"member", "2.26", "?tags=red,big", "0"},
		{"member", "2.26", "?tags=red,small", ""},
		{"member", "2.26", "?tags-any=red,small", "0"},
		{"member", "2.26", "?not-tags=red,big", "3 2 1"},
		{"member", "2.26", "?not-tags-any=small", "3 2 1 0"},
		{"member", "2.73", "?locked=false", "3 2 1 0"},
		{"member", "2.73", "?locked=1", ""},
		{"member", "2.82", "?vm_state=active", "3 2 1 0"},
		{"member", "2.83", "?vm_state=active", "0"},
		{"member", "2.90", "?hostname=^s3", "3"},
		{"member", "", "?changes-since=2030-01-01T00:00:00Z", ""},
		{"member", "", "?changes-since=2020-01-01T00:00:00%2B00:00", "gone 3 2 1 0"},
		{"member", "2.66", "?changes-before=2020-01-01", ""},
		{"admin", "", "", ""},
		{"admin", "", "?all_tenants=1", "theirs 3 2 1 0"},
		{"admin", "", "?all_tenants", "theirs 3 2 1 0"},
		{"admin", "", "?all_tenants=True&project_id=" + string(resttest.StrangerProject), "theirs"},
		{"admin", "", "?all_tenants=1&host=h1", "0"},
		{"admin", "", "?all_tenants=1&deleted=true", "gone"},
		{"admin", "", "?all_tenants=1&status=deleted", "gone"},
		{"admin", "", "?all_tenants=1&uuid=" + ids[1], "1"},
		{"admin", "", "?all_tenants=1&sort_key=host&sort_dir=desc&limit=1", "0 +"},
	} {
		a := r.Do("GET", "/compute/v2.1/servers"+row.query, row.who, at(row.version), "").Want(200)
		var got []string
		for _, s := range a.At("servers").([]any) {
			id := s.(map[string]any)["id"].(string)
			name := map[string]string{theirs: "theirs", gone: "gone"}[id]
			for i := range ids {
				if ids[i] == id {
					name = fmt.Sprint(i)
				}
			}
			got = append(got, name)
		}
		if a.At("servers_links") != nil {
			got = append(got, "+")
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s %s %s: %v, want %s", row.who, row.version, row.query, got, row.want)
		}
	}
	a := r.ask("GET", "/servers/detail?limit=1&changes-since=2020-01-01", "", "").Want(200)
	if a.Text("servers", 0, "status") != "DELETED" || a.Text("servers", 0, "OS-SRV-USG:terminated_at") == "" {
		t.Errorf("%s", a.Body)
	}
	next := a.Text("servers_links", 0, "href")
	if want := "http://cloud/compute/v2.1/servers/detail?changes-since=2020-01-01&limit=1&marker=" + gone; next != want {
		t.Errorf("next is %s, want %s", next, want)
	}
	scoped := r.ask("GET", "/"+string(resttest.MemberProject)+"/servers?limit=1", "", "").Want(200)
	if want := "http://cloud/compute/v2.1/" + string(resttest.MemberProject) + "/servers?limit=1&marker=" + ids[3]; scoped.Text("servers_links", 0, "href") != want {
		t.Errorf("scoped: %s", scoped.Body)
	}
}

func TestMetadata(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	path := "/servers/" + string(id) + "/metadata"
	r.ask("POST", path, "", `{"metadata":{"a":"1"}}`).Want(409)
	r.Run(id)
	has := func(a *resttest.Answer, want string) {
		t.Helper()
		if got := strings.TrimSpace(string(a.Body)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	has(r.ask("PUT", path, "", `{"metadata":{"a":"1","b":"2"}}`).Want(200), `{"metadata":{"a":"1","b":"2"}}`)
	has(r.ask("POST", path, "", `{"metadata":{"b":"3","c":"4"}}`).Want(200), `{"metadata":{"a":"1","b":"3","c":"4"}}`)
	has(r.ask("PUT", path+"/a", "", `{"meta":{"a":"5"}}`).Want(200), `{"meta":{"a":"5"}}`)
	has(r.ask("GET", path+"/a", "", "").Want(200), `{"meta":{"a":"5"}}`)
	r.ask("DELETE", path+"/a", "", "").Want(204)
	r.ask("DELETE", path+"/a", "", "").Want(404)
	has(r.ask("GET", path, "", "").Want(200), `{"metadata":{"b":"3","c":"4"}}`)
	var many []string
	for i := range maxMetadata + 1 {
		many = append(many, fmt.Sprintf(`"k%d":"v"`, i))
	}
	r.ask("PUT", path, "", `{"metadata":{`+strings.Join(many, ",")+`}}`).Want(403)
	r.ask("PUT", path, "", `{"metadata":{`+strings.Join(many[1:], ",")+`}}`).Want(200)
	r.ask("POST", path, "", `{"metadata":{"onemore":"v"}}`).Want(403)
}

func TestTags(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	r.Run(id)
	path := "/servers/" + string(id) + "/tags"
	a := r.ask("PUT", path+"/red", "2.26", "").Want(201)
	if got := a.Header.Get("Location"); got != "http://cloud/compute/v2.1"+path+"/red" {
		t.Errorf("location %q", got)
	}
	r.ask("PUT", path+"/red", "2.26", "").Want(204)
	r.ask("GET", path+"/red", "2.26", "").Want(204)
	r.ask("GET", path+"/blue", "2.26", "").Want(404)
	r.ask("PUT", path, "2.26", `{"tags":["x","x","y"]}`).Want(200)
	r.ask("DELETE", path+"/x", "2.26", "").Want(204)
	if got := string(r.ask("GET", path, "2.26", "").Want(200).Body); got != `{"tags":["y"]}` {
		t.Errorf("tags %s", got)
	}
	r.ask("DELETE", path, "2.26", "").Want(204)
	if got := string(r.ask("GET", path, "2.26", "").Want(200).Body); got != `{"tags":[]}` {
		t.Errorf("tags %s", got)
	}
}

func TestUpdate(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	path := "/servers/" + string(id)
	if got := r.ask("GET", path, "2.19", "").Text("server", "description"); got != "web" {
		t.Errorf("below 2.19 the name is the description: %q", got)
	}
	r.ask("PUT", path, "2.90", `{"server":{"description":null,"hostname":"h-1","accessIPv6":"2001:db8::7","OS-DCF:diskConfig":"MANUAL"}}`).Want(200)
	a := r.ask("GET", path, "2.90", "").Want(200)
	if a.At("server", "description") != nil || a.Text("server", "OS-EXT-SRV-ATTR:hostname") != "h-1" || a.Text("server", "OS-DCF:diskConfig") != "MANUAL" || a.Text("server", "accessIPv6") != "2001:db8::7" {
		t.Errorf("%s", a.Body)
	}
}

func TestInterfacesAndAddresses(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	path := "/servers/" + string(id)
	r.Run(id)
	port := r.ask("GET", path+"/os-interface", "", "").Text("interfaceAttachments", 0, "port_id")
	if got := r.ask("GET", path+"/os-interface/"+port, "", "").Want(200).Text("interfaceAttachment", "port_state"); got != "ACTIVE" {
		t.Errorf("state %s", got)
	}
	r.ask("GET", path+"/os-interface/"+nowhere, "", "").Want(404)
	r.ask("GET", path+"/ips/private", "", "").Want(200).Text("private", 0, "addr")
	r.ask("GET", path+"/ips/none", "", "").Want(404)
}

// TestPasswordOfAServer is what its guest posted, for those who see the server,
// until one that may change it forgets it.
func TestPasswordOfAServer(t *testing.T) {
	r := newRig(t)
	id := r.server("web")
	r.Run(id)
	path := "/servers/" + string(id) + "/os-server-password"
	says := func(want string) {
		t.Helper()
		if a := r.ask("GET", path, "", "").Want(200); a.Text("password") != want {
			t.Errorf("%s, want %q", a.Body, want)
		}
	}
	says("")
	r.Must(command.By{System: command.HostBy + string(resttest.Host)}, &command.ServerPassword{ID: id, Permit: r.View().Permit(id).Number, Password: []byte("secret:c2VjcmV0")})
	says("c2VjcmV0")
	r.Do("GET", "/compute/v2.1"+path, resttest.Reader, nil, "").Want(200)
	r.Do("DELETE", "/compute/v2.1"+path, resttest.Reader, nil, "").Want(403)
	for _, method := range []string{"GET", "DELETE"} {
		r.Do(method, "/compute/v2.1"+path, resttest.Stranger, nil, "").Want(404)
		r.ask(method, "/servers/none/os-server-password", "", "").Want(404)
	}
	for range 2 {
		r.ask("DELETE", path, "", "").Want(204)
	}
	says("")
}
