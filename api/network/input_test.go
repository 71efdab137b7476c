package network

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/api/rest/resttest"
)

// world is what TestBadInput works on: all of it the member's, unless it says
// hers, which is the other project's, or shared and out, the administrator's.
type world struct {
	net, sub, port, router, empty, taken       string
	herNet, herSub, herPort, herRouter, shared string
	out                                        string
}

func newWorld(r *rig) (w world) {
	network := func(who, rest string) string { return r.made(who, "networks", `{"network":{"name":"n"`+rest+`}}`) }
	subnet := func(who, net, cidr string) string {
		return r.made(who, "subnets", `{"subnet":{"network_id":"`+net+`","ip_version":4,"cidr":"`+cidr+`"}}`)
	}
	w.net, w.empty, w.herNet = network(member, ""), network(member, ""), network(stranger, "")
	w.shared, w.out = network(admin, `,"shared":true`), network(admin, `,"router:external":true`)
	w.sub, w.herSub = subnet(member, w.net, "10.0.0.0/24"), subnet(stranger, w.herNet, "10.0.0.0/24")
	subnet(admin, w.shared, "10.5.0.0/24")
	w.port = r.made(member, "ports", `{"port":{"network_id":"`+w.net+`","mac_address":"fa:16:3e:00:00:01","fixed_ips":[{"ip_address":"10.0.0.9"}]}}`)
	w.herPort = r.made(stranger, "ports", `{"port":{"network_id":"`+w.herNet+`"}}`)
	w.router, w.herRouter = r.made(member, "routers", `{"router":{}}`), r.made(stranger, "routers", `{"router":{}}`)
	r.want(200, member, "PUT", "/v2.0/routers/"+w.router+"/add_router_interface", `{"subnet_id":"`+w.sub+`"}`)
	for _, p := range parsed[struct{ Ports []struct{ ID string } }](r.t, r.want(200, member, "GET", "/v2.0/ports?device_id="+w.router, "")).Ports {
		w.taken = p.ID
	}
	return w
}

// row is a request that must be refused.
type row struct {
	name, who, method, path, body string
	status                        int
	fault, says                   string
}

func (r *rig) refuse(t *testing.T, rows []row) {
	for _, tc := range rows {
		t.Run(tc.name, func(t *testing.T) {
			w := r.do(tc.who, tc.method, "/v2.0/"+tc.path, tc.body)
			var got struct {
				NeutronError struct{ Type, Message, Detail *string }
			}
			if w.Header().Get("Content-Type") == "application/json" {
				got = parsed[struct {
					NeutronError struct{ Type, Message, Detail *string }
				}](t, w)
			}
			f := got.NeutronError
			if f.Type == nil || f.Message == nil || f.Detail == nil {
				t.Fatalf("%d %s is not Neutron's fault", w.Code, w.Body)
			}
			if w.Code != tc.status || *f.Type != tc.fault || !strings.Contains(*f.Message, tc.says) {
				t.Errorf("%d %s; want %d %s with %q", w.Code, w.Body, tc.status, tc.fault, tc.says)
			}
		})
	}
}

