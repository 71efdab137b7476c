package compute

import (
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/internal/model"
)

// someKey is a public key.
const someKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me"

const nowhere = "00000000-0000-4000-8000-00000000dead"

func TestBadInput(t *testing.T) {
	r := newRig(t)
	theirs := r.Do("POST", "/compute/v2.1/servers", resttest.Stranger, nil, create()).Want(202).Text("server", "id")
	mine := string(r.server("mine"))
	r.Run(model.ServerID(mine))
	builds := string(r.server("builds"))
	rows := []struct {
		name, method, path, version, body string
		status                            int
		fault, says                       string
	}{
		{"malformed JSON", "POST", "/servers", "", `{"server":`, 400, "badRequest", "Malformed request body"},
		{"JSON and more", "POST", "/servers", "", create() + "x", 400, "badRequest", "Malformed request body"},
		{"a list for a body", "POST", "/servers", "", `[]`, 400, "badRequest", "Malformed request body"},
		{"empty body", "POST", "/servers", "", ``, 400, "badRequest", "Malformed request body"},
		{"no server", "POST", "/servers", "", `{}`, 400, "badRequest", "'server' is a required property"},
		{"unknown flavor", "POST", "/servers", "", strings.Replace(create(), `"1"`, `"99"`, 1), 400, "badRequest", "Flavor 99 could not be found."},
		{"flavor -1", "POST", "/servers", "", strings.Replace(create(), `"1"`, `-1`, 1), 400, "badRequest", "flavorRef"},
		{"unknown image", "POST", "/servers", "", strings.Replace(create(), string(resttest.Image), nowhere, 1), 400, "badRequest", "Can not find requested image"},
		{"image -1", "POST", "/servers", "", strings.Replace(create(), string(resttest.Image), "-1", 1), 400, "badRequest", "Can not find requested image"},
		{"no image", "POST", "/servers", "", `{"server":{"name":"x","flavorRef":"1"}}`, 400, "badRequest", "Missing imageRef attribute"},
		{"name of 300", "POST", "/servers", "", strings.Replace(create(), "web", strings.Repeat("n", 300), 1), 400, "badRequest", "is too long"},
		{"empty name", "POST", "/servers", "", strings.Replace(create(), "web", "", 1), 400, "badRequest", "is too short"},
		{"numeric name", "POST", "/servers", "", strings.Replace(create(), `"web"`, `12`, 1), 400, "badRequest", "Invalid input for field/attribute name. Value: 12. 12 is not of type 'string'"},
		{"unprintable name", "POST", "/servers", "", strings.Replace(create(), "web", `a\u0000b`, 1), 400, "badRequest", "unprintable"},
		{"negative count", "POST", "/servers", "", create(`"min_count":-1`), 400, "badRequest", "-1 is less than the minimum of 1"},
		{"zero count", "POST", "/servers", "", create(`"max_count":0`), 400, "badRequest", "0 is less than the minimum of 1"},
		{"count in words", "POST", "/servers", "", create(`"min_count":"two"`), 400, "badRequest", "'two' is not of type 'integer'"},
		{"count beyond 64 bits", "POST", "/servers", "", create(`"max_count":99999999999999999999999`), 400, "badRequest", "greater than the maximum"},
		{"min over max", "POST", "/servers", "", create(`"min_count":3,"max_count":2`), 400, "badRequest", "min_count must be <= max_count"},
		{"too many", "POST", "/servers", "", create(`"max_count":1001`), 400, "badRequest", "maximum of 1000"},
		{"quota", "POST", "/servers", "", create(`"min_count":11`), 403, "forbidden", "Quota exceeded for instances: Requested 11, but already used 2 of 10 instances"},
		{"unknown network", "POST", "/servers", "", create(`"networks":[{"uuid":"` + nowhere + `"}]`), 400, "badRequest", "Network " + nowhere + " could not be found."},
		{"malformed network", "POST", "/servers", "", create(`"networks":[{"uuid":"net"}]`), 400, "badRequest", "Network net could not be found."},
		{"network without id", "POST", "/servers", "", create(`"networks":[{}]`), 400, "badRequest", "Bad network format: missing 'uuid'"},
		{"port and address", "POST", "/servers", "", create(`"networks":[{"port":"` + nowhere + `","fixed_ip":"10.0.0.7"}]`), 400, "badRequest", "cannot be used with port"},
		{"unknown port", "POST", "/servers", "", create(`"networks":[{"port":"` + nowhere + `"}]`), 400, "badRequest", "Port id " + nowhere + " could not be found."},
		{"port for two", "POST", "/servers", "", create(`"networks":[{"port":"` + nowhere + `"}],"min_count":2`), 400, "badRequest", "single configured port ID"},
		{"port twice", "POST", "/servers", "", create(`"networks":[{"port":"` + nowhere + `"},{"port":"` + nowhere + `"}]`), 400, "badRequest", "more than once"},
		{"no address", "POST", "/servers", "", create(`"networks":[{"uuid":"` + string(resttest.Network) + `","fixed_ip":"10.0.0.300"}]`), 400, "badRequest", "is not a 'ip-address'"},
		{"address elsewhere", "POST", "/servers", "", create(`"networks":[{"uuid":"` + string(resttest.Network) + `","fixed_ip":"10.9.0.3"}]`), 400, "badRequest", "not a valid IP for any of the subnets"},
		{"networks missing at 2.37", "POST", "/servers", "2.37", create(), 400, "badRequest", "'networks' is a required property"},
		{"auto before 2.37", "POST", "/servers", "2.36", create(`"networks":"auto"`), 400, "badRequest", "'auto' is not of type 'array'"},
		{"unknown key pair", "POST", "/servers", "", create(`"key_name":"nokey"`), 400, "badRequest", "Invalid key_name provided."},
		{"a security group", "POST", "/servers", "", create(`"security_groups":[{"name":"web"}]`), 400, "badRequest", "Security groups (security_groups) are not offered by this cloud."},
		{"the default group", "POST", "/servers", "", create(`"security_groups":[{"name":"default"}]`), 400, "badRequest", "Security groups (security_groups) are not offered by this cloud."},
		{"config drive", "POST", "/servers", "", create(`"config_drive":"True"`), 400, "badRequest", "A config drive (config_drive) is not offered by this cloud."},
		{"config drive in truth", "POST", "/servers", "", create(`"config_drive":true`), 400, "badRequest", "A config drive (config_drive) is not offered by this cloud."},
		{"certificates", "POST", "/servers", "2.63", create(`"networks":"none","trusted_image_certificates":["a"]`), 400, "badRequest", "not offered"},
		{"tag of a network device", "POST", "/servers", "2.42", create(`"networks":[{"uuid":"` + string(resttest.Network) + `","tag":"x"}]`), 400, "badRequest", "not offered"},
		{"another disk bus", "POST", "/servers", "", create(`"block_device_mapping_v2":[{"source_type":"image","destination_type":"local","uuid":"` + string(resttest.Image) + `","boot_index":0,"disk_bus":"scsi"}]`), 400, "badRequest", "not offered"},
		{"old block device", "POST", "/servers", "", create(`"block_device_mapping":[{"device_name":"vda","volume_id":"x"}]`), 400, "badRequest", "not offered"},
		{"unknown zone", "POST", "/servers", "", create(`"availability_zone":"mars"`), 400, "badRequest", "The requested availability zone is not available"},
		{"host of a member", "POST", "/servers", "", create(`"availability_zone":"nova:h1"`), 403, "forbidden", "servers:create:forced_host"},
		{"user data not base64", "POST", "/servers", "", create(`"user_data":"=%="`), 400, "badRequest", "is not a 'base64'"},
		{"user data too long", "POST", "/servers", "", create(`"user_data":"` + strings.Repeat("A", 65536) + `"`), 400, "badRequest", "is too long"},
		{"metadata key", "POST", "/servers", "", create(`"metadata":{"":"x"}`), 400, "badRequest", "does not match any of the regexes"},
		{"metadata value", "POST", "/servers", "", create(`"metadata":{"k":"` + strings.Repeat("v", 260) + `"}`), 400, "badRequest", "is too long"},
		{"metadata number", "POST", "/servers", "", create(`"metadata":{"k":1}`), 400, "badRequest", "is not of type 'string'"},
		{"bad IPv4", "POST", "/servers", "", create(`"accessIPv4":"1.1.1.1.1"`), 400, "badRequest", "is not a 'ipv4'"},
		{"bad IPv6", "POST", "/servers", "", create(`"accessIPv6":"10.0.0.1"`), 400, "badRequest", "is not a 'ipv6'"},
		{"personality", "POST", "/servers", "", create(`"personality":[{"path":"/x","contents":"eA=="}]`), 400, "badRequest", "not offered"},
		{"personality at 2.57", "POST", "/servers", "2.57", create(`"networks":"none","personality":[]`), 400, "badRequest", "'personality' was unexpected"},
		{"boot from volume", "POST", "/servers", "", create(`"block_device_mapping_v2":[{"source_type":"volume","destination_type":"volume","uuid":"` + nowhere + `","boot_index":0}]`), 400, "badRequest", "not offered"},
		{"a hint", "POST", "/servers", "", `{"server":` + create()[10:len(create())-1] + `,"os:scheduler_hints":{"group":"x"}}`, 400, "badRequest", "scheduler hint 'group'"},
		{"unknown field", "POST", "/servers", "", create(`"color":"red"`), 400, "badRequest", "Additional properties are not allowed ('color' was unexpected)"},
		{"description before 2.19", "POST", "/servers", "2.18", create(`"description":"x"`), 400, "badRequest", "'description' was unexpected"},
		{"tags before 2.52", "POST", "/servers", "2.51", create(`"networks":"none","tags":["a"]`), 400, "badRequest", "'tags' was unexpected"},
		{"tag with a comma", "POST", "/servers", "2.52", create(`"networks":"none","tags":["a,b"]`), 400, "badRequest", "does not match"},
		{"too large", "POST", "/servers", "", create(`"x":"` + strings.Repeat("A", rest.DefaultMaxBytes) + `"`), 413, "overLimit", "Request is too large"},

		{"foreign server", "GET", "/servers/" + theirs, "", "", 404, "itemNotFound", "Instance " + theirs + " could not be found."},
		{"foreign delete", "DELETE", "/servers/" + theirs, "", "", 404, "itemNotFound", ""},
		{"foreign update", "PUT", "/servers/" + theirs, "", `{"server":{"name":"x"}}`, 404, "itemNotFound", ""},
		{"foreign action", "POST", "/servers/" + theirs + "/action", "", `{"os-stop":null}`, 404, "itemNotFound", ""},
		{"foreign metadata", "GET", "/servers/" + theirs + "/metadata", "", "", 404, "itemNotFound", ""},
		{"odd id", "GET", "/servers/-1", "", "", 404, "itemNotFound", "Instance -1 could not be found."},
		{"long id", "DELETE", "/servers/" + strings.Repeat("9", 300), "", "", 404, "itemNotFound", "(300 characters)"},
		{"no such path", "GET", "/os-cells", "", "", 404, "itemNotFound", ""},
		{"attach an interface", "POST", "/servers/" + mine + "/os-interface", "", "{}", 501, "notImplemented", "Attaching interfaces is not offered"},
		{"attach to another's", "POST", "/servers/" + theirs + "/os-interface", "", "{}", 404, "itemNotFound", "Instance " + theirs},
		{"attach a volume", "POST", "/servers/" + mine + "/os-volume_attachments", "", "{}", 501, "notImplemented", "Attaching volumes is not offered"},
		{"detach what is not attached", "DELETE", "/servers/" + mine + "/os-volume_attachments/v", "", "", 404, "itemNotFound", "is not attached to volume v"},
		{"a console before 2.6", "POST", "/servers/" + mine + "/remote-consoles", "2.5", "{}", 404, "itemNotFound", ""},
		{"a console", "POST", "/servers/" + mine + "/remote-consoles", "2.6", "{}", 501, "notImplemented", "not offered"},
		{"aggregates of a member", "GET", "/os-aggregates", "", "", 403, "forbidden", "os-aggregates:index"},
		{"no such verb", "PUT", "/servers", "", "{}", 405, "badMethod", ""},

		{"version too new", "GET", "/servers", "2.999", "", 406, "computeFault", "Version 2.999 is not supported by the API. Minimum is 2.1 and maximum is 2.93."},
		{"version too old", "GET", "/servers", "2.0", "", 406, "computeFault", ""},
		{"version is no version", "GET", "/servers", "two", "", 400, "badRequest", "API Version String two is of invalid format. Must be of format MajorNum.MinorNum."},
		{"tags before 2.26", "GET", "/servers/" + mine + "/tags", "2.25", "", 404, "itemNotFound", ""},

		{"unknown action", "POST", "/servers/" + mine + "/action", "", `{"fly":null}`, 400, "badRequest", "There is no such action: fly"},
		{"two actions", "POST", "/servers/" + mine + "/action", "", `{"os-stop":null,"os-start":null}`, 400, "badRequest", "exactly one"},
		{"known, not offered", "POST", "/servers/" + mine + "/action", "", `{"resize":{"flavorRef":"2"}}`, 501, "notImplemented", "The action 'resize' is not offered by this cloud."},
		{"action that is gone", "POST", "/servers/" + mine + "/action", "2.6", `{"os-getVNCConsole":{"type":"novnc"}}`, 404, "itemNotFound", ""},
		{"reboot how?", "POST", "/servers/" + mine + "/action", "", `{"reboot":{"type":"gentle"}}`, 400, "badRequest", "'gentle' is not one of"},
		{"start what runs", "POST", "/servers/" + mine + "/action", "", `{"os-start":null}`, 409, "conflictingRequest", "Cannot 'start' instance"},
		{"console of what builds", "POST", "/servers/" + builds + "/action", "", `{"os-getConsoleOutput":{}}`, 409, "conflictingRequest", "is not ready"},
		{"console length", "POST", "/servers/" + mine + "/action", "", `{"os-getConsoleOutput":{"length":"x"}}`, 400, "badRequest", "is not of type 'integer'"},

		{"update to nothing", "PUT", "/servers/" + mine, "", `{"server":{"name":""}}`, 400, "badRequest", "is too short"},
		{"update of what is fixed", "PUT", "/servers/" + mine, "", `{"server":{"status":"ACTIVE"}}`, 400, "badRequest", "'status' was unexpected"},
		{"hostname before 2.90", "PUT", "/servers/" + mine, "2.89", `{"server":{"hostname":"abc"}}`, 400, "badRequest", "'hostname' was unexpected"},
		{"metadata missing", "POST", "/servers/" + mine + "/metadata", "", `{}`, 400, "badRequest", "'metadata' is a required property"},
		{"meta of another key", "PUT", "/servers/" + mine + "/metadata/a", "", `{"meta":{"b":"1"}}`, 400, "badRequest", "Request body and URI mismatch"},
		{"meta of two", "PUT", "/servers/" + mine + "/metadata/a", "", `{"meta":{"a":"1","b":"1"}}`, 400, "badRequest", "exactly one item"},
		{"meta not there", "GET", "/servers/" + mine + "/metadata/a", "", "", 404, "itemNotFound", "Metadata item was not found"},
		{"tag not there", "DELETE", "/servers/" + mine + "/tags/a", "2.26", "", 404, "itemNotFound", "has no tag 'a'"},

		{"limit in words", "GET", "/servers?limit=ten", "", "", 400, "badRequest", "limit"},
		{"negative limit", "GET", "/servers?limit=-1", "", "", 400, "badRequest", "limit"},
		{"unknown marker", "GET", "/servers?marker=" + nowhere, "", "", 400, "badRequest", "marker [" + nowhere + "] not found"},
		{"all tenants", "GET", "/servers?all_tenants=1", "", "", 403, "forbidden", "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed."},
		{"deleted ones", "GET", "/servers?status=deleted", "", "", 403, "forbidden", ""},
		{"unknown status", "GET", "/servers?status=FLYING", "2.38", "", 400, "badRequest", "Invalid status value"},
		{"bad time", "GET", "/servers?changes-since=yesterday", "", "", 400, "badRequest", "'yesterday' is not a 'date-time'"},
		{"times crossed", "GET", "/servers?changes-since=2026-01-02&changes-before=2026-01-01", "2.66", "", 400, "badRequest", "changes-since must be less than"},
		{"bad pattern", "GET", "/servers?name=(", "", "", 400, "badRequest", "is not a 'regex'"},
		{"bad sort", "GET", "/servers?sort_key=color", "", "", 400, "badRequest", "sort_key"},
		{"old sort key", "GET", "/servers?sort_key=memory_mb", "2.75", "", 400, "badRequest", "sort_key"},
		{"sort by host", "GET", "/servers?sort_key=host", "", "", 403, "forbidden", ""},
		{"bad direction", "GET", "/servers?sort_key=uuid&sort_dir=up", "", "", 400, "badRequest", "sort_dir"},
		{"private column", "GET", "/servers?_secret=1", "", "", 400, "badRequest", "Invalid filter field"},
		{"unknown filter", "GET", "/servers?color=red", "2.75", "", 400, "badRequest", "('color' was unexpected)"},

		{"unknown flavor", "GET", "/flavors/99", "", "", 404, "itemNotFound", "Flavor 99 could not be found."},
		{"flavor of a member", "POST", "/flavors", "", `{"flavor":{"name":"x","ram":1,"vcpus":1,"disk":1}}`, 403, "forbidden", "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed."},
		{"specs of a member", "POST", "/flavors/1/os-extra_specs", "", `{"extra_specs":{"a":"b"}}`, 403, "forbidden", "os-flavor-extra-specs:create"},
		{"access by a member", "POST", "/flavors/1/action", "", `{"addTenantAccess":{"tenant":"x"}}`, 403, "forbidden", "os-flavor-access:action"},
		{"ram in words", "GET", "/flavors?minRam=big", "", "", 400, "badRequest", "Invalid minRam filter [big]"},
		{"unknown key pair", "GET", "/os-keypairs/none", "", "", 404, "itemNotFound", "Keypair none not found for user " + string(resttest.MemberUser)},
		{"key pair's name", "POST", "/os-keypairs", "", `{"keypair":{"name":"a@b"}}`, 400, "badRequest", "does not match"},
		{"no key", "POST", "/os-keypairs", "", `{"keypair":{"name":"k","public_key":"ssh-rsa JUNK"}}`, 400, "badRequest", "Keypair data is invalid"},
		{"key with options", "POST", "/os-keypairs", "", `{"keypair":{"name":"k","public_key":"command=\"x\" ` + someKey + `"}}`, 400, "badRequest", "Keypair data is invalid"},
		{"key missing at 2.92", "POST", "/os-keypairs", "2.92", `{"keypair":{"name":"k"}}`, 400, "badRequest", "'public_key' is a required property"},
		{"another's key pairs", "GET", "/os-keypairs?user_id=" + string(resttest.AdminUser), "2.10", "", 403, "forbidden", ""},
		{"another's quota", "GET", "/os-quota-sets/" + string(resttest.AdminProject), "", "", 403, "forbidden", ""},
		{"another's limits", "GET", "/limits?tenant_id=" + string(resttest.AdminProject), "", "", 403, "forbidden", ""},
		{"hosts for a member", "GET", "/os-hypervisors", "", "", 403, "forbidden", ""},
		{"project in the path", "GET", "/" + string(resttest.AdminProject) + "/servers", "", "", 400, "badRequest", "Malformed request URL: URL's project_id '" + string(resttest.AdminProject) + "' doesn't match Context's project_id '" + string(resttest.MemberProject) + "'"},
	}
	for _, row := range rows {
		a := r.ask(row.method, row.path, row.version, row.body)
		if _, named := a.JSON()[row.fault]; a.Status != row.status || !named || !strings.Contains(message(a), row.says) {
			t.Errorf("%s: %d %s\nwant %d %s %q", row.name, a.Status, a.Body, row.status, row.fault, row.says)
		}
		if id := a.Header.Get("X-Compute-Request-Id"); !strings.HasPrefix(id, "req-") || id != a.Header.Get("X-OpenStack-Request-Id") {
			t.Errorf("%s: request ids %v", row.name, a.Header)
		}
	}
}

