package network

import (
	"fmt"
	"slices"
	"testing"
)

// TestTagsOfEverySort: PUT, GET and DELETE of all tags and of one.
func TestTagsOfEverySort(t *testing.T) {
	r := newRig(t)
	w := newWorld(r)
	for _, x := range []struct{ many, id string }{{"networks", w.net}, {"subnets", w.sub}, {"ports", w.port}, {"routers", w.router}} {
		path := "/v2.0/" + x.many + "/" + x.id
		is := func(want ...string) {
			t.Helper()
			got := parsed[struct{ Tags []string }](t, r.want(200, member, "GET", path+"/tags", "")).Tags
			if got == nil || !slices.Equal(got, want) {
				t.Errorf("%s: tags %v, want %v", x.many, got, want)
			}
			for _, one := range parsed[map[string]struct{ Tags []string }](t, r.want(200, member, "GET", path, "")) {
				if !slices.Equal(one.Tags, want) {
					t.Errorf("%s shows tags %v, want %v", x.many, one.Tags, want)
				}
			}
		}
		is()
		if got := parsed[struct{ Tags []string }](t, r.want(200, member, "PUT", path+"/tags", `{"tags":["b","a"]}`)).Tags; !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%s: PUT answers %v", x.many, got)
		}
		r.want(201, member, "PUT", path+"/tags/c%2Fd", "")
		r.want(201, member, "PUT", path+"/tags/c%2Fd", "")
		is("a", "b", "c/d")
		r.want(204, reader, "GET", path+"/tags/c%2Fd", "")
		r.want(204, member, "DELETE", path+"/tags/a", "")
		is("b", "c/d")
		r.want(204, member, "DELETE", path+"/tags", "")
		is()
	}
}

func TestFiltersByTags(t *testing.T) {
	r := newRig(t)
	for _, row := range []struct{ name, tags string }{{"none", `[]`}, {"red", `["red"]`}, {"blue", `["blue"]`}, {"both", `["blue","red"]`}} {
		id := r.made(member, "networks", `{"network":{"name":"`+row.name+`"}}`)
		r.want(200, member, "PUT", "/v2.0/networks/"+id+"/tags", `{"tags":`+row.tags+`}`)
	}
	for query, want := range map[string]string{
		"":                       "[blue both none red]",
		"tags=red":               "[both red]",
		"tags=red,blue":          "[both]",
		"tags=red&tags-any=blue": "[both]",
		"tags-any=red,blue":      "[blue both red]",
		"not-tags=red,blue":      "[blue none red]",
		"not-tags-any=red,blue":  "[none]",
		"not-tags=red&name=none": "[none]",
		"tags=green":             "[]",
		"tags=":                  "[blue both none red]",
	} {
		got := parsed[struct{ Networks []struct{ Name string } }](t, r.want(200, member, "GET", "/v2.0/networks?sort_key=name&"+query, ""))
		names := []string{}
		for _, n := range got.Networks {
			names = append(names, n.Name)
		}
		if fmt.Sprint(names) != want {
			t.Errorf("%q gives %v, want %s", query, names, want)
		}
	}
}

// TestBulkIsOneCommand: all or none, in the order that was asked for.
func TestBulkIsOneCommand(t *testing.T) {
	r := newRig(t)
	nets := parsed[struct{ Networks []struct{ ID, Name string } }](t, r.want(201, member, "POST", "/v2.0/networks", `{"networks":[{"name":"b"},{"name":"a"}]}`)).Networks
	if len(nets) != 2 || nets[0].Name != "b" || nets[1].Name != "a" {
		t.Fatalf("made %v", nets)
	}
	before := r.View().Index
	ports := parsed[struct {
		Ports []struct {
			ID  string
			MAC string `json:"mac_address"`
		}
	}](t, r.want(201, member, "POST", "/v2.0/ports", `{"ports":[{"network_id":"`+nets[0].ID+`"},{"network_id":"`+nets[0].ID+`"},{"network_id":"`+nets[1].ID+`"}]}`)).Ports
	if len(ports) != 3 || ports[0].MAC == ports[1].MAC {
		t.Errorf("made %v", ports)
	}
	if got := r.View().Index; got != before+1 {
		t.Errorf("three ports took %d entries of the log", got-before)
	}
	subnet := func(cidr string) string {
		return `{"network_id":"` + nets[0].ID + `","ip_version":4,"cidr":"` + cidr + `"}`
	}
	r.want(400, member, "POST", "/v2.0/subnets", `{"subnets":[`+subnet("10.1.0.0/24")+`,`+subnet("10.1.0.0/25")+`]}`)
	if got := parsed[struct{ Subnets []any }](t, r.want(200, member, "GET", "/v2.0/subnets", "")).Subnets; len(got) != 0 {
		t.Errorf("a refused bulk left %v", got)
	}
	r.want(201, member, "POST", "/v2.0/subnets", `{"subnets":[`+subnet("10.1.0.0/24")+`,`+subnet("10.2.0.0/24")+`]}`)
}
