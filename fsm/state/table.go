package state

import (
	"cmp"
	"iter"

	"github.com/tidwall/btree"
)

// schema declares a table once. Everything else follows from it.
type schema[T any] struct {
	// name is the table's in snapshots and in the hash: never change it.
	name string
	// key orders rows by their primary key.
	key func(a, b *T) int
	// head (optional) is a digest of the key that sorts before the key itself
	// does: most comparisons then need not look at the rows, which are anywhere
	// in memory. Its upper half must be that of every key with the same first
	// part.
	head func(*T) uint64
	// ident gives the row's id, as users know it, and its project, for the feed.
	ident func(*T) (id, project string)
	// of (optional) gives what the row belongs to where its id does not name
	// it alone, for the feed.
	of func(*T) string
	// indexes are further orders; ties are broken by the key.
	indexes []index[T]
}

// index is one further order over the rows for which has is true (nil: all).
// It has either cmp or group.
type index[T any] struct {
	has func(*T) bool
	// cmp orders the rows.
	cmp func(a, b *T) int
	// head (optional, with cmp) is a digest of what cmp compares that sorts as
	// cmp does.
	head func(*T) uint64
	// group is what rows that belong together have in common. The index keeps
	// them together, but its groups are in no order that means something.
	group func(*T) (a, b string)
	// since (optional, with group) orders the rows of a group by when they came,
	// rather than by key: new rows then lie beside each other, and a batch of
	// them changes few nodes of the tree.
	since func(*T) uint64
}

// byGroup compares what two rows' groups have in common.
func byGroup[T any](group func(*T) (a, b string)) func(x, y *T) int {
	return func(x, y *T) int {
		xa, xb := group(x)
		ya, yb := group(y)
		if c := cmp.Compare(xa, ya); c != 0 {
			return c
		}
		return cmp.Compare(xb, yb)
	}
}

// place is a row in a tree, with what decides most comparisons.
type place[T any] struct {
	head uint64
	row  *T
}

// change remembers what a key held before, to undo a refused command.
type change[T any] struct {
	now *T // nil: the row was deleted
	was *T // nil: there was none
}

// table keeps rows of one kind in copy-on-write trees: a snapshot costs one
// root per tree, whatever the number of rows.
type table[T any] struct {
	*schema[T]
	rows *btree.BTreeG[place[T]]
	by   []*btree.BTreeG[place[T]]
	// total is the order-free sum over all rows that are committed.
	total Sum
	undo  []change[T]
	// dirty says that the published copy is out of date.
	dirty bool
	// pivot is the writer's row for lookups, which need one to compare with. A
	// copy has none, because many read it at once.
	pivot *T
}

// degree of the trees: a write copies one node of up to twice as many rows in
// each tree, for each published view.
const degree = 16

func newTable[T any](s schema[T]) *table[T] {
	t := &table[T]{schema: &s, dirty: true, pivot: new(T)}
	t.rows = newTree(s.key)
	for i := range s.indexes {
		x := &s.indexes[i]
		if x.group != nil {
			x.cmp = byGroup(x.group)
		}
		t.by = append(t.by, newTree(func(a, b *T) int {
			if c := x.cmp(a, b); c != 0 {
				return c
			}
			return s.key(a, b)
		}))
	}
	return t
}

func newTree[T any](order func(a, b *T) int) *btree.BTreeG[place[T]] {
	return btree.NewBTreeGOptions(func(a, b place[T]) bool {
		if a.head != b.head {
			return a.head < b.head
		}
		return order(a.row, b.row) < 0
	}, btree.Options{NoLocks: true, Degree: degree})
}

// place gives a row its place among all rows.
func (t *table[T]) place(row *T) place[T] {
	if t.head == nil {
		return place[T]{row: row}
	}
	return place[T]{t.head(row), row}
}

// placeBy gives a row its place in index i.
func (t *table[T]) placeBy(i int, row *T) place[T] {
	x := &t.indexes[i]
	var head uint64
	switch {
	case x.head != nil:
		head = x.head(row)
	case x.group != nil:
		a, b := x.group(row)
		low := x.bits()
		head = uint64(hash32(a, b)) >> (low - 32) << low
		if x.since != nil {
			head |= x.since(row) & (1<<low - 1)
		} else if t.head != nil {
			head |= t.head(row) >> 32
		}
	}
	return place[T]{head, row}
}

// bits is how many of a head's lower bits order the rows of one group. Of a
// time in milliseconds 40 are needed; the 24 that are left tell most groups
// apart.
func (x *index[T]) bits() int {
	if x.since != nil {
		return 40
	}
	return 32
}

// get finds the row with pivot's key; nil if there is none. It takes pivot as a
// value, which so need not be allocated.
func (t *table[T]) get(pivot T) *T {
	found, _ := t.rows.Get(t.place(t.compared(pivot)))
	return found.row
}

// compared gives pivot as a row to compare with, until the next lookup.
func (t *table[T]) compared(pivot T) *T {
	p := t.pivot
	if p == nil {
		p = new(T)
	}
	*p = pivot
	return p
}

