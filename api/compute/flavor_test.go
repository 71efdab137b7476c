package compute

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/internal/model"
)

// names are the flavors of a list.
func names(a *resttest.Answer) string {
	var out []string
	for _, f := range a.At("flavors").([]any) {
		out = append(out, f.(map[string]any)["name"].(string))
	}
	return strings.Join(out, " ")
}

// TestPrivateFlavorsAreForTheirProjects: seen, listed and used by those who
// were given access, and by nobody else.
func TestPrivateFlavorsAreForTheirProjects(t *testing.T) {
	r := newRig(t)
	r.admin("POST", "/flavors", "", `{"flavor":{"name":"own","id":"own","ram":64,"vcpus":1,"disk":1,"os-flavor-access:is_public":false}}`).Want(200)
	server := strings.Replace(create(), `"flavorRef":"1"`, `"flavorRef":"own"`, 1)
	access := func(action string, p model.ProjectID) string { return fmt.Sprintf(`{%q:{"tenant":%q}}`, action, p) }
	r.ask("GET", "/flavors/own", "", "").Want(404)
	r.ask("POST", "/servers", "", server).Want(400)
	r.admin("POST", "/flavors/own/action", "", access("addTenantAccess", resttest.MemberProject)).Want(200).Golden("flavor_access")
	r.admin("POST", "/flavors/own/action", "", access("addTenantAccess", resttest.MemberProject)).Want(409)
	r.admin("POST", "/flavors/own/action", "", access("addTenantAccess", "none")).Want(400)
	r.admin("POST", "/flavors/none/action", "", access("addTenantAccess", resttest.MemberProject)).Want(404)
	r.admin("POST", "/flavors/1/action", "2.7", access("addTenantAccess", resttest.MemberProject)).Want(409)
	r.admin("POST", "/flavors/own/action", "", `{"sing":{}}`).Want(400)
	r.admin("POST", "/flavors/own/action", "", `{"addTenantAccess":{"tenant":"x","y":1}}`).Want(400)
	r.admin("POST", "/flavors/own/action", "", `{}`).Want(400)
	if a := r.admin("GET", "/flavors/own/os-flavor-access", "", "").Want(200); a.Text("flavor_access", 0, "tenant_id") != string(resttest.MemberProject) {
		t.Errorf("%s", a.Body)
	}
	r.ask("GET", "/flavors/own", "", "").Want(200)
	for who, want := range map[string]string{resttest.Member: "m1.tiny m1.small own", resttest.Stranger: "m1.tiny m1.small", resttest.Admin: "m1.tiny m1.small"} {
		if got := names(r.Do("GET", "/compute/v2.1/flavors", who, nil, "").Want(200)); got != want {
			t.Errorf("%s sees %s, want %s", who, got, want)
		}
	}
	r.ask("POST", "/servers", "", server).Want(202)
	r.Do("POST", "/compute/v2.1/servers", resttest.Stranger, nil, server).Want(400)
	r.Do("GET", "/compute/v2.1/flavors/own", resttest.Stranger, nil, "").Want(404)
	r.admin("POST", "/flavors/own/action", "", access("removeTenantAccess", resttest.MemberProject)).Want(200)
	r.admin("POST", "/flavors/own/action", "", access("removeTenantAccess", resttest.MemberProject)).Want(404)
	r.ask("GET", "/flavors/own", "", "").Want(404)
	r.ask("POST", "/servers", "", server).Want(400)
}