func TestBadBodies(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	long := strings.Repeat("n", 256)
	mine := string(resttest.MemberProject)
	r.refuse(t, []row{
		{"malformed JSON", member, "POST", "networks", `{"network":`, 400, "BadRequest", "Malformed"},
		{"no JSON", member, "POST", "networks", ``, 400, "BadRequest", "Malformed"},
		{"a list", member, "POST", "networks", `[]`, 400, "BadRequest", ""},
		{"another key", member, "POST", "networks", `{"server":{}}`, 400, "BadRequest", "Resource 'network'"},
		{"a text inside", member, "POST", "networks", `{"network":"x"}`, 400, "HTTPBadRequest", "not an object"},
		{"null inside", member, "POST", "networks", `{"network":null}`, 400, "HTTPBadRequest", "not an object"},
		{"too large a body", member, "POST", "networks", `{"network":{"name":"` + strings.Repeat("x", 120000) + `"}}`, 413, "HTTPRequestEntityTooLarge", ""},
		{"unknown attributes", member, "POST", "networks", `{"network":{"color":"red","age":1}}`, 400, "HTTPBadRequest", "Unrecognized attribute(s) 'age, color'"},
		{"attribute in capitals", member, "POST", "networks", `{"network":{"NAME":"x"}}`, 400, "HTTPBadRequest", "'NAME'"},
		{"name of 256", member, "POST", "networks", `{"network":{"name":"` + long + `"}}`, 400, "BadRequest", "the limit is 255"},
		{"description of 256", member, "POST", "networks", `{"network":{"description":"` + long + `"}}`, 400, "BadRequest", "the limit is 255"},
		{"name a number", member, "POST", "networks", `{"network":{"name":7}}`, 400, "HTTPBadRequest", "Invalid input for name"},
		{"name null", member, "POST", "networks", `{"network":{"name":null}}`, 400, "HTTPBadRequest", "Invalid input for name"},
		{"state a text", member, "POST", "networks", `{"network":{"admin_state_up":"up"}}`, 400, "HTTPBadRequest", "admin_state_up"},
		{"mtu a text", member, "POST", "networks", `{"network":{"mtu":"big"}}`, 400, "HTTPBadRequest", "mtu"},
		{"mtu a list", member, "POST", "networks", `{"network":{"mtu":[1400]}}`, 400, "HTTPBadRequest", "mtu. Reason: array"},
		{"mtu a fraction", member, "POST", "networks", `{"network":{"mtu":1400.5}}`, 400, "HTTPBadRequest", "mtu"},
		{"state an object", member, "POST", "networks", `{"network":{"admin_state_up":{}}}`, 400, "HTTPBadRequest", "admin_state_up. Reason: object"},
		{"mtu too small", member, "POST", "networks", `{"network":{"mtu":575}}`, 400, "HTTPBadRequest", "mtu"},
		{"mtu too large", member, "POST", "networks", `{"network":{"mtu":9001}}`, 400, "HTTPBadRequest", "mtu"},
		{"mtu overflows", member, "POST", "networks", `{"network":{"mtu":99999999999999999999}}`, 400, "HTTPBadRequest", "mtu"},
		{"id given", member, "POST", "networks", `{"network":{"id":"x"}}`, 400, "HTTPBadRequest", "not allowed in POST"},
		{"status changed", member, "PUT", "networks/" + w.net, `{"network":{"status":"DOWN"}}`, 400, "HTTPBadRequest", "read-only attribute status"},
		{"owner changed", member, "PUT", "networks/" + w.net, `{"network":{"tenant_id":"x"}}`, 400, "HTTPBadRequest", "read-only attribute tenant_id"},
		{"another's project", member, "POST", "networks", `{"network":{"tenant_id":"` + string(resttest.StrangerProject) + `"}}`, 403, "PolicyNotAuthorized", "disallowed by policy"},
		{"two projects", member, "POST", "networks", `{"network":{"tenant_id":"` + mine + `","project_id":"x"}}`, 400, "BadRequest", "do not match"},
		{"unknown project", admin, "POST", "networks", `{"network":{"tenant_id":"none"}}`, 404, "HTTPNotFound", "none"},
		{"shared by a member", member, "POST", "networks", `{"network":{"shared":true}}`, 403, "PolicyNotAuthorized", "shared"},
		{"external by a member", member, "PUT", "networks/" + w.net, `{"network":{"router:external":true}}`, 403, "PolicyNotAuthorized", "router:external"},
		{"provider by a member", member, "POST", "networks", `{"network":{"provider:network_type":"vxlan"}}`, 403, "PolicyNotAuthorized", "provider:network_type"},
		{"a VLAN", admin, "POST", "networks", `{"network":{"provider:network_type":"vlan"}}`, 501, "HTTPNotImplemented", "only as"},
		{"no port security", member, "POST", "networks", `{"network":{"port_security_enabled":false}}`, 501, "HTTPNotImplemented", "port_security_enabled"},
		{"create by a reader", reader, "POST", "networks", `{"network":{}}`, 403, "PolicyNotAuthorized", "rule:create_network"},
		{"several routers at once", member, "POST", "routers", `{"routers":[{},{}]}`, 501, "HTTPNotImplemented", "one by one"},
		{"too many at once", member, "POST", "networks", `{"networks":[{}` + strings.Repeat(",{}", 250) + `]}`, 400, "BadRequest", "At most 250"},
		{"one of several is wrong", member, "POST", "networks", `{"networks":[{},{"color":"red"}]}`, 400, "HTTPBadRequest", "'color'"},
		{"one of several is another's", member, "POST", "networks", `{"networks":[{},{"tenant_id":"` + string(resttest.StrangerProject) + `"}]}`, 403, "PolicyNotAuthorized", "disallowed"},
		{"tags no list", member, "PUT", "networks/" + w.net + "/tags", `{"tags":"x"}`, 400, "HTTPBadRequest", "list of strings"},
		{"tags of numbers", member, "PUT", "networks/" + w.net + "/tags", `{"tags":[1]}`, 400, "HTTPBadRequest", "list of strings"},
		{"tags missing", member, "PUT", "networks/" + w.net + "/tags", `{}`, 400, "HTTPBadRequest", "list of strings"},
		{"tags and more", member, "PUT", "networks/" + w.net + "/tags", `{"tags":[],"x":1}`, 400, "BadRequest", "'x' was unexpected"},
		{"a tag twice", member, "PUT", "ports/" + w.port + "/tags", `{"tags":["a","a"]}`, 400, "HTTPBadRequest", "'a' stands twice"},
		{"a tag of 256", member, "PUT", "subnets/" + w.sub + "/tags/" + long, ``, 400, "HTTPBadRequest", "the limit is 255"},
		{"no such tag", member, "GET", "routers/" + w.router + "/tags/none", ``, 404, "TagNotFound", "Tag none"},
		{"no such tag to delete", member, "DELETE", "routers/" + w.router + "/tags/none", ``, 404, "TagNotFound", "Tag none"},
		{"tags of nothing", member, "GET", "networks/none/tags", ``, 404, "NetworkNotFound", "none"},
		{"tags of another's", stranger, "PUT", "ports/" + w.port + "/tags/x", ``, 404, "PortNotFound", ""},
		{"tags by a reader", reader, "PUT", "ports/" + w.port + "/tags/x", ``, 403, "PolicyNotAuthorized", "update_tag"},
		{"a security group", member, "GET", "security-groups/web", ``, 404, "SecurityGroupNotFound", "web"},
		{"a new security group", member, "POST", "security-groups", `{"security_group":{"name":"web"}}`, 501, "HTTPNotImplemented", "not offered"},
		{"none at once", member, "POST", "ports", `{"ports":[]}`, 400, "BadRequest", "Resources required"},
		{"bulk of no list", member, "POST", "subnets", `{"subnets":{}}`, 400, "BadRequest", "Resources required"},
		{"bulk update", member, "PUT", "networks/" + w.net, `{"networks":[{}]}`, 400, "BadRequest", "Resource 'network'"},
	})
}

