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
	// ident gives the row's id, as users know it, and its project, for the feed.
	ident func(*T) (id, project string)
	// of (optional) gives what the row belongs to where its id does not name
	// it alone, for the feed.
	of func(*T) string
	// indexes are further orders; ties are broken by the key.
	indexes []index[T]
}

// index is one further order over the rows for which has is true (nil: all).
type index[T any] struct {
	has func(*T) bool
	cmp func(a, b *T) int
}

// entry is a row with its share of the table's hash.
type entry[T any] struct {
	row *T
	sum Sum
}

// change remembers what a key held before, to undo a refused command.
type change[T any] struct {
	now *T // nil: the row was deleted
	was *T // nil: there was none
	sum Sum
}

// table keeps rows of one kind in copy-on-write trees: a snapshot costs one
// root per tree, whatever the number of rows.
type table[T any] struct {
	*schema[T]
	rows *btree.BTreeG[entry[T]]
	by   []*btree.BTreeG[*T]
	// total is the order-free sum over all rows.
	total Sum
	undo  []change[T]
	// dirty says that the published copy is out of date.
	dirty bool
}

func newTable[T any](s schema[T]) *table[T] {
	opts := btree.Options{NoLocks: true}
	t := &table[T]{schema: &s, dirty: true}
	t.rows = btree.NewBTreeGOptions(func(a, b entry[T]) bool { return s.key(a.row, b.row) < 0 }, opts)
	for _, x := range s.indexes {
		t.by = append(t.by, btree.NewBTreeGOptions(func(a, b *T) bool {
			return cmp.Or(x.cmp(a, b), s.key(a, b)) < 0
		}, opts))
	}
	return t
}

// get finds the row with pivot's key; nil if there is none.
func (t *table[T]) get(pivot *T) *T {
	e, _ := t.rows.Get(entry[T]{row: pivot})
	return e.row
}

// len is the number of rows.
func (t *table[T]) len() int { return t.rows.Len() }

// all gives every row in key order.
func (t *table[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		t.rows.Scan(func(e entry[T]) bool { return yield(e.row) })
	}
}

// from gives the rows whose key is pivot's or greater, in key order, for as
// long as same(row) holds: a prefix of the key.
func (t *table[T]) from(pivot *T, same func(*T) bool) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		t.rows.Ascend(entry[T]{row: pivot}, func(e entry[T]) bool { return same(e.row) && yield(e.row) })
	}
}

// where gives the rows that compare equal to pivot in index i, in key order.
// pivot's key must be the least there is: leave it empty.
func (t *table[T]) where(i int, pivot *T) iter.Seq[*T] {
	x := t.indexes[i]
	return func(yield func(*T) bool) {
		t.by[i].Ascend(pivot, func(row *T) bool { return x.cmp(row, pivot) == 0 && yield(row) })
	}
}

// first is the first row that where would give; nil if there is none.
func (t *table[T]) first(i int, pivot *T) *T {
	for row := range t.where(i, pivot) {
		return row
	}
	return nil
}

// ordered gives all rows of index i in its order.
func (t *table[T]) ordered(i int) iter.Seq[*T] {
	return func(yield func(*T) bool) { t.by[i].Scan(yield) }
}

// backwards gives all rows of index i from its end to its beginning.
func (t *table[T]) backwards(i int) iter.Seq[*T] {
	return func(yield func(*T) bool) { t.by[i].Reverse(yield) }
}

// put stores row, in place of the one with its key. It returns that one.
func (t *table[T]) put(row *T) (was *T) {
	e := entry[T]{row: row, sum: sumOf(t.name, row)}
	old, replaced := t.rows.Set(e)
	if replaced {
		was = old.row
		t.total = t.total.minus(old.sum)
	}
	t.total = t.total.plus(e.sum)
	t.reindex(was, row)
	t.undo = append(t.undo, change[T]{now: row, was: was, sum: old.sum})
	t.dirty = true
	return was
}

// delete removes the row with pivot's key and returns it; nil if there was
// none.
func (t *table[T]) delete(pivot *T) *T {
	old, ok := t.rows.Delete(entry[T]{row: pivot})
	if !ok {
		return nil
	}
	t.total = t.total.minus(old.sum)
	t.reindex(old.row, nil)
	t.undo = append(t.undo, change[T]{was: old.row, sum: old.sum})
	t.dirty = true
	return old.row
}

// reindex moves a row from its old places in the indexes to its new ones.
func (t *table[T]) reindex(was, now *T) {
	for i, x := range t.indexes {
		in := func(row *T) bool { return row != nil && (x.has == nil || x.has(row)) }
		if in(was) && !(in(now) && x.cmp(was, now) == 0) {
			t.by[i].Delete(was)
		}
		if in(now) {
			t.by[i].Set(now)
		}
	}
}

// commit forgets how to undo.
func (t *table[T]) commit() { clear(t.undo); t.undo = t.undo[:0] }

// rollback undoes every change since the last commit, the latest first.
func (t *table[T]) rollback() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		c := t.undo[i]
		if c.now != nil {
			e, _ := t.rows.Delete(entry[T]{row: c.now})
			t.total = t.total.minus(e.sum)
		}
		if c.was != nil {
			t.rows.Set(entry[T]{row: c.was, sum: c.sum})
			t.total = t.total.plus(c.sum)
		}
		t.reindex(c.now, c.was)
	}
	t.commit()
}

// snap gives a copy that will never change.
func (t *table[T]) snap() *table[T] {
	s := &table[T]{schema: t.schema, rows: t.rows.Copy(), total: t.total}
	for _, x := range t.by {
		s.by = append(s.by, x.Copy())
	}
	return s
}
