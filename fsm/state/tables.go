package state

import (
	"cmp"

	"github.com/kvorum/kvorum/internal/model"
)

// The indexes, by number, in the order that their table declares them.
const (
	projectsByName = 0
	usersByName    = 0
	rolesByName    = 0
	flavorsByName  = 0
	imagesByOwner  = 0
	imagesByBytes  = 1
	networksByOwn  = 0
	subnetsByNet   = 0
	portsByNet     = 0
	portsByDevice  = 1
	portsByOwner   = 2
	portsByMAC     = 3
	fixedByPort    = 0
	fixedByHolder  = 1
	routersByOwner = 0
	serversByOwner = 0
	serversByHost  = 1
	serversByWait  = 2
	serversByImage = 3
	permitsByHost  = 0
	tombsByHost    = 0
	tombsByOwner   = 1
	tombsByAge     = 2
	hostsByName    = 0
	revsByExpiry   = 0
)

// tables is every table once. A new table is a field, a line in newTables and
// a line in all.
type tables struct {
	cluster     tableOf[model.Cluster]
	domains     tableOf[model.Domain]
	projects    tableOf[model.Project]
	users       tableOf[model.User]
	roles       tableOf[model.Role]
	grants      tableOf[model.Grant]
	tokenKeys   tableOf[model.TokenKey]
	revocations tableOf[model.Revocation]
	flavors     tableOf[model.Flavor]
	keyPairs    tableOf[model.KeyPair]
	images      tableOf[model.Image]
	networks    tableOf[model.Network]
	subnets     tableOf[model.Subnet]
	ports       tableOf[model.Port]
	fixed       tableOf[model.FixedAddress]
	routers     tableOf[model.Router]
	servers     tableOf[model.Server]
	actions     tableOf[model.ServerAction]
	permits     tableOf[model.Permit]
	tombstones  tableOf[model.Tombstone]
	hosts       tableOf[model.Host]
	memberTables
	quotas  tableOf[model.Quota]
	usages  tableOf[model.Usage]
	results *results

	// list is all of the above in the order of the snapshot.
	list []anyTable
}

func newTables() *tables {
	t := &tables{}
	t.identityTables()
	t.catalogTables()
	t.networkTables()
	t.serverTables()
	t.memberTables = newMemberTables()
	t.list = t.all()
	return t
}

func (t *tables) identityTables() {
	t.cluster = newTable(schema[model.Cluster]{name: "cluster",
		key:   func(a, b *model.Cluster) int { return 0 },
		ident: func(c *model.Cluster) (string, string) { return c.ID, "" }})
	t.domains = newTable(schema[model.Domain]{name: "domains",
		key:   func(a, b *model.Domain) int { return cmp.Compare(a.ID, b.ID) },
		ident: func(d *model.Domain) (string, string) { return string(d.ID), "" }})
	t.projects = newTable(schema[model.Project]{name: "projects",
		key:   func(a, b *model.Project) int { return cmp.Compare(a.ID, b.ID) },
		ident: func(p *model.Project) (string, string) { return string(p.ID), string(p.ID) },
		indexes: []index[model.Project]{{cmp: func(a, b *model.Project) int {
			return cmp.Or(cmp.Compare(a.DomainID, b.DomainID), cmp.Compare(a.Name, b.Name))
		}}}})
	t.users = newTable(schema[model.User]{name: "users",
		key:   func(a, b *model.User) int { return cmp.Compare(a.ID, b.ID) },
		ident: func(u *model.User) (string, string) { return string(u.ID), "" },
		indexes: []index[model.User]{{cmp: func(a, b *model.User) int {
			return cmp.Or(cmp.Compare(a.DomainID, b.DomainID), cmp.Compare(a.Name, b.Name))
		}}}})
	t.roles = newTable(schema[model.Role]{name: "roles",
		key:     func(a, b *model.Role) int { return cmp.Compare(a.ID, b.ID) },
		ident:   func(r *model.Role) (string, string) { return string(r.ID), "" },
		indexes: []index[model.Role]{{cmp: func(a, b *model.Role) int { return cmp.Compare(a.Name, b.Name) }}}})
	t.grants = newTable(schema[model.Grant]{name: "grants",
		key: func(a, b *model.Grant) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.ProjectID, b.ProjectID), cmp.Compare(a.RoleID, b.RoleID))
		},
		ident: func(g *model.Grant) (string, string) { return string(g.UserID), string(g.ProjectID) }})
	t.tokenKeys = newTable(schema[model.TokenKey]{name: "token_keys",
		key:   func(a, b *model.TokenKey) int { return cmp.Compare(a.Num, b.Num) },
		ident: func(k *model.TokenKey) (string, string) { return "", "" }})
	t.revocations = newTable(schema[model.Revocation]{name: "revocations",
		key:     func(a, b *model.Revocation) int { return cmp.Compare(a.AuditID, b.AuditID) },
		ident:   func(r *model.Revocation) (string, string) { return r.AuditID, "" },
		indexes: []index[model.Revocation]{{cmp: func(a, b *model.Revocation) int { return cmp.Compare(a.ExpiresAt, b.ExpiresAt) }}}})
}

