package network

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// names lists the names that a query gives.
func (r *rig) names(who, many, query string) (out []string) {
	r.t.Helper()
	w := r.want(200, who, "GET", "/v2.0/"+many+query, "")
	for _, o := range parsed[map[string][]struct{ Name string }](r.t, w)[many] {
		out = append(out, o.Name)
	}
	return out
}

func TestFiltersAndOrder(t *testing.T) {
	r := newRig(t)
	for _, body := range []string{`"name":"a","mtu":900`, `"name":"b","mtu":1400,"admin_state_up":false`, `"name":"c","mtu":1400`} {
		r.made(member, "networks", `{"network":{`+body+`}}`)
	}
	out := r.made(admin, "networks", `{"network":{"name":"out","router:external":true}}`)
	r.made(stranger, "networks", `{"network":{"name":"hers"}}`)
	for query, want := range map[string]string{
		"?sort_key=name": "a b c out",
		"?sort_key=mtu&sort_key=name&sort_dir=asc&sort_dir=desc":        "a c b out",
		"?sort_key=mtu&sort_key=name&sort_dir=desc&sort_dir=asc":        "out b c a",
		"?sort_key=name&name=a&name=c":                                  "a c",
		"?sort_key=name&mtu=1400":                                       "b c",
		"?sort_key=name&mtu=1400&admin_state_up=True":                   "c",
		"?sort_key=name&admin_state_up=false":                           "b",
		"?sort_key=name&status=DOWN":                                    "b",
		"?sort_key=name&router:external=True":                           "out",
		"?sort_key=name&router%3Aexternal=0":                            "a b c",
		"?sort_key=name&tenant_id=" + string(resttest.MemberProject):    "a b c",
		"?sort_key=name&project_id=" + string(resttest.StrangerProject): "",
		"?sort_key=name&color=red":                                      "a b c out",
		"?sort_key=name&provider:network_type=flat":                     "a b c out",
		"?sort_key=name&name=none":                                      "",
		"?id=" + out:                                                    "out",
	} {
		if got := strings.Join(r.names(member, "networks", query), " "); got != want {
			t.Errorf("networks%s gives %q, want %q", query, got, want)
		}
	}
	if got := strings.Join(r.names(admin, "networks", "?sort_key=name&provider:network_type=vxlan"), " "); got != "a b c hers out" {
		t.Errorf("the administrator sees %q", got)
	}
}

func TestPortFilters(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	r.made(member, "ports", `{"port":{"network_id":"`+w.net+`","name":"p","device_id":"thing","fixed_ips":[{"ip_address":"10.0.0.20"}]}}`)
	r.made(member, "ports", `{"port":{"network_id":"`+w.empty+`","name":"bare"}}`)
	for query, want := range map[string]int{
		"": 4, "?device_id=thing": 1, "?device_id=" + w.router: 1, "?device_id=none": 0, "?network_id=" + w.net: 3, "?network_id=" + w.herNet: 0,
		"?network_id=" + w.net + "&network_id=" + w.empty: 4, "?device_id=thing&network_id=" + w.empty: 0, "?device_id=": 2,
		"?fixed_ips=ip_address%3D10.0.0.20": 1, "?fixed_ips=ip_address%3D10.0.0.20&fixed_ips=ip_address%3D10.0.0.9": 2,
		"?fixed_ips=subnet_id%3D" + w.sub: 3, "?fixed_ips=subnet_id%3D" + w.sub + "&fixed_ips=ip_address%3D10.0.0.1": 1,
		"?mac_address=fa:16:3e:00:00:01": 1, "?device_owner=network:router_interface": 1, "?status=ACTIVE": 1, "?name=p&name=bare": 2,
	} {
		if got := len(r.names(member, "ports", query)); got != want {
			t.Errorf("ports%s gives %d, want %d", query, got, want)
		}
	}
	if got := len(r.names(admin, "ports", "?network_id="+w.herNet)); got != 1 {
		t.Errorf("the administrator sees %d ports on her network", got)
	}
}

type page struct {
	Networks []struct{ Name string }
	Links    []struct{ Rel, Href string } `json:"networks_links"`
}