func TestWhoMayNot(t *testing.T) {
	r := newRig(t)
	a := r.Do("GET", "/compute/v2.1/servers", "", nil, "").Want(401)
	if a.Text("error", "title") != "Unauthorized" || a.Header.Get("WWW-Authenticate") != `Keystone uri="http://cloud/identity"` {
		t.Errorf("no token: %v %s", a.Header, a.Body)
	}
	if v := a.Header.Get(oldHeader); v != "2.1" {
		t.Errorf("no token: version %q", v)
	}
	r.Do("GET", "/compute/v2.1/servers", resttest.Unscoped, nil, "").Want(403)
	r.Do("POST", "/compute/v2.1/servers", resttest.Reader, nil, create()).Want(403)
	r.Do("GET", "/compute/v2.1/servers", resttest.Reader, nil, "").Want(200)
	r.Do("POST", "/compute/v2.1/servers", resttest.Member, map[string]string{"Content-Type": "application/xml"}, create()).Want(415)
}

func TestAmbiguousNetworks(t *testing.T) {
	r := newRig(t)
	r.AddNetwork("00000000-0000-4000-8000-0000000000e8", "00000000-0000-4000-8000-0000000000e9", resttest.MemberProject, "second", "10.1.0.0/24")
	a := r.ask("POST", "/servers", "", create()).Want(409)
	if message(a) != "Multiple possible networks found, use a Network ID to be more specific." {
		t.Errorf("%s", a.Body)
	}
	r.ask("POST", "/servers", "2.37", create(`"networks":"auto"`)).Want(409)
	r.ask("POST", "/servers", "2.37", create(`"networks":"none"`)).Want(202)
	r.Do("POST", "/compute/v2.1/servers", resttest.Stranger, at("2.37"), create(`"networks":"auto"`)).Want(400)
	r.Do("POST", "/compute/v2.1/servers", resttest.Stranger, nil, create()).Want(202)
}
