package state

import (
	"fmt"
	"net/netip"

	"github.com/kvorum/kvorum/internal/model"
)

// Violation is an invariant that does not hold.
type Violation struct {
	// Name is the invariant's; Detail says where.
	Name, Detail string
}

// String gives both.
func (v Violation) String() string { return v.Name + ": " + v.Detail }

// maxViolations bounds what one Check tells.
const maxViolations = 100

// invariant is something that is true after every entry. bad is told of each
// place where it is not.
type invariant struct {
	name  string
	check func(v View, bad func(format string, args ...any))
}

// invariants are all of them; the names say what holds.
var invariants = []invariant{
	{"names are unique", checkNames},
	{"grants refer to what is there", checkGrants},
	{"an active image has its hash", checkImages},
	{"a network's segment is its own", checkSegments},
	{"a subnet belongs to a network", checkSubnetOwners},
	{"subnets of a network do not overlap", checkOverlaps},
	{"a port belongs to a network", checkPortOwners},
	{"a port's device is there", checkPortDevices},
	{"a MAC is used once on a network", checkMACs},
	{"an address has a port or a holder", checkAddresses},
	{"an address lies in its subnet", checkAddressRange},
	{"a server's number is its own", checkNumbers},
	{"a server's states are known ones", checkStates},
	{"a server waits exactly while it has no host", checkWaiting},
	{"a server on a host has that host's permit", checkPermits},
	{"a permit has a server or a tombstone", checkPermitOwners},
	{"a host's promises are the sum of its servers", checkClaims},
	{"usage is what is there", checkUsage},
	{"a tombstone's server is gone", checkTombstones},
	{"an action has a server or a tombstone", checkActions},
	{"an authority and control nodes go together", checkAuthority},
	{"a join token is for one node and a short time", checkJoinTokens},
	{"a used token has its certificate", checkUsedTokens},
	{"a good certificate has its node", checkCertificateOwners},
	{"a key belongs to one node", checkCertificateKeys},
	{"a server keeps a bounded number of actions", checkActionCount},
	{"hosts can carry every network", checkCarried},
	{"a flavor is open to projects that are there", checkFlavorAccess},
}

// Check tells which invariants do not hold; none is the only good answer. Its
// cost is that of reading everything a few times.
func Check(v View) (out []Violation) {
	for _, i := range invariants {
		i.check(v, func(format string, args ...any) {
			if len(out) < maxViolations {
				out = append(out, Violation{i.name, fmt.Sprintf(format, args...)})
			}
		})
	}
	return out
}

// once reports what is seen a second time.
type once map[string]bool

func (o once) see(bad func(string, ...any), format string, args ...any) {
	key := fmt.Sprintf(format, args...)
	if o[key] {
		bad("%s stands twice", key)
	}
	o[key] = true
}

func checkNames(v View, bad func(string, ...any)) {
	seen := once{}
	for p := range v.Projects() {
		seen.see(bad, "project %s/%s", p.DomainID, p.Name)
	}
	for u := range v.Users() {
		seen.see(bad, "user %s/%s", u.DomainID, u.Name)
	}
	for r := range v.Roles() {
		seen.see(bad, "role %s", r.Name)
	}
	for f := range v.Flavors() {
		seen.see(bad, "flavor %s", f.Name)
	}
	for h := range v.Hosts() {
		seen.see(bad, "host %s", h.Name)
	}
	for n := range v.ControlNodes() {
		seen.see(bad, "control node %s", n.Name)
		seen.see(bad, "internal address %s", n.Address)
	}
}

func checkFlavorAccess(v View, bad func(string, ...any)) {
	for f := range v.Flavors() {
		for i, p := range f.Projects {
			if v.Project(p) == nil || i > 0 && p <= f.Projects[i-1] {
				bad("flavor %s is open to %v", f.ID, f.Projects)
				break
			}
		}
	}
}

func checkGrants(v View, bad func(string, ...any)) {
	for g := range v.Grants() {
		if v.User(g.UserID) == nil || v.Project(g.ProjectID) == nil || v.Role(g.RoleID) == nil {
			bad("user %s, project %s, role %s", g.UserID, g.ProjectID, g.RoleID)
		}
	}
}

func checkImages(v View, bad func(string, ...any)) {
	for i := range v.Images() {
		if (i.Status == model.ImageActive) != (len(i.SHA256) == 64) {
			bad("image %s is %s with hash %q", i.ID, i.Status, i.SHA256)
		}
	}
}

func checkSegments(v View, bad func(string, ...any)) {
	seen := once{}
	for n := range v.Networks() {
		if n.Segment == 0 {
			bad("network %s has none", n.ID)
		}
		seen.see(bad, "segment %d", n.Segment)
	}
}

func checkSubnetOwners(v View, bad func(string, ...any)) {
	for s := range v.Subnets() {
		if v.Network(s.NetworkID) == nil {
			bad("subnet %s names %s", s.ID, s.NetworkID)
		}
	}
}

func checkOverlaps(v View, bad func(string, ...any)) {
	for n := range v.Networks() {
		var before []netip.Prefix
		for s := range v.SubnetsOf(n.ID) {
			p, err := netip.ParsePrefix(s.CIDR)
			if err != nil {
				bad("subnet %s has the range %q", s.ID, s.CIDR)
				continue
			}
			for _, b := range before {
				if b.Overlaps(p) {
					bad("%s and %s on network %s", b, p, n.ID)
				}
			}
			before = append(before, p)
		}
	}
}