func TestBadSubnets(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	sub := func(name, cidr, rest string, status int, fault, says string) row {
		return row{name, member, "POST", "subnets", `{"subnet":{"network_id":"` + w.net + `","ip_version":4,"cidr":"` + cidr + `"` + rest + `}}`, status, fault, says}
	}
	r.refuse(t, []row{
		sub("garbage", "garbage", "", 400, "HTTPBadRequest", "not a valid IP subnet"),
		sub("an address", "10.9.0.1", "", 400, "HTTPBadRequest", "not a valid IP subnet"),
		sub("bits too many", "10.9.0.0/33", "", 400, "HTTPBadRequest", "not a valid IP subnet"),
		sub("bits of the host", "10.9.0.5/24", "", 400, "InvalidInput", "'10.9.0.0/24' is recommended"),
		sub("too small", "10.9.0.0/31", "", 400, "HTTPBadRequest", "/8 to /30"),
		sub("loopback", "127.0.0.0/24", "", 400, "HTTPBadRequest", "no guest can have"),
		sub("between hosts", "100.64.3.0/24", "", 400, "HTTPBadRequest", "no guest can have"),
		sub("metadata", "169.254.0.0/16", "", 400, "HTTPBadRequest", "no guest can have"),
		sub("multicast", "239.1.0.0/24", "", 400, "HTTPBadRequest", "no guest can have"),
		sub("IPv6 name server", "10.9.0.0/24", `,"dns_nameservers":["2001:4860:4860::8888"]`, 400, "HTTPBadRequest", "dns_nameservers"),
		{"IPv6", member, "POST", "subnets", `{"subnet":{"network_id":"` + w.net + `","ip_version":6,"cidr":"fd00::/64"}}`, 400, "HTTPBadRequest", "hosts carry IPv4 only"},
		{"version 5", member, "POST", "subnets", `{"subnet":{"network_id":"` + w.net + `","ip_version":5,"cidr":"10.9.0.0/24"}}`, 400, "HTTPBadRequest", "'5' is not in [4]"},
		sub("overlap", "10.0.0.128/25", "", 400, "InvalidInput", "overlaps with another subnet"),
		sub("wrong version", "fd00::/64", "", 400, "InvalidInput", "ip_version"),
		sub("gateway outside", "10.9.0.0/24", `,"gateway_ip":"10.8.0.1"`, 400, "InvalidInput", "Gateway 10.8.0.1"),
		sub("gateway garbage", "10.9.0.0/24", `,"gateway_ip":"x"`, 400, "InvalidInput", "Gateway x"),
		sub("gateway a number", "10.9.0.0/24", `,"gateway_ip":1`, 400, "HTTPBadRequest", "gateway_ip. Reason: number"),
		sub("pool outside", "10.9.0.0/24", `,"allocation_pools":[{"start":"10.9.0.2","end":"10.9.1.2"}]`, 400, "OutOfBoundsAllocationPool", "spans beyond"),
		sub("pool backwards", "10.9.0.0/24", `,"allocation_pools":[{"start":"10.9.0.9","end":"10.9.0.2"}]`, 400, "InvalidAllocationPool", "not valid"),
		sub("pools overlap", "10.9.0.0/24", `,"allocation_pools":[{"start":"10.9.0.2","end":"10.9.0.9"},{"start":"10.9.0.5","end":"10.9.0.12"}]`, 409, "OverlappingAllocationPools", ""),
		sub("pool over gateway", "10.9.0.0/24", `,"allocation_pools":[{"start":"10.9.0.1","end":"10.9.0.9"}]`, 409, "GatewayConflictWithAllocationPools", ""),
		sub("pool with more", "10.9.0.0/24", `,"allocation_pools":[{"start":"10.9.0.2","end":"10.9.0.9","size":3}]`, 400, "HTTPBadRequest", "'size'"),
		sub("name server garbage", "10.9.0.0/24", `,"dns_nameservers":["dns"]`, 400, "HTTPBadRequest", "dns_nameservers"),
		sub("name servers a text", "10.9.0.0/24", `,"dns_nameservers":"9.9.9.9"`, 400, "HTTPBadRequest", "dns_nameservers"),
		sub("route garbage", "10.9.0.0/24", `,"host_routes":[{"destination":"x","nexthop":"y"}]`, 400, "HTTPBadRequest", "host_routes"),
		sub("slaac", "10.9.0.0/24", `,"ipv6_ra_mode":"slaac"`, 501, "HTTPNotImplemented", "ipv6_ra_mode"),
		{"no cidr", member, "POST", "subnets", `{"subnet":{"network_id":"` + w.net + `","ip_version":4}}`, 400, "InvalidInput", "'cidr' not specified"},
		{"no version", member, "POST", "subnets", `{"subnet":{"network_id":"` + w.net + `","cidr":"10.9.0.0/24"}}`, 400, "InvalidInput", "'ip_version' not specified"},
		{"version 5", member, "POST", "subnets", `{"subnet":{"network_id":"` + w.net + `","ip_version":5,"cidr":"10.9.0.0/24"}}`, 400, "HTTPBadRequest", "ip_version"},
		{"unknown network", member, "POST", "subnets", `{"subnet":{"network_id":"none","ip_version":4,"cidr":"10.9.0.0/24"}}`, 404, "NetworkNotFound", "none"},
		{"foreign network", member, "POST", "subnets", `{"subnet":{"network_id":"` + w.herNet + `","ip_version":4,"cidr":"10.9.0.0/24"}}`, 404, "NetworkNotFound", w.herNet},
		{"shared network", member, "POST", "subnets", `{"subnet":{"network_id":"` + w.shared + `","ip_version":4,"cidr":"10.9.0.0/24"}}`, 403, "PolicyNotAuthorized", "disallowed by policy"},
		{"cidr changed", member, "PUT", "subnets/" + w.sub, `{"subnet":{"cidr":"10.9.0.0/24"}}`, 400, "HTTPBadRequest", "read-only attribute cidr"},
		{"gateway in use moved", member, "PUT", "subnets/" + w.sub, `{"subnet":{"gateway_ip":"10.0.0.2","allocation_pools":[]}}`, 409, "GatewayIpInUse", "in use"},
	})
}