func TestExtraSpecs(t *testing.T) {
	r := newRig(t)
	path := "/flavors/1/os-extra_specs"
	is := func(want string) {
		t.Helper()
		if got := string(r.ask("GET", path, "", "").Want(200).Body); got != want {
			t.Errorf("specs %s, want %s", got, want)
		}
	}
	if a := r.admin("POST", path, "", `{"extra_specs":{"rack":"north","n":4}}`).Want(200); string(a.Body) != `{"extra_specs":{"n":4,"rack":"north"}}` {
		t.Errorf("%s", a.Body)
	}
	is(`{"extra_specs":{"n":"4","rack":"north"}}`)
	if a := r.admin("PUT", path+"/n", "", `{"n":"5"}`).Want(200); string(a.Body) != `{"n":"5"}` {
		t.Errorf("%s", a.Body)
	}
	r.admin("PUT", path+"/n", "", `{"m":"5"}`).Want(400)
	r.admin("PUT", path+"/n", "", `{"n":"5","m":"6"}`).Want(400)
	r.admin("PUT", path+"/n", "", `{"n":true}`).Want(400)
	r.admin("POST", path, "", `{"extra_specs":{"a/b":"x"}}`).Want(400)
	r.admin("POST", path, "", `{"extra_specs":[]}`).Want(400)
	r.admin("POST", path, "", `{}`).Want(400)
	r.admin("POST", "/flavors/none/os-extra_specs", "", `{"extra_specs":{"a":"x"}}`).Want(404)
	if a := r.admin("DELETE", path+"/n", "", "").Want(200); len(a.Body) != 0 {
		t.Errorf("%s", a.Body)
	}
	r.admin("DELETE", path+"/n", "", "").Want(404)
	is(`{"extra_specs":{"rack":"north"}}`)
	if a := r.ask("GET", "/flavors/1", "2.61", "").Want(200); a.Text("flavor", "extra_specs", "rack") != "north" {
		t.Errorf("%s", a.Body)
	}
	// Labels ask for nothing, so servers get all that is asked for.
	id := model.ServerID(r.ask("POST", "/servers", "", create()).Want(202).Text("server", "id"))
	if got := r.View().Server(id).Size.ExtraSpecs["rack"]; got != "north" {
		t.Errorf("the server's copy has rack %q", got)
	}
}

// TestSpecsOfTheAPIAreKnown: from 2.86 on they are checked, and a server of a
// flavor that asks for what is not offered is refused, not made without it.
func TestSpecsOfTheAPIAreKnown(t *testing.T) {
	r := newRig(t)
	for spec, want := range map[string]struct{ at85, at86, server int }{
		`"hw:cpu_policy":"shared"`:          {200, 200, 202},
		`"hw:cpu_policy":"dedicated"`:       {200, 200, 400},
		`"hw:cpu_policy":"sometimes"`:       {200, 400, 400},
		`"hw:numa_nodes":2`:                 {200, 200, 400},
		`"hw:numa_nodes":0`:                 {200, 400, 400},
		`"hw:numa_cpus.1":"0,2-3"`:          {200, 200, 400},
		`"hw:watch_dog":"x"`:                {200, 400, 400},
		`"quota:disk_read_iops_sec":"1000"`: {200, 200, 400},
		`"resources:VCPU":"many"`:           {200, 400, 400},
		`"resources1:CUSTOM_GOLD":"1"`:      {200, 200, 400},
		`"trait:HW_CPU_X86_AVX":"required"`: {200, 200, 400},
		`"hide_hypervisor_id":"true"`:       {200, 200, 400},
		`"hide_hypervisor_id":"maybe"`:      {200, 400, 400},
		`"mine:anything":"x"`:               {200, 200, 202},
		`"hw_disk":"x"`:                     {200, 200, 202},
	} {
		for version, status := range map[string]int{"2.85": want.at85, "2.86": want.at86} {
			r.admin("POST", "/flavors/1/os-extra_specs", version, `{"extra_specs":{`+spec+`}}`).Want(status)
		}
		a := r.ask("POST", "/servers", "", create()).Want(want.server)
		if want.server == 202 {
			r.ask("DELETE", "/servers/"+a.Text("server", "id"), "", "").Want(204)
		} else if !strings.Contains(message(a), "which is not offered by this cloud") {
			t.Errorf("%s: %s", spec, a.Body)
		}
		for key := range r.View().Flavor("1").ExtraSpecs {
			r.admin("DELETE", "/flavors/1/os-extra_specs/"+key, "", "").Want(200)
		}
	}
}

func TestFlavorDescriptions(t *testing.T) {
	r := newRig(t)
	r.admin("PUT", "/flavors/1", "2.54", `{"flavor":{"description":"x"}}`).Want(404)
	r.admin("PUT", "/flavors/1", "2.55", `{"flavor":{"description":"for trying out"}}`).Want(200).Golden("flavor_update_2.55")
	r.admin("PUT", "/flavors/1", "2.55", `{"flavor":{}}`).Want(400)
	r.admin("PUT", "/flavors/1", "2.55", `{"flavor":{"description":"x","name":"y"}}`).Want(400)
	r.admin("PUT", "/flavors/none", "2.55", `{"flavor":{"description":"x"}}`).Want(404)
	r.ask("PUT", "/flavors/1", "2.55", `{"flavor":{"description":"x"}}`).Want(403)
	if a := r.admin("PUT", "/flavors/1", "2.93", `{"flavor":{"description":null}}`).Want(200); a.At("flavor", "description") != nil || a.At("flavor", "extra_specs") == nil {
		t.Errorf("%s", a.Body)
	}
}
