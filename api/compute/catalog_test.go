package compute

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

func TestFlavors(t *testing.T) {
	r := newRig(t)
	make := func(version, fields string) *resttest.Answer {
		return r.admin("POST", "/flavors", version, `{"flavor":{"ram":"64","vcpus":1,"disk":0,`+fields+`}}`)
	}
	make("2.55", `"name":"hidden","id":"h.1","os-flavor-access:is_public":false,"description":"d","swap":0,"rxtx_factor":1.0`).Want(200).Golden("flavor_create")
	make("", `"name":"seven","id":7`).Want(200)
	if id := make("", `"name":"auto","id":"auto"`).Want(200).Text("flavor", "id"); !model.IsUUID(id) {
		t.Errorf("id %q", id)
	}
	for _, fields := range []string{`"name":"x","swap":1`, `"name":"x","OS-FLV-EXT-DATA:ephemeral":"10"`} {
		if a := make("", fields).Want(400); !strings.Contains(message(a), "not offered by this cloud") {
			t.Errorf("%s: %s", fields, a.Body)
		}
	}
	make("", `"name":"hidden","id":"h2"`).Want(409)
	make("", `"name":"other","id":"h.1"`).Want(409)
	make("", `"name":"x","id":" x"`).Want(400)
	make("", `"name":"x","rxtx_factor":2.5`).Want(400)
	make("2.54", `"name":"x","description":"d"`).Want(400)
	make("", `"name":"x","ephemeral":1`).Want(400)
	for _, row := range []struct{ who, query, want string }{
		{"member", "?sort_key=name", "auto m1.small m1.tiny seven"},
		{"member", "?is_public=None&sort_key=name", "auto m1.small m1.tiny seven"},
		{"admin", "?is_public=None&sort_key=name&sort_dir=desc", "seven m1.tiny m1.small hidden auto"},
		{"admin", "?is_public=false", "hidden"},
		{"admin", "?is_public=true&minRam=513", "m1.small"},
		{"member", "?minDisk=1", "m1.tiny m1.small"},
		{"member", "?minDisk=1&limit=1", "m1.tiny +"},
		{"member", "?minDisk=1&limit=1&marker=1", "m1.small +"},
	} {
		a := r.Do("GET", "/compute/v2.1/flavors"+row.query, row.who, nil, "").Want(200)
		var got []string
		for _, f := range a.At("flavors").([]any) {
			got = append(got, f.(map[string]any)["name"].(string))
		}
		if a.At("flavors_links") != nil {
			got = append(got, "+")
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s %s: %v, want %s", row.who, row.query, got, row.want)
		}
	}
	for query, want := range map[string]string{"?is_public=maybe": "is_public", "?sort_key=color": "sort_key", "?sort_dir=up": "sort_dir", "?marker=none": "marker"} {
		if a := r.admin("GET", "/flavors"+query, "", "").Want(400); !strings.Contains(message(a), want) {
			t.Errorf("%s: %s", query, a.Body)
		}
	}
	r.ask("GET", "/flavors/h.1", "", "").Want(404)
	r.ask("GET", "/flavors/h.1/os-extra_specs", "", "").Want(404)
	r.ask("GET", "/flavors/1/os-extra_specs", "", "").Want(200)
	r.ask("GET", "/flavors/1/os-extra_specs/hw:x", "", "").Want(404)
	r.admin("GET", "/flavors/h.1/os-flavor-access", "", "").Want(200)
	r.admin("GET", "/flavors/1/os-flavor-access", "", "").Want(404)
	r.admin("DELETE", "/flavors/h.1", "", "").Want(202)
	r.admin("DELETE", "/flavors/h.1", "", "").Want(404)
}