func TestBadPortsAndRouters(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	port := func(name, net, rest string, status int, fault, says string) row {
		return row{name, member, "POST", "ports", `{"port":{"network_id":"` + net + `"` + rest + `}}`, status, fault, says}
	}
	rows := []row{
		port("address taken", w.net, `,"fixed_ips":[{"ip_address":"10.0.0.9"}]`, 409, "IpAddressInUse", "10.0.0.9"),
		port("address outside", w.net, `,"fixed_ips":[{"ip_address":"10.8.0.9"}]`, 400, "InvalidIpForNetwork", "10.8.0.9"),
		port("the gateway's", w.net, `,"fixed_ips":[{"ip_address":"10.0.0.1"}]`, 400, "InvalidIpForSubnet", "10.0.0.1"),
		port("address garbage", w.net, `,"fixed_ips":[{"ip_address":"x"}]`, 400, "BadRequest", "not a valid IP"),
		port("neither", w.net, `,"fixed_ips":[{}]`, 400, "HTTPBadRequest", "fixed_ips"),
		port("addresses a text", w.net, `,"fixed_ips":"10.0.0.8"`, 400, "HTTPBadRequest", "fixed_ips"),
		port("address with more", w.net, `,"fixed_ips":[{"ip_address":"10.0.0.8","mac":"x"}]`, 400, "HTTPBadRequest", "'mac'"),
		port("subnet of another", w.net, `,"fixed_ips":[{"subnet_id":"`+w.herSub+`"}]`, 400, "BadRequest", w.herSub),
		port("33 addresses", w.net, `,"fixed_ips":[`+strings.Repeat(`{"subnet_id":"`+w.sub+`"},`, 32)+`{"subnet_id":"`+w.sub+`"}]`, 400, "HTTPBadRequest", "33"),
		port("MAC taken", w.net, `,"mac_address":"fa:16:3e:00:00:01"`, 409, "MacAddressInUse", "fa:16:3e:00:00:01"),
		port("MAC garbage", w.net, `,"mac_address":"x"`, 400, "HTTPBadRequest", "mac_address"),
		port("MAC of many", w.net, `,"mac_address":"01:00:5e:00:00:01"`, 400, "HTTPBadRequest", "01:00:5e:00:00:01"),
		port("MAC of 8 bytes", w.net, `,"mac_address":"02:00:5e:10:00:00:00:01"`, 400, "HTTPBadRequest", "mac_address"),
		port("security group", w.net, `,"security_groups":["x"]`, 404, "SecurityGroupNotFound", "x"),
		port("address pairs", w.net, `,"allowed_address_pairs":[{"ip_address":"10.0.0.8"}]`, 501, "HTTPNotImplemented", "allowed_address_pairs"),
		port("host by a member", w.net, `,"binding:host_id":"h1"`, 403, "PolicyNotAuthorized", "binding:host_id"),
		port("router's device", w.net, `,"device_id":"`+w.router+`"`, 400, "HTTPBadRequest", "device_id"),
		port("the cloud's owner", w.net, `,"device_owner":"network:dhcp"`, 403, "PolicyNotAuthorized", "network:dhcp"),
		port("no network", "", ``, 404, "NetworkNotFound", ""),
		port("foreign network", w.herNet, ``, 404, "NetworkNotFound", w.herNet),
		port("external network", w.out, ``, 403, "PolicyNotAuthorized", w.out),
		port("address of a shared network", w.shared, `,"fixed_ips":[{"ip_address":"10.5.0.9"}]`, 403, "PolicyNotAuthorized", "fixed_ips"),
		port("MAC on a shared network", w.shared, `,"mac_address":"fa:16:3e:00:00:07"`, 403, "PolicyNotAuthorized", "mac_address"),
		{"MAC changed", member, "PUT", "ports/" + w.port, `{"port":{"mac_address":"fa:16:3e:00:00:02"}}`, 501, "HTTPNotImplemented", "MAC"},
		{"addresses changed", member, "PUT", "ports/" + w.port, `{"port":{"fixed_ips":[]}}`, 501, "HTTPNotImplemented", "addresses"},
		{"router's port deleted", member, "DELETE", "ports/" + w.taken, "", 409, "ServicePortInUse", "directly"},
		{"network in use", member, "DELETE", "networks/" + w.net, "", 409, "NetworkInUse", w.net},
		{"subnet in use", member, "DELETE", "subnets/" + w.sub, "", 409, "SubnetInUse", w.sub},
		{"router in use", member, "DELETE", "routers/" + w.router, "", 409, "RouterInUse", w.router},
	}
	gateway := func(name, info string, status int, fault, says string) row {
		return row{name, member, "PUT", "routers/" + w.router, `{"router":{"external_gateway_info":` + info + `}}`, status, fault, says}
	}
	face := func(name, verb, body string, status int, fault, says string) row {
		return row{name, member, "PUT", "routers/" + w.router + "/" + verb + "_router_interface", body, status, fault, says}
	}
	rows = append(rows,
		gateway("gateway a text", `"x"`, 400, "HTTPBadRequest", "external_gateway_info"),
		gateway("gateway of nothing", `{"enable_snat":true}`, 400, "HTTPBadRequest", "network_id"),
		gateway("gateway with more", `{"network_id":"x","color":"red"}`, 400, "HTTPBadRequest", "'color'"),
		gateway("gateway id a number", `{"network_id":7}`, 400, "HTTPBadRequest", "network_id"),
		gateway("gateway id empty", `{"network_id":""}`, 400, "HTTPBadRequest", "UUID"),
		gateway("gateway unknown", `{"network_id":"none"}`, 404, "NetworkNotFound", "none"),
		gateway("gateway foreign", `{"network_id":"`+w.herNet+`"}`, 404, "NetworkNotFound", w.herNet),
		gateway("gateway not external", `{"network_id":"`+w.net+`"}`, 400, "BadRequest", "not an external network"),
		gateway("no SNAT", `{"network_id":"`+w.out+`","enable_snat":false}`, 501, "HTTPNotImplemented", "enable_snat"),
		gateway("gateway's address", `{"network_id":"`+w.out+`","external_fixed_ips":[{"ip_address":"1.2.3.4"}]}`, 501, "HTTPNotImplemented", "external_fixed_ips"),
		face("neither", "add", `{}`, 400, "BadRequest", "Either"),
		face("malformed", "add", `{`, 400, "BadRequest", "Malformed"),
		face("both", "add", `{"subnet_id":"a","port_id":"b"}`, 400, "BadRequest", "both"),
		face("unknown subnet", "add", `{"subnet_id":"none"}`, 404, "SubnetNotFound", "none"),
		face("foreign subnet", "add", `{"subnet_id":"`+w.herSub+`"}`, 404, "SubnetNotFound", w.herSub),
		face("the same subnet", "add", `{"subnet_id":"`+w.sub+`"}`, 400, "BadRequest", "already has a port"),
		face("by a port", "add", `{"port_id":"`+w.port+`"}`, 501, "HTTPNotImplemented", "subnet"),
		face("by a foreign port", "add", `{"port_id":"`+w.herPort+`"}`, 404, "PortNotFound", w.herPort),
		face("off an unknown subnet", "remove", `{"subnet_id":"none"}`, 404, "SubnetNotFound", "none"),
		face("off another port", "remove", `{"port_id":"`+w.port+`"}`, 404, "RouterInterfaceNotFound", w.port),
		face("port and subnet differ", "remove", `{"port_id":"`+w.taken+`","subnet_id":"none"}`, 409, "SubnetMismatchForPort", "does not match"),
		row{"foreign router", stranger, "PUT", "routers/" + w.router + "/remove_router_interface", `{"subnet_id":"` + w.sub + `"}`, 404, "RouterNotFound", w.router},
	)
	r.refuse(t, rows)
	other := r.made(member, "subnets", `{"subnet":{"network_id":"`+w.empty+`","ip_version":4,"cidr":"10.0.0.0/16"}}`)
	r.refuse(t, []row{
		face("overlapping subnet", "add", `{"subnet_id":"`+other+`"}`, 400, "BadRequest", "overlaps"),
		face("off a subnet it is not on", "remove", `{"subnet_id":"`+other+`"}`, 404, "RouterInterfaceNotFoundForSubnet", other),
	})
}

