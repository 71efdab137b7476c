package state

import (
	"fmt"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Resource is something that a project may have only so much of. A noun
// registers its own by a row in Resources and charges it in the commands that
// make and remove it; limits, usage, the quota API of its door and the
// invariant that the usage is true follow from the row.
type Resource struct {
	// Name is the resource's, in the quota API of its door too.
	Name string
	// Door is the API that shows and sets its limit.
	Door Door
	// Default is the limit of projects that have none of their own.
	Default int64
	// Count counts what a project has, the slow and obvious way: the invariant
	// compares the usage with it.
	Count func(v View, p model.ProjectID) int64
}

// Door is an API that has quotas of its own.
type Door string

// The doors with quotas.
const (
	ComputeQuota Door = "compute"
	NetworkQuota Door = "network"
)

// Resources is the table of everything that is limited per project.
var Resources = []Resource{
	{"instances", ComputeQuota, 10, func(v View, p model.ProjectID) int64 {
		return sumServers(v, p, func(*model.Server) int { return 1 })
	}},
	{"cores", ComputeQuota, 20, func(v View, p model.ProjectID) int64 {
		return sumServers(v, p, func(s *model.Server) int { return s.Size.VCPUs })
	}},
	{"ram", ComputeQuota, 51200, func(v View, p model.ProjectID) int64 {
		return sumServers(v, p, func(s *model.Server) int { return s.Size.RAM })
	}},
	{"network", NetworkQuota, 100, func(v View, p model.ProjectID) (n int64) {
		for range v.NetworksOf(p) {
			n++
		}
		return n
	}},
	{"subnet", NetworkQuota, 100, func(v View, p model.ProjectID) (n int64) {
		for s := range v.Subnets() {
			if s.ProjectID == p {
				n++
			}
		}
		return n
	}},
	{"port", NetworkQuota, 500, func(v View, p model.ProjectID) (n int64) {
		for range v.PortsOf(p) {
			n++
		}
		return n
	}},
	{"router", NetworkQuota, 10, func(v View, p model.ProjectID) (n int64) {
		for range v.RoutersOf(p) {
			n++
		}
		return n
	}},
}

// MaxActions is how many actions a server keeps, the newest.
const MaxActions = 100

// MaxKeyPairs is how many key pairs a user may have; they belong to no
// project.
const MaxKeyPairs = 100

func sumServers(v View, p model.ProjectID, of func(*model.Server) int) (n int64) {
	for s := range v.ServersOf(p) {
		n += int64(of(s))
	}
	return n
}

// ResourceNamed finds a resource.
func ResourceNamed(name string) (Resource, bool) {
	for _, r := range Resources {
		if r.Name == name {
			return r, true
		}
	}
	return Resource{}, false
}

// ResourcesOf lists the resources of a door, in the table's order.
func ResourcesOf(d Door) (out []Resource) {
	for _, r := range Resources {
		if r.Door == d {
			out = append(out, r)
		}
	}
	return out
}

// Limit is how much of a resource a project may have; model.Unlimited for no
// limit.
func (v View) Limit(p model.ProjectID, resource string) int64 {
	if q := v.QuotaRow(p, resource); q != nil {
		return q.Limit
	}
	r, _ := ResourceNamed(resource)
	return r.Default
}

// Used is how much of a resource a project has.
func (v View) Used(p model.ProjectID, resource string) int64 {
	if u := v.t.usages.get(model.Usage{ProjectID: p, Resource: resource}); u != nil {
		return u.Used
	}
	return 0
}

// Charge is one resource's part of a charge.
type Charge struct {
	Resource string
	By       int64
}

// CheckCharge tells whether a project may take all of charges: errs.Quota, in
// words that clients know, when one of them goes over its limit. Giving back
// is always allowed.
func (v View) CheckCharge(p model.ProjectID, charges ...Charge) error {
	var over, asked, used, limits []string
	for _, c := range charges {
		has, limit := v.Used(p, c.Resource), v.Limit(p, c.Resource)
		if c.By > 0 && limit != model.Unlimited && has+c.By > limit {
			over = append(over, c.Resource)
			asked = append(asked, fmt.Sprint(c.By))
			used = append(used, fmt.Sprint(has))
			limits = append(limits, fmt.Sprint(limit))
		}
	}
	if len(over) == 0 {
		return nil
	}
	list := func(s []string) string { return strings.Join(s, ", ") }
	return errs.Errorf("state.charge", errs.Quota, "Quota exceeded for %s: Requested %s, but already used %s of %s %s",
		list(over), list(asked), list(used), list(limits), list(over))
}

// Charge takes or gives back resources of a project, all or none.
func (tx *Tx) Charge(p model.ProjectID, charges ...Charge) error {
	if err := tx.CheckCharge(p, charges...); err != nil {
		return err
	}
	for _, c := range charges {
		u := model.Usage{ProjectID: p, Resource: c.Resource, Used: tx.Used(p, c.Resource) + c.By}
		if u.Used == 0 {
			tx.t.usages.delete(&u)
			continue
		}
		tx.t.usages.put(&u)
	}
	return nil
}

// SizeCharge is what n servers of a size take of their project.
func SizeCharge(s model.Size, n int) []Charge {
	return []Charge{{"instances", int64(n)}, {"cores", int64(n * s.VCPUs)}, {"ram", int64(n * s.RAM)}}
}