// len is the number of rows.
func (t *table[T]) len() int { return t.rows.Len() }

// all gives every row in key order.
func (t *table[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		t.rows.Scan(func(e place[T]) bool { return yield(e.row) })
	}
}

// from gives the rows whose key is pivot's or greater, in key order, for as
// long as same(row) holds: the first part of the key.
func (t *table[T]) from(pivot *T, same func(*T) bool) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		start := t.place(pivot)
		t.rows.Ascend(start, func(e place[T]) bool {
			if same(e.row) {
				return yield(e.row)
			}
			return t.head != nil && e.head>>32 == start.head>>32 // another one with the same digest
		})
	}
}

// where gives the rows that compare equal to pivot in index i, in the order of
// their keys or of their coming. All else in pivot must be the least there is:
// leave it empty.
func (t *table[T]) where(i int, pivot *T) iter.Seq[*T] {
	return func(yield func(*T) bool) { t.scan(i, pivot, yield) }
}

func (t *table[T]) scan(i int, pivot *T, yield func(*T) bool) {
	x := &t.indexes[i]
	start := t.placeBy(i, pivot)
	t.by[i].Ascend(start, func(e place[T]) bool {
		if x.cmp(e.row, pivot) == 0 {
			return yield(e.row)
		}
		return x.group != nil && e.head>>x.bits() == start.head>>x.bits() // another group with the same digest
	})
}

// first is the first row that where would give; nil if there is none.
func (t *table[T]) first(i int, pivot T) (found *T) {
	t.scan(i, t.compared(pivot), func(row *T) bool { found = row; return false })
	return found
}

// ordered gives all rows of index i, which has no groups, in its order.
func (t *table[T]) ordered(i int) iter.Seq[*T] {
	return func(yield func(*T) bool) { t.by[i].Scan(func(e place[T]) bool { return yield(e.row) }) }
}

// backwards gives all rows of index i from its end to its beginning.
func (t *table[T]) backwards(i int) iter.Seq[*T] {
	return func(yield func(*T) bool) { t.by[i].Reverse(func(e place[T]) bool { return yield(e.row) }) }
}

// put stores row, in place of the one with its key. It returns that one.
func (t *table[T]) put(row *T) (was *T) {
	old, _ := t.rows.Set(t.place(row))
	t.reindex(old.row, row)
	t.undo = append(t.undo, change[T]{now: row, was: old.row})
	t.dirty = true
	return old.row
}

// delete removes the row with pivot's key and returns it; nil if there was
// none.
func (t *table[T]) delete(pivot *T) *T {
	old, ok := t.rows.Delete(t.place(pivot))
	if !ok {
		return nil
	}
	t.reindex(old.row, nil)
	t.undo = append(t.undo, change[T]{was: old.row})
	t.dirty = true
	return old.row
}

// reindex moves a row from its old places in the indexes to its new ones.
func (t *table[T]) reindex(was, now *T) {
	for i := range t.indexes {
		x := &t.indexes[i]
		in := func(row *T) bool { return row != nil && (x.has == nil || x.has(row)) }
		if in(was) && !(in(now) && x.cmp(was, now) == 0) {
			t.by[i].Delete(t.placeBy(i, was))
		}
		if in(now) {
			t.by[i].Set(t.placeBy(i, now))
		}
	}
}

// commit adds what changed to the sum and forgets how to undo it.
func (t *table[T]) commit() {
	if len(t.undo) == 1 {
		t.account(t.undo[0].was, t.undo[0].now)
	} else if len(t.undo) > 1 {
		t.accountAll()
	}
	clear(t.undo)
	t.undo = t.undo[:0]
}

// accountAll leaves out the rows that came and went within the transaction,
// such as a counter that was taken from many times.
func (t *table[T]) accountAll() {
	net := make(map[*T]int, len(t.undo))
	for _, c := range t.undo {
		net[c.now]++
		net[c.was]--
	}
	for _, c := range t.undo {
		if net[c.was] < 0 {
			t.account(c.was, nil)
			net[c.was] = 0
		}
		if net[c.now] > 0 {
			t.account(nil, c.now)
			net[c.now] = 0
		}
	}
}

func (t *table[T]) account(gone, come *T) {
	if gone != nil {
		t.total = t.total.minus(sumOf(t.name, gone))
	}
	if come != nil {
		t.total = t.total.plus(sumOf(t.name, come))
	}
}

// rollback undoes every change since the last commit, the latest first.
func (t *table[T]) rollback() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		c := t.undo[i]
		if c.was != nil {
			t.rows.Set(t.place(c.was))
		} else {
			t.rows.Delete(t.place(c.now))
		}
		t.reindex(c.now, c.was)
	}
	clear(t.undo)
	t.undo = t.undo[:0]
}

// snap gives a copy that will never change.
func (t *table[T]) snap() *table[T] {
	s := &table[T]{schema: t.schema, rows: t.rows.Copy(), total: t.total}
	for _, x := range t.by {
		s.by = append(s.by, x.Copy())
	}
	return s
}
