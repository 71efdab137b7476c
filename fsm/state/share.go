package state

import "slices"

// anyTable is what every table can do, whatever its rows.
type anyTable interface {
	label() string
	count() int
	sum() Sum
	commit()
	rollback()
	// changes reports what the open transaction did, for the feed.
	changes(emit func(Change))
	// dump gives each row's canonical encoding, in key order.
	dump(yield func([]byte) error) error
	// load stores one row from its encoding; unknown fields are an error.
	load([]byte) error
}

func (t *table[T]) label() string { return t.name }
func (t *table[T]) count() int    { return t.len() }
func (t *table[T]) sum() Sum      { return t.total }

func (t *table[T]) changes(emit func(Change)) {
	for _, c := range t.undo {
		out, row := Change{Op: OpPut, Kind: t.name}, c.now
		if row == nil {
			out.Op, row = OpDelete, c.was
		}
		if out.ID, out.Project = t.ident(row); out.ID == "" {
			continue
		}
		if t.of != nil {
			out.Of = t.of(row)
		}
		emit(out)
	}
}

// total is the order-free sum over all tables.
func (t *tables) total() Sum {
	var sum Sum
	for _, x := range t.list {
		sum = sum.plus(x.sum())
	}
	return sum
}

// share gives a set of tables that will never change: those that did not
// change since prev are prev's own. Remembered results are not among them:
// nobody but the writer asks for one, and they change with every entry.
func (t *tables) share(prev *tables) *tables {
	if prev == nil {
		prev = &tables{}
	}
	c := &tables{
		memberTables: t.memberTables.share(prev.memberTables),
		cluster:      shared(t.cluster, prev.cluster), domains: shared(t.domains, prev.domains),
		projects: shared(t.projects, prev.projects), users: shared(t.users, prev.users),
		roles: shared(t.roles, prev.roles), grants: shared(t.grants, prev.grants),
		tokenKeys: shared(t.tokenKeys, prev.tokenKeys), revocations: shared(t.revocations, prev.revocations),
		flavors: shared(t.flavors, prev.flavors), keyPairs: shared(t.keyPairs, prev.keyPairs),
		images: shared(t.images, prev.images), quotas: shared(t.quotas, prev.quotas),
		usages: shared(t.usages, prev.usages), networks: shared(t.networks, prev.networks),
		subnets: shared(t.subnets, prev.subnets), ports: shared(t.ports, prev.ports),
		fixed: shared(t.fixed, prev.fixed), routers: shared(t.routers, prev.routers),
		hosts: shared(t.hosts, prev.hosts), servers: shared(t.servers, prev.servers),
		actions: shared(t.actions, prev.actions), permits: shared(t.permits, prev.permits),
		tombstones: shared(t.tombstones, prev.tombstones),
	}
	c.list = slices.DeleteFunc(c.all(), func(x anyTable) bool { return x == anyTable(c.results) })
	return c
}

func shared[T any](live, prev tableOf[T]) tableOf[T] {
	t := live.(*table[T])
	if !t.dirty && prev != nil {
		return prev
	}
	t.dirty = false
	return t.snap()
}