func TestKeyPairs(t *testing.T) {
	r := newRig(t)
	a := r.ask("POST", "/os-keypairs", "2.2", `{"keypair":{"name":"made"}}`).Want(201)
	private, err := ssh.ParseRawPrivateKey([]byte(a.Text("keypair", "private_key")))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(a.Text("keypair", "public_key")))
	if err != nil || string(public.Marshal()) != string(signer.PublicKey().Marshal()) || ssh.FingerprintLegacyMD5(public) != a.Text("keypair", "fingerprint") {
		t.Errorf("the halves do not fit: %v %s", err, a.Body)
	}
	r.ask("POST", "/os-keypairs", "", `{"keypair":{"name":"made"}}`).Want(409)
	r.ask("POST", "/os-keypairs", "", `{"keypair":{"name":"x","type":"ssh"}}`).Want(400)
	r.ask("POST", "/os-keypairs", "2.92", `{"keypair":{"name":"me@home.x","public_key":"`+someKey+`\n"}}`).Want(201)
	r.ask("GET", "/os-keypairs/me%40home.x", "", "").Want(200)
	r.ask("POST", "/os-keypairs", "2.2", `{"keypair":{"name":"cert","type":"x509","public_key":"`+someKey+`"}}`).Want(400)
	cert, err := json.Marshal(someCertificate)
	if err != nil {
		t.Fatal(err)
	}
	got := r.ask("POST", "/os-keypairs", "2.2", `{"keypair":{"name":"cert","type":"x509","public_key":`+string(cert)+`}}`).Want(201)
	if got.Text("keypair", "type") != "x509" || len(got.Text("keypair", "fingerprint")) != 59 {
		t.Errorf("%s", got.Body)
	}
	page := r.ask("GET", "/os-keypairs?limit=1&marker=cert", "2.35", "").Want(200)
	if page.Text("keypairs", 0, "keypair", "name") != "made" || page.Text("keypairs_links", 0, "rel") != "next" {
		t.Errorf("%s", page.Body)
	}
	theirs := "?user_id=" + string(resttest.MemberUser)
	r.admin("GET", "/os-keypairs/made", "2.10", "").Want(404)
	r.admin("GET", "/os-keypairs/made"+theirs, "2.10", "").Want(200)
	r.admin("GET", "/os-keypairs/made"+theirs, "2.9", "").Want(404)
	r.admin("POST", "/os-keypairs", "2.10", `{"keypair":{"name":"given","public_key":"`+someKey+`","user_id":"`+string(resttest.MemberUser)+`"}}`).Want(201)
	r.ask("DELETE", "/os-keypairs/given", "", "").Want(202)
	r.ask("DELETE", "/os-keypairs/made", "2.2", "").Want(204)
	r.ask("DELETE", "/os-keypairs/made", "2.2", "").Want(404)
}

func TestQuota(t *testing.T) {
	r := newRig(t)
	r.server("one")
	path := "/os-quota-sets/" + string(resttest.MemberProject)
	a := r.admin("PUT", path, "2.57", `{"quota_set":{"cores":"5","instances":-1,"key_pairs":100}}`).Want(200)
	if a.At("quota_set", "cores") != 5.0 || a.At("quota_set", "instances") != -1.0 || a.At("quota_set", "id") != nil || a.At("quota_set", "injected_files") != nil {
		t.Errorf("%s", a.Body)
	}
	r.admin("PUT", path, "", `{"quota_set":{"cores":0}}`).Want(400)
	r.admin("PUT", path, "", `{"quota_set":{"cores":0,"force":"True"}}`).Want(200)
	r.ask("POST", "/servers", "", create()).Want(403)
	r.admin("PUT", path, "", `{"quota_set":{"cores":-2}}`).Want(400)
	r.admin("PUT", path, "", `{"quota_set":{"server_groups":5}}`).Want(400)
	r.admin("PUT", path, "", `{"quota_set":{"volumes":5}}`).Want(400)
	r.admin("PUT", path, "2.57", `{"quota_set":{"injected_files":0}}`).Want(400)
	r.admin("PUT", path+"?user_id=x", "", `{"quota_set":{"cores":9}}`).Want(501)
	r.admin("PUT", "/os-quota-sets/none", "", `{"quota_set":{"cores":9}}`).Want(400)
	r.ask("PUT", path, "", `{"quota_set":{"cores":9}}`).Want(403)
	if a := r.ask("GET", path+"/defaults", "", "").Want(200); a.At("quota_set", "cores") != 20.0 {
		t.Errorf("defaults %s", a.Body)
	}
	r.Must(r.By(resttest.Admin), &command.QuotaSet{ProjectID: resttest.MemberProject, Limits: []command.QuotaLimit{{Resource: "port", Limit: 77}}})
	r.admin("DELETE", path, "", "").Want(202)
	if got := r.View().Limit(resttest.MemberProject, "port"); got != 77 {
		t.Errorf("another API's limit became %d by the reset of this one's", got)
	}
	if a := r.ask("GET", path, "", "").Want(200); a.At("quota_set", "cores") != 20.0 || a.Text("quota_set", "id") != string(resttest.MemberProject) {
		t.Errorf("after the reset %s", a.Body)
	}
	if a := r.ask("GET", "/limits", "", "").Want(200); a.At("limits", "absolute", "totalCoresUsed") != 1.0 {
		t.Errorf("limits %s", a.Body)
	}
}