func (t *tables) catalogTables() {
	t.flavors = newTable(schema[model.Flavor]{name: "flavors",
		key:     func(a, b *model.Flavor) int { return cmp.Compare(a.ID, b.ID) },
		ident:   func(f *model.Flavor) (string, string) { return string(f.ID), "" },
		indexes: []index[model.Flavor]{{cmp: func(a, b *model.Flavor) int { return cmp.Compare(a.Name, b.Name) }}}})
	t.keyPairs = newTable(schema[model.KeyPair]{name: "key_pairs",
		key: func(a, b *model.KeyPair) int {
			return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Name, b.Name))
		},
		ident: func(k *model.KeyPair) (string, string) { return k.Name, "" }})
	t.images = newTable(schema[model.Image]{name: "images",
		key:   func(a, b *model.Image) int { return cmp.Compare(a.ID, b.ID) },
		head:  func(r *model.Image) uint64 { return head64(r.ID) },
		ident: func(i *model.Image) (string, string) { return string(i.ID), string(i.ProjectID) },
		indexes: []index[model.Image]{
			{group: func(r *model.Image) (string, string) { return string(r.ProjectID), "" }},
			{has: func(i *model.Image) bool { return i.SHA256 != "" }, group: func(r *model.Image) (string, string) { return r.SHA256, "" }},
		}})
	t.quotas = newTable(schema[model.Quota]{name: "quotas",
		key: func(a, b *model.Quota) int {
			return cmp.Or(cmp.Compare(a.ProjectID, b.ProjectID), cmp.Compare(a.Resource, b.Resource))
		},
		ident: func(q *model.Quota) (string, string) { return q.Resource, string(q.ProjectID) }})
	t.usages = newTable(schema[model.Usage]{name: "usages",
		key: func(a, b *model.Usage) int {
			return cmp.Or(cmp.Compare(a.ProjectID, b.ProjectID), cmp.Compare(a.Resource, b.Resource))
		},
		ident: func(u *model.Usage) (string, string) { return "", "" }})
	t.results = newResults()
}

func (t *tables) networkTables() {
	t.networks = newTable(schema[model.Network]{name: "networks",
		key:     func(a, b *model.Network) int { return cmp.Compare(a.ID, b.ID) },
		head:    func(r *model.Network) uint64 { return head64(r.ID) },
		ident:   func(n *model.Network) (string, string) { return string(n.ID), string(n.ProjectID) },
		indexes: []index[model.Network]{{cmp: func(a, b *model.Network) int { return cmp.Compare(a.ProjectID, b.ProjectID) }}}})
	t.subnets = newTable(schema[model.Subnet]{name: "subnets",
		key:     func(a, b *model.Subnet) int { return cmp.Compare(a.ID, b.ID) },
		head:    func(r *model.Subnet) uint64 { return head64(r.ID) },
		ident:   func(s *model.Subnet) (string, string) { return string(s.ID), string(s.ProjectID) },
		indexes: []index[model.Subnet]{{cmp: func(a, b *model.Subnet) int { return cmp.Compare(a.NetworkID, b.NetworkID) }}}})
	t.ports = newTable(schema[model.Port]{name: "ports",
		key:   func(a, b *model.Port) int { return cmp.Compare(a.ID, b.ID) },
		head:  func(r *model.Port) uint64 { return head64(r.ID) },
		ident: func(p *model.Port) (string, string) { return string(p.ID), string(p.ProjectID) },
		indexes: []index[model.Port]{
			{group: func(r *model.Port) (string, string) { return string(r.NetworkID), "" },
				since: func(r *model.Port) uint64 { return millis(r.CreatedAt) }},
			{has: func(p *model.Port) bool { return p.DeviceID != "" }, group: func(r *model.Port) (string, string) { return r.DeviceID, "" }},
			{group: func(r *model.Port) (string, string) { return string(r.ProjectID), "" },
				since: func(r *model.Port) uint64 { return millis(r.CreatedAt) }},
			{group: func(r *model.Port) (string, string) { return string(r.NetworkID), r.MAC }},
		}})
	t.fixed = newTable(schema[model.FixedAddress]{name: "fixed_addresses",
		key: func(a, b *model.FixedAddress) int {
			return cmp.Or(cmp.Compare(a.NetworkID, b.NetworkID), cmp.Compare(a.IP, b.IP))
		},
		head:  func(r *model.FixedAddress) uint64 { return addressHead(r.NetworkID, r.IP) },
		ident: func(a *model.FixedAddress) (string, string) { return a.IP, "" },
		of:    func(a *model.FixedAddress) string { return string(a.NetworkID) },
		indexes: []index[model.FixedAddress]{
			{has: func(a *model.FixedAddress) bool { return a.PortID != "" }, group: func(r *model.FixedAddress) (string, string) { return string(r.PortID), "" }},
			{has: func(a *model.FixedAddress) bool { return a.HeldBy != "" }, group: func(r *model.FixedAddress) (string, string) { return string(r.HeldBy), "" }},
		}})
	t.routers = newTable(schema[model.Router]{name: "routers",
		key:     func(a, b *model.Router) int { return cmp.Compare(a.ID, b.ID) },
		ident:   func(r *model.Router) (string, string) { return string(r.ID), string(r.ProjectID) },
		indexes: []index[model.Router]{{cmp: func(a, b *model.Router) int { return cmp.Compare(a.ProjectID, b.ProjectID) }}}})
}