func (p page) link(rel string) string {
	for _, l := range p.Links {
		if l.Rel == rel {
			return strings.TrimPrefix(l.Href, "http://cloud/network")
		}
	}
	return ""
}

func TestPages(t *testing.T) {
	r := newRig(t)
	for n := range 5 {
		r.made(member, "networks", fmt.Sprintf(`{"network":{"name":"n%d"}}`, n))
	}
	get := func(path string) page { return parsed[page](t, r.want(200, member, "GET", path, "")) }
	walk := func(path, rel string) (got []string, last page) {
		for pages := 0; path != ""; pages++ {
			if pages > 5 {
				t.Fatalf("the links %s go on for ever", rel)
			}
			last = get(path)
			var names []string
			for _, n := range last.Networks {
				names = append(names, n.Name)
			}
			got = append(got, strings.Join(names, " "))
			path = last.link(rel)
		}
		return got, last
	}
	forward, last := walk("/v2.0/networks?limit=2&sort_key=name", "next")
	if !slices.Equal(forward, []string{"n0 n1", "n2 n3", "n4"}) {
		t.Errorf("forward: %q", forward)
	}
	back, _ := walk(last.link("previous"), "previous")
	if !slices.Equal(back, []string{"n2 n3", "n0 n1", ""}) {
		t.Errorf("back: %q", back)
	}
	fromEnd, _ := walk("/v2.0/networks?limit=3&sort_key=name&page_reverse=True", "previous")
	if !slices.Equal(fromEnd, []string{"n2 n3 n4", "n0 n1"}) {
		t.Errorf("from the end: %q", fromEnd)
	}
	if all := get("/v2.0/networks"); len(all.Networks) != 5 || len(all.Links) != 0 {
		t.Errorf("without a limit: %+v", all)
	}
	if all := get("/v2.0/networks?limit=0"); len(all.Networks) != 5 {
		t.Errorf("a limit of 0 is none: %+v", all)
	}
}

// TestALongListIsNotCutInSilence: what does not fit one answer is linked to.
func TestALongListIsNotCutInSilence(t *testing.T) {
	all := make([]object, 1001)
	for n := range all {
		all[n] = object{"id": fmt.Sprintf("%04d", n)}
	}
	first, ok := window(all, "", 1000, false)
	rest, ok2 := window(all, "0999", 1000, false)
	if !ok || !ok2 || len(first) != 1000 || len(rest) != 1 {
		t.Errorf("%d, then %d", len(first), len(rest))
	}
}

