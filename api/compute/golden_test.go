package compute

import (
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// golden makes the server that the goldens show: it runs, with everything set
// that can be.
func golden(t *testing.T) (*rig, model.ServerID) {
	t.Helper()
	r := newRig(t)
	r.ask("POST", "/os-keypairs", "", `{"keypair":{"name":"laptop","public_key":"`+someKey+`"}}`).Want(200)
	body := create(`"key_name":"laptop"`, `"metadata":{"role":"web"}`, `"user_data":"aGk="`, `"config_drive":"false"`, `"accessIPv4":"192.0.2.7"`,
		`"networks":[{"uuid":"`+string(resttest.Network)+`","fixed_ip":"10.0.0.7"}]`, `"tags":["b","a"]`, `"description":"front"`,
		`"OS-DCF:diskConfig":"MANUAL"`, `"availability_zone":"nova"`)
	a := r.ask("POST", "/servers", "2.93", body).Want(202)
	a.Golden("server_create")
	id := model.ServerID(a.Text("server", "id"))
	if got := a.Header.Get("Location"); got != "http://cloud/compute/v2.1/servers/"+string(id) {
		t.Errorf("location %q", got)
	}
	if s := r.View().Server(id); string(s.UserData) != "sealed:hi" || s.PublicKey == "" {
		t.Errorf("stored %q %q", s.UserData, s.PublicKey)
	}
	return r, id
}

func TestGoldens(t *testing.T) {
	r, id := golden(t)
	r.ask("GET", "/servers/"+string(id), "", "").Want(200).Golden("server_show_building")
	r.Run(id)
	for _, v := range []string{"2.1", "2.3", "2.47", "2.73", "2.93"} {
		r.ask("GET", "/servers/"+string(id), v, "").Want(200).Golden("server_show_" + v)
		r.admin("GET", "/servers/"+string(id), v, "").Want(200).Golden("server_show_admin_" + v)
		r.ask("GET", "/servers/detail", v, "").Want(200).Golden("server_detail_" + v)
		r.ask("PUT", "/servers/"+string(id), v, `{"server":{"name":"front"}}`).Want(200).Golden("server_update_" + v)
		r.ask("GET", "/flavors/detail", v, "").Want(200).Golden("flavor_detail_" + v)
		r.ask("GET", "/os-keypairs", v, "").Want(200).Golden("keypair_list_" + v)
		r.ask("GET", "/limits", v, "").Want(200).Golden("limits_" + v)
		r.ask("GET", "/os-quota-sets/"+string(resttest.MemberProject)+"/detail", v, "").Want(200).Golden("quota_detail_" + v)
		r.admin("GET", "/os-hypervisors/detail", v, "").Want(200).Golden("hypervisor_detail_" + v)
		r.admin("GET", "/os-services", v, "").Want(200).Golden("service_list_" + v)
		r.ask("GET", "/servers/"+string(id)+"/os-interface", v, "").Want(200).Golden("interface_list_" + v)
		r.ask("GET", "/servers/"+string(id)+"/os-instance-actions", v, "").Want(200).Golden("action_list_" + v)
	}
	for path, name := range map[string]string{
		"/servers": "server_list", "/servers/" + string(id) + "/ips": "ips", "/servers/" + string(id) + "/metadata": "metadata",
		"/flavors": "flavor_list", "/flavors/1": "flavor_show", "/os-keypairs/laptop": "keypair_show", "/os-availability-zone": "zone_list",
		"/servers/" + string(id) + "/os-volume_attachments": "volume_attachments", "/servers/" + string(id) + "/os-security-groups": "security_groups",
	} {
		r.ask("GET", path, "", "").Want(200).Golden(name)
	}
	r.admin("GET", "/os-availability-zone/detail", "", "").Want(200).Golden("zone_detail")
	r.admin("GET", "/os-hypervisors/statistics", "", "").Want(200).Golden("hypervisor_statistics")
	action := r.ask("GET", "/servers/"+string(id)+"/os-instance-actions", "", "").Text("instanceActions", 0, "request_id")
	for _, v := range []string{"2.1", "2.51", "2.62"} {
		r.ask("GET", "/servers/"+string(id)+"/os-instance-actions/"+action, v, "").Want(200).Golden("action_show_" + v)
	}
	r.admin("GET", "/servers/"+string(id)+"/os-instance-actions/"+action, "2.84", "").Want(200).Golden("action_show_admin_2.84")
}

func TestGoldenOfAFault(t *testing.T) {
	r := newRig(t)
	body := create(`"networks":[{"uuid":"` + string(resttest.Network) + `","fixed_ip":"10.0.0.7"}]`)
	id := model.ServerID(r.ask("POST", "/servers", "", body).Want(202).Text("server", "id"))
	r.Must(r.Leader(), &command.ServersPlace{Items: []command.Placement{{ServerID: id, Fault: "No valid host was found. There are not enough hosts available.", Trace: "1 host: 1 too little RAM"}}})
	r.ask("GET", "/servers/"+string(id), "", "").Want(200).Golden("server_show_error")
	r.admin("GET", "/servers/"+string(id), "", "").Want(200).Golden("server_show_error_admin")
}

func TestDiscovery(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/compute", "/compute/"} {
		r.Do("GET", path, "", nil, "").Want(200).Golden("versions")
	}
	for _, path := range []string{"/compute/v2.1", "/compute/v2.1/"} {
		r.Do("GET", path, "", nil, "").Want(200).Golden("version")
	}
	if got := r.Do("GET", "/v2.1", "", nil, "").Want(200).Text("version", "links", 0, "href"); got != "http://cloud/v2.1/" {
		t.Errorf("at the root: %s", got)
	}
	r.Do("GET", "/v2.1/nothing", "", nil, "").Want(404).Text("itemNotFound", "message")
	r.Do("GET", "/compute/v2.1/nothing", "", nil, "").Want(404).Text("itemNotFound", "message")
	for _, path := range []string{"/compute/v2", "/compute/v2/servers", "/compute/v2.10", "/compute/nothing"} {
		a := r.Do("POST", path, "", nil, "{}").Want(300)
		if got, want := a.Text("choices", 0, "links", 0, "href"), "http://cloud/compute/v2.1"+strings.TrimPrefix(path, "/compute"); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
	r.Do("GET", "/compute/v2/flavors", "", nil, "").Want(300).Golden("choices")
	r.Do("GET", "/v2.1/servers", resttest.Member, nil, "").Want(200)
}

func TestVersionHeaders(t *testing.T) {
	r := newRig(t)
	for _, row := range []struct {
		headers map[string]string
		want    string
	}{
		{nil, "2.1"},
		{map[string]string{oldHeader: "2.10"}, "2.10"},
		{map[string]string{newHeader: "compute 2.27"}, "2.27"},
		{map[string]string{newHeader: "identity 3, compute 2.30", oldHeader: "2.2"}, "2.30"},
		{map[string]string{newHeader: "volume 3.1"}, "2.1"},
		{map[string]string{newHeader: "compute latest"}, "2.93"},
	} {
		for path, status := range map[string]int{"/servers": 200, "/servers/none": 404} {
			a := r.Do("GET", "/compute/v2.1"+path, resttest.Member, row.headers, "").Want(status)
			vary := a.Header.Values("Vary")
			if a.Header.Get(oldHeader) != row.want || a.Header.Get(newHeader) != "compute "+row.want || len(vary) != 2 || vary[0] != newHeader || vary[1] != oldHeader {
				t.Errorf("%v: %v", row.headers, a.Header)
			}
		}
	}
	// A version that is not served, or that is none, is answered in the same
	// way.
	for header, row := range map[string]struct {
		status int
		says   string
	}{"2.999": {406, "2.999"}, "3.1": {406, "3.1"}, "two": {400, "2.1"}} {
		for _, path := range []string{"/compute/v2.1/servers", "/compute/v2.1/", "/compute/"} {
			a := r.Do("GET", path, resttest.Member, map[string]string{oldHeader: header}, "").Want(row.status)
			vary := a.Header.Values("Vary")
			if a.Header.Get(oldHeader) != row.says || a.Header.Get(newHeader) != "compute "+row.says || len(vary) != 2 || a.Header.Get("X-Compute-Request-Id") == "" {
				t.Errorf("%s at %s: %v", header, path, a.Header)
			}
		}
	}
}