// TestForeignThingsDoNotExist tries every verb on what is another project's,
// and on what nobody has.
func TestForeignThingsDoNotExist(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	var rows []row
	for _, x := range []struct{ one, fault, hers string }{
		{"network", "NetworkNotFound", w.herNet}, {"subnet", "SubnetNotFound", w.herSub}, {"port", "PortNotFound", w.herPort}, {"router", "RouterNotFound", w.herRouter},
	} {
		for _, id := range []string{x.hers, "00000000-0000-4000-8000-000000000000", "none"} {
			path := x.one + "s/" + id
			rows = append(rows,
				row{"show " + path, member, "GET", path, "", 404, x.fault, id},
				row{"update " + path, member, "PUT", path, `{"` + x.one + `":{"name":"x"}}`, 404, x.fault, id},
				row{"delete " + path, member, "DELETE", path, "", 404, x.fault, id})
		}
		if got := r.want(200, member, "GET", "/v2.0/"+x.one+"s", "").Body.String(); strings.Contains(got, x.hers) {
			t.Errorf("the list of %ss shows another project's", x.one)
		}
		r.want(200, admin, "GET", "/v2.0/"+x.one+"s/"+x.hers, "")
	}
	for _, id := range []string{w.shared, w.out} {
		r.want(200, member, "GET", "/v2.0/networks/"+id, "")
		rows = append(rows,
			row{"update a public network", member, "PUT", "networks/" + id, `{"network":{"name":"x"}}`, 403, "PolicyNotAuthorized", id},
			row{"delete a public network", member, "DELETE", "networks/" + id, "", 403, "PolicyNotAuthorized", id})
	}
	rows = append(rows,
		row{"another's quota", member, "GET", "quotas/" + string(resttest.StrangerProject), "", 404, "HTTPNotFound", ""},
		row{"another's quota's details", member, "GET", "quotas/" + string(resttest.StrangerProject) + "/details", "", 404, "HTTPNotFound", ""},
		row{"unknown extension", member, "GET", "extensions/security-group", "", 404, "ExtensionNotFound", "security-group"})
	r.refuse(t, rows)
	r.want(404, member, "GET", "/v2.0", "")
}