func TestChanges(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	change := func(one, id, body string) map[string]any {
		t.Helper()
		return parsed[map[string]map[string]any](t, r.want(200, member, "PUT", "/v2.0/"+one+"s/"+id, `{"`+one+`":`+body+`}`))[one]
	}
	n := change("network", w.net, `{"name":"new","admin_state_up":false,"mtu":1400,"port_security_enabled":true}`)
	if n["name"] != "new" || n["status"] != "DOWN" || n["mtu"] != 1400.0 || n["revision_number"] != 2.0 {
		t.Errorf("network: %v", n)
	}
	// The openstack command sends numbers as texts.
	if n := change("network", w.net, `{"mtu":"1300","admin_state_up":"True"}`); n["mtu"] != 1300.0 || n["status"] != "ACTIVE" {
		t.Errorf("network by texts: %v", n)
	}
	if n := change("network", w.net, `{"admin_state_up":0}`); n["status"] != "DOWN" {
		t.Errorf("network by a number: %v", n)
	}
	s := change("subnet", w.sub, `{"enable_dhcp":false,"dns_nameservers":["9.9.9.9"]}`)
	if s["enable_dhcp"] != false || s["gateway_ip"] != "10.0.0.1" || len(s["dns_nameservers"].([]any)) != 1 {
		t.Errorf("subnet: %v", s)
	}
	p := change("port", w.port, `{"name":"x","device_id":"thing","mac_address":"FA:16:3E:00:00:01","fixed_ips":[{"ip_address":"10.0.0.9","subnet_id":"`+w.sub+`"}]}`)
	if p["name"] != "x" || p["device_id"] != "thing" || p["status"] != "DOWN" {
		t.Errorf("port: %v", p)
	}
	for _, step := range []struct{ info, want string }{{`{"network_id":"` + w.out + `","enable_snat":true}`, w.out}, {`null`, ""}, {`{"network_id":"` + w.out + `"}`, w.out}, {`{}`, ""}} {
		g, _ := change("router", w.router, `{"external_gateway_info":`+step.info+`}`)["external_gateway_info"].(map[string]any)
		if got, _ := g["network_id"].(string); got != step.want {
			t.Errorf("gateway after %s: %v", step.info, g)
		}
	}
	if got := change("router", w.router, `{"name":"r2"}`); got["name"] != "r2" {
		t.Errorf("router: %v", got)
	}
	bare := r.made(member, "subnets", `{"subnet":{"network_id":"`+w.empty+`","ip_version":4,"cidr":"10.7.0.0/24"}}`)
	if got := change("subnet", bare, `{"gateway_ip":null}`); got["gateway_ip"] != nil {
		t.Errorf("subnet without its gateway: %v", got)
	}
	r.want(400, member, "PUT", "/v2.0/routers/"+w.router+"/add_router_interface", `{"subnet_id":"`+bare+`"}`)
	r.want(200, member, "PUT", "/v2.0/routers/"+w.router+"/remove_router_interface", `{"port_id":"`+w.taken+`"}`)
	for _, path := range []string{"ports/" + w.port, "routers/" + w.router, "subnets/" + w.sub, "networks/" + w.net, "networks/" + w.empty} {
		r.want(204, member, "DELETE", "/v2.0/"+path, "")
		r.want(404, member, "GET", "/v2.0/"+path, "")
	}
}

func TestShowCutsFields(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	got := parsed[map[string]map[string]any](t, r.want(200, member, "GET", "/v2.0/ports/"+w.port+"?fields=id&fields=mac_address&fields=none", ""))["port"]
	if len(got) != 2 || got["id"] != w.port {
		t.Errorf("got %v", got)
	}
}

func TestQuotas(t *testing.T) {
	r := newRig(t)
	mine := "/v2.0/quotas/" + string(resttest.MemberProject)
	r.Must(r.By(admin), &command.QuotaSet{ProjectID: resttest.MemberProject, Limits: []command.QuotaLimit{{Resource: "cores", Limit: 7}}})
	r.want(200, admin, "PUT", mine, `{"quota":{"network":1,"tenant_id":"`+string(resttest.MemberProject)+`"}}`)
	r.want(400, admin, "PUT", mine, `{"quota":{"network":2,"tenant_id":"another"}}`)
	r.made(member, "networks", `{"network":{}}`)
	w := r.want(409, member, "POST", "/v2.0/networks", `{"network":{}}`)
	if !strings.Contains(w.Body.String(), "OverQuota") {
		t.Errorf("over the quota: %s", w.Body)
	}
	type quotas struct{ Quotas []map[string]any }
	if got := parsed[quotas](t, r.want(200, admin, "GET", "/v2.0/quotas", "")).Quotas; len(got) != 1 || got[0]["network"] != 1.0 {
		t.Errorf("own quotas: %v", got)
	}
	defaults := parsed[map[string]map[string]int](t, r.want(200, member, "GET", mine+"/default", ""))["quota"]
	r.want(204, admin, "DELETE", mine, "")
	r.want(204, admin, "DELETE", mine, "")
	if got := parsed[map[string]map[string]int](t, r.want(200, member, "GET", mine, ""))["quota"]; got["network"] != defaults["network"] || got["network"] < 2 {
		t.Errorf("after the reset: %v, defaults %v", got, defaults)
	}
	if got := parsed[quotas](t, r.want(200, admin, "GET", "/v2.0/quotas", "")).Quotas; len(got) != 0 {
		t.Errorf("own quotas after the reset: %v", got)
	}
	if got := r.View().Limit(resttest.MemberProject, "cores"); got != 7 {
		t.Errorf("another API's limit became %d", got)
	}
	r.made(member, "networks", `{"network":{}}`)
	if w := r.want(200, member, "GET", "/v2.0/quotas/tenant", ""); !strings.Contains(w.Body.String(), string(resttest.MemberProject)) {
		t.Errorf("own project: %s", w.Body)
	}
}

