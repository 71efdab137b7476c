package metadata

import (
	"encoding/json"
	"testing"
)

func TestPathsThatMeanTheSame(t *testing.T) {
	for _, group := range [][]string{
		{"/", "", "//", "/ec2", "/ec2/", "/.", "/../", "/latest/.."},
		{"/openstack", "/openstack/", "//openstack//", "openstack"},
		{"/latest/meta-data", "/latest/meta-data/", "/ec2/latest/meta-data", "//latest//meta-data//", "/x/../latest/meta-data"},
		{"/latest/user-data", "/ec2/2009-04-04/user-data", "/openstack/2012-08-10/user_data"},
		{"/openstack/latest/meta_data.json", "/openstack/latest/meta_data.json/", "/openstack/2025-04-04/./meta_data.json"},
	} {
		want := get(t, rich(), group[0])
		for _, path := range group[1:] {
			body, _, ok := Lookup(rich(), path)
			if !ok || string(body) != want {
				t.Errorf("%q: ok=%v body %q; want as %q: %q", path, ok, body, group[0], want)
			}
		}
	}
}

func TestNotFound(t *testing.T) {
	for name, c := range map[string]struct {
		rec   Record
		paths []string
	}{
		"rich": {rich(), []string{
			"/2021-03-23", "/2018-09-24/meta-data/instance-id", "/2016-09-02", "/latest/meta-data/nothing",
			"/latest/meta-data/instance-id/x", "/latest/meta-data/public-keys/2", "/latest/meta-data/public-keys/0=laptop",
			"/latest/meta-data/public-keys/0/x", "/latest/user-data/x", "/latest/dynamic", "/LATEST", "/latest/api/token",
			"/openstack/2011-01-01", "/openstack/2011-01-01/meta_data.json", "/openstack/1.0", "/openstack/latest/nothing",
			"/openstack/latest/meta_data.json/uuid", "/openstack/content/0000", "/openstack/content", "/openstack/latest/content/0000",
			"/openstack/2012-08-10/password", "/openstack/2013-04-04/vendor_data.json", "/openstack/2013-10-17/network_data.json",
			"/openstack/2016-06-30/vendor_data2.json", "/ec2/ec2", "/ec2/openstack", "/1.0/meta-data/public-ipv4",
			"/2007-03-01/meta-data/instance-type", "/2007-10-10/meta-data/kernel-id", "/2007-12-15/meta-data/placement",
			"/2008-02-01/meta-data/instance-action", "/latest/meta-data/\x00", "/..%2f..%2fetc/passwd",
		}},
		"minimal": {minimal(), []string{
			"/latest/user-data", "/openstack/latest/user_data", "/latest/meta-data/public-keys", "/latest/meta-data/kernel-id",
			"/latest/meta-data/ramdisk-id",
		}},
	} {
		for _, path := range c.paths {
			if body, _, ok := Lookup(c.rec, path); ok {
				t.Errorf("%s record: %q answered %q, want 404", name, path, body)
			}
		}
	}
}

func TestEmptyUserDataIsPresent(t *testing.T) {
	rec := minimal()
	rec.UserData = []byte{}
	if got := get(t, rec, "/latest"); got != "meta-data/\nuser-data" {
		t.Errorf("listing %q", got)
	}
	if got := get(t, rec, "/openstack/latest/user_data"); got != "" {
		t.Errorf("user_data %q", got)
	}
}

func TestVendorDataIsAlwaysAnObject(t *testing.T) {
	for in, want := range map[string]string{
		"": "{}", "nonsense": "{}", "[1]": "{}", `"x"`: "{}", `{"a":`: "{}", ` {"a":1} `: `{"a":1}`,
	} {
		rec := minimal()
		rec.VendorData = []byte(in)
		if got := get(t, rec, "/openstack/latest/vendor_data.json"); got != want {
			t.Errorf("%q: vendor_data.json %q, want %q", in, got, want)
		}
		if got := get(t, rec, "/openstack/latest/vendor_data2.json"); got != `{"static":`+want+`}` {
			t.Errorf("%q: vendor_data2.json %q", in, got)
		}
	}
}

// cloud-init raises an error at boot if a link lacks one of these keys or a network names an unknown link or type.
func TestNetworkDataIsCompleteForCloudInit(t *testing.T) {
	var doc struct {
		Links    []map[string]any
		Networks []map[string]any
	}
	if err := json.Unmarshal([]byte(get(t, rich(), "/openstack/latest/network_data.json")), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Links) != 3 || len(doc.Networks) != 5 {
		t.Fatalf("%d links and %d networks, want 3 and 5", len(doc.Links), len(doc.Networks))
	}
	links := map[any]bool{}
	for _, l := range doc.Links {
		for _, key := range []string{"id", "type", "ethernet_mac_address"} {
			if l[key] == "" || l[key] == nil {
				t.Errorf("link %v has no %s", l, key)
			}
		}
		if links[l["id"]] {
			t.Errorf("link id %v is used twice", l["id"])
		}
		links[l["id"]] = true
	}
	known := map[any]bool{"ipv4_dhcp": true, "ipv6_dhcp": true, "ipv4": true, "ipv6": true, "ipv6_slaac": true,
		"ipv6_dhcpv6-stateless": true, "ipv6_dhcpv6-stateful": true}
	for _, n := range doc.Networks {
		if !links[n["link"]] || !known[n["type"]] {
			t.Errorf("network %v names an unknown link or type", n)
		}
	}
}

func FuzzLookup(f *testing.F) {
	for _, seed := range []string{"/", "/latest/meta-data/public-keys/0/openssh-key", "/openstack/latest/network_data.json", "//..//%", "ec2/ec2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		_, contentType, ok := Lookup(rich(), path)
		if ok == (contentType == "") {
			t.Errorf("%q: ok=%v with content type %q", path, ok, contentType)
		}
	})
}