func TestServices(t *testing.T) {
	r := newRig(t)
	r.admin("PUT", "/os-services/disable-log-reason", "", `{"host":"h1","binary":"nova-compute","disabled_reason":"new memory"}`).Want(200).Golden("service_disable")
	if a := r.admin("GET", "/os-services?host=h1&binary=nova-compute", "2.11", "").Want(200); a.Text("services", 0, "disabled_reason") != "new memory" || a.Text("services", 0, "status") != "disabled" {
		t.Errorf("%s", a.Body)
	}
	r.admin("PUT", "/os-services/disable-log-reason", "", `{"host":"h1","binary":"nova-compute"}`).Want(400)
	r.admin("PUT", "/os-services/enable", "", `{"host":"h1","binary":"nova-compute"}`).Want(200)
	r.admin("PUT", "/os-services/enable", "", `{"host":"h9","binary":"nova-compute"}`).Want(404)
	r.admin("PUT", "/os-services/polish", "", `{"host":"h1","binary":"nova-compute"}`).Want(404)
	r.admin("PUT", "/os-services/force-down", "2.10", `{"host":"h1","binary":"nova-compute","forced_down":true}`).Want(404)
	r.admin("PUT", "/os-services/force-down", "2.11", `{"host":"h1","binary":"nova-compute","forced_down":true}`).Want(200)
	if a := r.ask("GET", "/os-availability-zone", "", "").Want(200); a.At("availabilityZoneInfo", 0, "zoneState", "available") != false {
		t.Errorf("%s", a.Body)
	}
	path := "/os-services/" + string(resttest.Host)
	r.admin("PUT", path, "2.53", `{"forced_down":false,"status":"disabled","disabled_reason":"why"}`).Want(200).Golden("service_update_2.53")
	r.admin("PUT", path, "2.53", `{"disabled_reason":"why"}`).Want(400)
	r.admin("PUT", path, "2.53", `{}`).Want(400)
	r.admin("PUT", "/os-services/enable", "2.53", `{"status":"enabled"}`).Want(400)
	r.admin("PUT", "/os-services/"+nowhere, "2.53", `{"status":"enabled"}`).Want(404)
	r.ask("PUT", path, "2.53", `{"status":"enabled"}`).Want(403)
}

func TestHypervisors(t *testing.T) {
	r := newRig(t)
	r.AddHost("00000000-0000-4000-8000-0000000000f2", "h2")
	r.Run(r.server("web"))
	for _, row := range []struct {
		path, version string
		status        int
	}{
		{"/os-hypervisors/1", "2.52", 200}, {"/os-hypervisors/9", "2.52", 404}, {"/os-hypervisors/1", "2.53", 400},
		{"/os-hypervisors/" + string(resttest.Host), "2.53", 200}, {"/os-hypervisors/" + nowhere, "2.53", 404},
		{"/os-hypervisors/statistics", "2.87", 200}, {"/os-hypervisors/statistics", "2.88", 404},
		{"/os-hypervisors/1/uptime", "", 501}, {"/os-hypervisors/9/uptime", "", 404},
		{"/os-hypervisors/" + string(resttest.Host) + "/uptime", "2.88", 404},
		{"/os-hypervisors/h/search", "", 200}, {"/os-hypervisors/x/search", "", 404}, {"/os-hypervisors/h/search", "2.53", 404},
		{"/os-hypervisors?hypervisor_hostname_pattern=x", "2.53", 404}, {"/os-hypervisors?with_servers=perhaps", "2.53", 400},
		{"/os-migrations", "", 200}, {"/os-aggregates", "", 200}, {"/os-aggregates/7", "", 404}, {"/os-aggregates/x", "", 400},
	} {
		if a := r.admin("GET", row.path, row.version, ""); a.Status != row.status {
			t.Errorf("%s at %s: %d %s", row.path, row.version, a.Status, a.Body)
		}
	}
	a := r.admin("GET", "/os-hypervisors?with_servers=true&limit=1", "2.53", "").Want(200)
	if a.Text("hypervisors", 0, "servers", 0, "name") != "web" || a.Text("hypervisors_links", 0, "rel") != "next" {
		t.Errorf("%s", a.Body)
	}
	if a := r.admin("GET", "/os-hypervisors/h1/servers", "", "").Want(200); a.Text("hypervisors", 0, "servers", 0, "name") != "web" {
		t.Errorf("%s", a.Body)
	}
	if a := r.admin("GET", "/os-hypervisors/1", "2.27", "").Want(200); a.Text("hypervisor", "cpu_info") == "" {
		t.Errorf("%s", a.Body)
	}
}

func TestExtensions(t *testing.T) {
	r := newRig(t)
	r.ask("GET", "/extensions", "", "").Want(200).Text("extensions", 0, "alias")
	r.ask("GET", "/extensions/os-keypairs", "", "").Want(200)
	r.ask("GET", "/extensions/os-nothing", "", "").Want(404)
}

// someCertificate is an X.509 certificate.
const someCertificate = `-----BEGIN CERTIFICATE-----
MIIBdDCCARmgAwIBAgIUGlG87TmFFQvHSG4S0WdWeaT4t64wCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjMwMzAwMDVaFw0zNjExMjAwMzAwMDVa
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARTdP0r
1RqU/l/WSYLXZkkhubTvkMBapcO0ee6agBI7dWc3u52xLOTD2w8fRBFG8seRcYx+
ofOxI8Tnxa8WNO2Zo1MwUTAdBgNVHQ4EFgQUQJ11+D+v7QidJzFCLipdX8YKYzMw
HwYDVR0jBBgwFoAUQJ11+D+v7QidJzFCLipdX8YKYzMwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNJADBGAiEA+6OD19pki1oSNbtC62j0UYPIaMlUYJWnMtIY
aGxYXz0CIQDb3N9bstjKedok1QajXGpWEloSh0WgLXxv/ZPKiHhigQ==
-----END CERTIFICATE-----
`