func (t *tables) serverTables() {
	t.servers = newTable(schema[model.Server]{name: "servers",
		key:   func(a, b *model.Server) int { return cmp.Compare(a.ID, b.ID) },
		head:  func(r *model.Server) uint64 { return head64(r.ID) },
		ident: func(s *model.Server) (string, string) { return string(s.ID), string(s.ProjectID) },
		indexes: []index[model.Server]{
			{group: func(r *model.Server) (string, string) { return string(r.ProjectID), "" },
				since: func(r *model.Server) uint64 { return r.Num }},
			{has: func(s *model.Server) bool { return s.HostID != "" }, group: func(r *model.Server) (string, string) { return string(r.HostID), "" },
				since: func(r *model.Server) uint64 { return r.Num }},
			{has: func(s *model.Server) bool { return s.TaskState == model.TaskScheduling },
				cmp: func(a, b *model.Server) int { return cmp.Compare(a.Num, b.Num) }, head: func(r *model.Server) uint64 { return r.Num }},
			{has: func(s *model.Server) bool { return s.ImageID != "" }, group: func(r *model.Server) (string, string) { return string(r.ImageID), "" },
				since: func(r *model.Server) uint64 { return r.Num }},
		}})
	t.actions = newTable(schema[model.ServerAction]{name: "server_actions",
		key: func(a, b *model.ServerAction) int {
			return cmp.Or(cmp.Compare(a.ServerID, b.ServerID), cmp.Compare(a.Index, b.Index))
		},
		head:  func(r *model.ServerAction) uint64 { return head64(r.ServerID) },
		ident: func(a *model.ServerAction) (string, string) { return a.RequestID, string(a.ProjectID) }})
	t.permits = newTable(schema[model.Permit]{name: "permits",
		key:     func(a, b *model.Permit) int { return cmp.Compare(a.ServerID, b.ServerID) },
		ident:   func(p *model.Permit) (string, string) { return "", "" },
		indexes: []index[model.Permit]{{group: func(r *model.Permit) (string, string) { return string(r.HostID), "" }}}})
	t.tombstones = newTable(schema[model.Tombstone]{name: "tombstones",
		key:   func(a, b *model.Tombstone) int { return cmp.Compare(a.Server.ID, b.Server.ID) },
		head:  func(r *model.Tombstone) uint64 { return head64(r.Server.ID) },
		ident: func(s *model.Tombstone) (string, string) { return string(s.Server.ID), string(s.Server.ProjectID) },
		indexes: []index[model.Tombstone]{
			{has: func(s *model.Tombstone) bool { return !s.Confirmed }, group: func(r *model.Tombstone) (string, string) { return string(r.Server.HostID), "" }},
			{group: func(r *model.Tombstone) (string, string) { return string(r.Server.ProjectID), "" }},
			{has: func(s *model.Tombstone) bool { return s.Confirmed },
				cmp: func(a, b *model.Tombstone) int { return cmp.Compare(a.DeletedAt, b.DeletedAt) }},
		}})
	t.hosts = newTable(schema[model.Host]{name: "hosts",
		key:     func(a, b *model.Host) int { return cmp.Compare(a.ID, b.ID) },
		ident:   func(h *model.Host) (string, string) { return string(h.ID), "" },
		indexes: []index[model.Host]{{cmp: func(a, b *model.Host) int { return cmp.Compare(a.Name, b.Name) }}}})
}

// all lists every table in the order of the snapshot.
func (t *tables) all() []anyTable {
	return []anyTable{
		t.cluster, t.authority, t.controlNodes, t.joinTokens, t.certificates, t.domains, t.projects, t.users, t.roles, t.grants, t.tokenKeys, t.revocations,
		t.flavors, t.keyPairs, t.images, t.quotas, t.usages, t.networks, t.subnets, t.ports, t.fixed,
		t.routers, t.hosts, t.servers, t.actions, t.permits, t.tombstones, t.results,
	}
}