func TestPortStatus(t *testing.T) {
	r := newRig(t)
	none := r.View()
	for _, tc := range []struct {
		port model.Port
		want string
	}{
		{model.Port{}, "DOWN"}, {model.Port{Active: true}, "ACTIVE"}, {model.Port{Active: true, Down: true}, "DOWN"},
		{model.Port{DeviceOwner: model.OwnerRouterInterface}, "ACTIVE"}, {model.Port{DeviceID: "gone"}, "DOWN"},
	} {
		if got := portStatus(none, &tc.port); got != tc.want {
			t.Errorf("%+v is %s, want %s", tc.port, got, tc.want)
		}
	}
}

func TestPortOfAServerBeingBuilt(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	server := command.Example("server.create/1").(*command.ServerCreate)
	server.ProjectID, server.UserID, server.ImageID = resttest.MemberProject, resttest.MemberUser, resttest.Image
	server.Items[0].NICs[0].NetworkID = model.NetworkID(w.net)
	server.Items[0].NICs[0].MAC = "fa:16:3e:00:00:02"
	r.Must(r.By(member), server)
	id := server.Items[0].ID
	status := func() string {
		t.Helper()
		got := parsed[struct{ Ports []struct{ Status string } }](t, r.want(200, member, "GET", "/v2.0/ports?device_id="+string(id), ""))
		if len(got.Ports) != 1 {
			t.Fatalf("%d ports", len(got.Ports))
		}
		return got.Ports[0].Status
	}
	if got := status(); got != "BUILD" {
		t.Errorf("while it is built: %s", got)
	}
	r.Run(id)
	if got := status(); got != "ACTIVE" {
		t.Errorf("when it runs: %s", got)
	}
}

func TestNewMACIsFree(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	tries := []string{"000001", "000001", "abcdef", "abcdef", "000002"}
	next := func() string { h := tries[0]; tries = tries[1:]; return h }
	if got := newMAC(r.View(), model.NetworkID(w.net), next, map[string]bool{}); got != "fa:16:3e:ab:cd:ef" {
		t.Errorf("%s, which is taken", got)
	}
	given := map[string]bool{"fa:16:3e:ab:cd:ef": true}
	if got := newMAC(r.View(), model.NetworkID(w.net), next, given); got != "fa:16:3e:00:00:02" {
		t.Errorf("%s, which the request gave already", got)
	}
}

// TestDecideIsPure: equal view, caller, input and chance give the equal
// command.
func TestDecideIsPure(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	decided := func() string {
		t.Helper()
		in := portIn{Network: w.net, FixedIPs: &[]fixedIP{{Subnet: w.sub}, {IP: "10.0.0.77"}}}
		cmd, err := decidePort(r.View(), r.Caller(member), in, "00000000-0000-4000-8000-000000000001",
			func(model.NetworkID) string { return "fa:16:3e:ab:cd:ef" })
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

// TestEveryShapeIsWhatIsShown: each attribute that is shown is known, so that
// it can be sorted by and is refused by the right words.
func TestEveryShapeIsWhatIsShown(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	for _, x := range []struct {
		s  *shape
		id string
	}{{networkShape, w.net}, {subnetShape, w.sub}, {portShape, w.port}, {routerShape, w.router}} {
		shown := parsed[map[string]map[string]any](t, r.want(200, admin, "GET", "/v2.0/"+x.s.many+"/"+x.id, ""))[x.s.one]
		for name := range shown {
			if _, known := x.s.attrs[name]; !known {
				t.Errorf("%s shows %s, which its shape does not know", x.s.one, name)
			}
		}
		for name, rule := range x.s.attrs {
			_, there := shown[name]
			if !there && rule.only == nil {
				t.Errorf("%s knows %s, which it does not show", x.s.one, name)
			}
		}
	}
}
