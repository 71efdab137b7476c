package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func TestTags(t *testing.T) {
	r := newRig(t, 1).withCloud()
	port, router := examplePortCreate(), exampleRouterCreate()
	port.ProjectID, router.ProjectID, router.ExternalNetworkID = demoProject, demoProject, ""
	r.must(r.demo(), port)
	r.must(r.demo(), router)
	for thing, row := range map[string]struct {
		id   string
		tags func() ([]string, uint64)
	}{
		"network": {string(cloudNet), func() ([]string, uint64) { x := r.View().Network(cloudNet); return x.Tags, x.Revision }},
		"subnet":  {string(cloudSubnet), func() ([]string, uint64) { x := r.View().Subnet(cloudSubnet); return x.Tags, x.Revision }},
		"port":    {string(port.ID), func() ([]string, uint64) { x := r.View().Port(port.ID); return x.Tags, x.Revision }},
		"router":  {string(router.ID), func() ([]string, uint64) { x := r.View().Router(router.ID); return x.Tags, x.Revision }},
	} {
		t.Run(thing, func(t *testing.T) {
			_, first := row.tags()
			is := func(want string, changes uint64) {
				t.Helper()
				if got, revision := row.tags(); fmt.Sprint(got) != want || revision != first+changes {
					t.Errorf("tags %v at revision %d, want %s at %d", got, revision, want, first+changes)
				}
			}
			do := func(c TagsChange) *TagsChange { c.Thing, c.ID = thing, row.id; return &c }
			r.must(r.demo(), do(TagsChange{Set: &[]string{"b", "a"}}))
			is("[a b]", 1)
			r.must(r.demo(), do(TagsChange{Add: "aa"}))
			r.must(r.demo(), do(TagsChange{Add: "aa"}))
			is("[a aa b]", 2)
			r.must(r.demo(), do(TagsChange{Remove: "a"}))
			is("[aa b]", 3)
			r.refused(r.demo(), do(TagsChange{Remove: "a"}), errs.NotFound, "Tag a could not be found.")
			r.must(r.demo(), do(TagsChange{Set: &[]string{}}))
			is("[]", 4)
			many := make([]string, MaxTags+1)
			for i := range many {
				many[i] = fmt.Sprint(i)
			}
			for _, c := range []TagsChange{{}, {Add: "a", Remove: "b"}, {Set: &many}, {Set: &[]string{"x", "x"}}, {Set: &[]string{""}}, {Add: strings.Repeat("t", 256)}} {
				r.refused(r.demo(), do(c), errs.Invalid, "")
			}
		})
	}
	r.refused(r.admin(), &TagsChange{Thing: "server", ID: string(cloudServer), Add: "x"}, errs.Invalid, "")
	foreign := exampleNetworkCreate()
	foreign.ID = "00000000-0000-4000-8000-0000000000e9"
	r.must(r.admin(), foreign)
	r.refused(r.demo(), &TagsChange{Thing: "network", ID: string(foreign.ID), Add: "x"}, errs.NotFound, "")
}

// TestBulkIsAllOrNothing: several at once leave nothing behind when one is
// refused.
func TestBulkIsAllOrNothing(t *testing.T) {
	r := newRig(t, 1).withCloud()
	network := func(p model.ProjectID) *NetworkCreate {
		return &NetworkCreate{ID: model.NetworkID(r.UUID()), ProjectID: p}
	}
	if ids := r.must(r.demo(), &NetworksCreate{Items: []*NetworkCreate{network(demoProject), network(demoProject)}}); len(ids) != 2 {
		t.Errorf("made %v", ids)
	}
	r.refused(r.demo(), &NetworksCreate{Items: []*NetworkCreate{network(demoProject), network(adminProject)}}, errs.NotFound, "")
	r.must(r.admin(), &QuotaSet{ProjectID: demoProject, Limits: []QuotaLimit{{"network", 4}}})
	r.refused(r.demo(), &NetworksCreate{Items: []*NetworkCreate{network(demoProject), network(demoProject)}}, errs.Quota, "")
	subnet := func(cidr string) *SubnetCreate {
		return &SubnetCreate{ID: model.SubnetID(r.UUID()), NetworkID: cloudNet, ProjectID: demoProject, CIDR: cidr}
	}
	r.must(r.demo(), &SubnetsCreate{Items: []*SubnetCreate{subnet("10.8.0.0/24"), subnet("10.9.0.0/24")}})
	r.refused(r.demo(), &SubnetsCreate{Items: []*SubnetCreate{subnet("10.10.0.0/24"), subnet("10.10.0.0/25")}}, errs.Invalid, "")
	port := func(mac string) *PortCreate {
		return &PortCreate{ID: model.PortID(r.UUID()), NetworkID: cloudNet, ProjectID: demoProject, MAC: mac}
	}
	r.must(r.demo(), &PortsCreate{Items: []*PortCreate{port("fa:16:3e:00:02:01"), port("fa:16:3e:00:02:02")}})
	r.refused(r.demo(), &PortsCreate{Items: []*PortCreate{port("fa:16:3e:00:02:03"), port("fa:16:3e:00:02:03")}}, errs.Conflict, "")
	r.refused(r.demo(), &PortsCreate{}, errs.Invalid, "")
	r.refused(r.demo(), &PortsCreate{Items: make([]*PortCreate, MaxBulk+1)}, errs.Invalid, "")
	if n := r.View().Used(demoProject, "network"); n != 3 {
		t.Errorf("%d networks, want 3", n)
	}
}
