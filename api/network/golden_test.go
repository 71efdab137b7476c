package network

import (
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
)

// golden compares what a request gets with testdata/NAME.json.
func (r *rig) golden(name, who, method, path, body string) {
	r.t.Helper()
	r.Do(method, "/network"+path, who, nil, body).Golden(name)
}

func TestGoldenBodies(t *testing.T) {
	r := newRig(t)
	r.golden("versions", "", "GET", "", "")
	r.golden("resources", member, "GET", "/v2.0/", "")
	r.golden("extensions", member, "GET", "/v2.0/extensions", "")

	r.golden("network_create", member, "POST", "/v2.0/networks", `{"network":{"name":"private","description":"d"}}`)
	net := r.made(member, "networks", `{"network":{"name":"n"}}`)
	out := r.made(admin, "networks", `{"network":{"name":"out","router:external":true}}`)
	r.golden("subnet_create", member, "POST", "/v2.0/subnets", `{"subnet":{"network_id":"`+net+`","ip_version":4,"cidr":"10.0.0.0/24",
		"dns_nameservers":["9.9.9.9","1.1.1.1"],"host_routes":[{"destination":"192.168.0.0/16","nexthop":"10.0.0.254"}]}}`)
	r.golden("subnet_six", member, "POST", "/v2.0/subnets", `{"subnet":{"network_id":"`+net+`","ip_version":6,"cidr":"fd00::/64"}}`)
	r.want(200, member, "PUT", "/v2.0/networks/"+net+"/tags", `{"tags":["prod","blue"]}`)
	r.golden("network_admin", admin, "GET", "/v2.0/networks/"+net, "")
	r.golden("port_create", member, "POST", "/v2.0/ports", `{"port":{"network_id":"`+net+`","name":"p","fixed_ips":[{"ip_address":"10.0.0.9"}]}}`)
	port := r.made(member, "ports", `{"port":{"network_id":"`+net+`","fixed_ips":[],"mac_address":"FA-16-3E-00-00-01"}}`)
	r.golden("port_admin", admin, "GET", "/v2.0/ports/"+port, "")
	r.golden("router_create", member, "POST", "/v2.0/routers", `{"router":{"name":"r","external_gateway_info":{"network_id":"`+out+`"}}}`)
	router := r.made(member, "routers", `{"router":{}}`)
	sub := r.made(member, "subnets", `{"subnet":{"network_id":"`+net+`","ip_version":4,"cidr":"10.1.0.0/24"}}`)
	r.golden("router_attach", member, "PUT", "/v2.0/routers/"+router+"/add_router_interface", `{"subnet_id":"`+sub+`"}`)
	r.golden("router_detach", member, "PUT", "/v2.0/routers/"+router+"/remove_router_interface", `{"subnet_id":"`+sub+`"}`)
	r.golden("bulk_of_one", member, "POST", "/v2.0/networks", `{"networks":[{"name":"one"}]}`)
	r.golden("bulk", member, "POST", "/v2.0/subnets", `{"subnets":[{"network_id":"`+net+`","ip_version":4,"cidr":"10.5.0.0/24"},
		{"network_id":"`+net+`","ip_version":4,"cidr":"10.6.0.0/24","name":"six"}]}`)
	r.golden("list_fields", member, "GET", "/v2.0/networks?fields=name&fields=mtu&limit=2&sort_key=name", "")

	r.golden("quota", member, "GET", "/v2.0/quotas/"+string(resttest.MemberProject), "")
	r.golden("quota_details", member, "GET", "/v2.0/quotas/"+string(resttest.MemberProject)+"/details.json", "")
	r.golden("no_token", "", "GET", "/v2.0/networks", "")
	r.golden("not_found", member, "GET", "/v2.0/networks/none", "")
	r.golden("no_route", member, "GET", "/v2.0/trunks", "")
	r.golden("security_groups", member, "GET", "/v2.0/security-groups?name=default", "")
	r.golden("tags", member, "GET", "/v2.0/networks/"+net+"/tags", "")
	r.golden("wrong_verb", member, "PATCH", "/v2.0/networks", "")
}

func TestGoldenHosts(t *testing.T) {
	r := newRig(t)
	const second = "00000000-0000-4000-8000-0000000000f2"
	r.AddHost(second, "h2")
	r.golden("agents", admin, "GET", "/v2.0/agents?host=h2", "")
	r.golden("agent", admin, "GET", "/v2.0/agents/"+second, "")
	r.golden("zones", member, "GET", "/v2.0/availability_zones?resource=router", "")
	r.want(404, admin, "GET", "/v2.0/agents/none", "")
	r.want(403, member, "GET", "/v2.0/agents", "")
	r.want(405, admin, "PUT", "/v2.0/agents/"+second, `{"agent":{}}`)
}