func TestBadQueriesAndQuotas(t *testing.T) {
	r := newRig(t)
	mine := string(resttest.MemberProject)
	quota := func(name, body string, status int, fault, says string) row {
		return row{name, admin, "PUT", "quotas/" + mine, body, status, fault, says}
	}
	r.refuse(t, []row{
		{"limit a text", member, "GET", "networks?limit=x", "", 400, "HTTPBadRequest", "limit"},
		{"limit below 0", member, "GET", "ports?limit=-1", "", 400, "HTTPBadRequest", "limit"},
		{"unknown marker", member, "GET", "networks?marker=none", "", 400, "BadRequest", "marker"},
		{"unknown sort key", member, "GET", "networks?sort_key=color", "", 400, "BadRequest", "sort_keys"},
		{"unknown sort dir", member, "GET", "networks?sort_key=name&sort_dir=up", "", 400, "BadRequest", "sort_dirs"},
		{"sort dirs too many", member, "GET", "networks?sort_key=name&sort_dir=asc&sort_dir=asc", "", 400, "BadRequest", "same"},
		quota("quota unknown", `{"quota":{"floatingip":1}}`, 400, "HTTPBadRequest", "'floatingip'"),
		quota("quota a text", `{"quota":{"network":"many"}}`, 400, "HTTPBadRequest", "network"),
		quota("quota below -1", `{"quota":{"network":-2}}`, 400, "BadRequest", "-2"),
		quota("quota too large", fmt.Sprintf(`{"quota":{"network":%d}}`, int64(1)<<40), 400, "BadRequest", "at most"),
		{"quota by a member", member, "PUT", "quotas/" + mine, `{"quota":{}}`, 403, "PolicyNotAuthorized", "update_quota"},
		{"quota of nobody", admin, "PUT", "quotas/none", `{"quota":{}}`, 404, "HTTPNotFound", "none"},
	})
}
