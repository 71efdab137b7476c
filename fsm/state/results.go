package state

import (
	"cmp"
	"fmt"
	"iter"

	"github.com/tidwall/btree"

	"github.com/kvorum/kvorum/internal/canon"
	"github.com/kvorum/kvorum/internal/model"
)

// results is the table of what requests were answered. Every entry of the log
// looks for one and adds one, and most of them make an old one go; but only
// the writer ever asks. So it is a map, which no view shows, beside a tree in
// the order in which the rows are to be forgotten, which a snapshot shares.
type results struct {
	byID  map[string]remembered
	order *btree.BTreeG[place[model.Result]]
	total Sum
	undo  []change[model.Result]
}

// remembered is a row with its share of the hash.
type remembered struct {
	row *model.Result
	sum Sum
}

func newResults() *results {
	return &results{byID: map[string]remembered{}, order: newTree(func(a, b *model.Result) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), cmp.Compare(a.ID, b.ID))
	})}
}

func (t *results) place(r *model.Result) place[model.Result] {
	return place[model.Result]{uint64(r.Until), r}
}

func (t *results) get(id string) *model.Result { return t.byID[id].row }

// ordered gives all rows, the first to be forgotten first.
func (t *results) ordered() iter.Seq[*model.Result] {
	return func(yield func(*model.Result) bool) {
		t.order.Scan(func(e place[model.Result]) bool { return yield(e.row) })
	}
}

func (t *results) put(r *model.Result) {
	was := t.swap(r.ID, r)
	t.undo = append(t.undo, change[model.Result]{now: r, was: was})
}

func (t *results) delete(id string) {
	if was := t.swap(id, nil); was != nil {
		t.undo = append(t.undo, change[model.Result]{was: was})
	}
}

// swap puts a row, or none, in the place of the one with its id.
func (t *results) swap(id string, now *model.Result) *model.Result {
	was := t.byID[id]
	if was.row != nil {
		t.order.Delete(t.place(was.row))
		t.total = t.total.minus(was.sum)
		delete(t.byID, id)
	}
	if now != nil {
		sum := sumOf(t.label(), now)
		t.byID[id] = remembered{now, sum}
		t.order.Set(t.place(now))
		t.total = t.total.plus(sum)
	}
	return was.row
}

func (t *results) label() string { return "results" }
func (t *results) count() int    { return t.order.Len() }
func (t *results) sum() Sum      { return t.total }

func (t *results) commit() {
	clear(t.undo)
	t.undo = t.undo[:0]
}

func (t *results) rollback() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		c := t.undo[i]
		id := c.was
		if id == nil {
			id = c.now
		}
		t.swap(id.ID, c.was)
	}
	t.commit()
}

// changes reports nothing: results are nobody's concern but their request's.
func (t *results) changes(func(Change)) {}

func (t *results) dump(yield func([]byte) error) error {
	var b []byte
	for row := range t.ordered() {
		b = canon.Append(b[:0], row)
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

func (t *results) load(b []byte) error {
	row := new(model.Result)
	if err := canon.Decode(b, row); err != nil {
		return err
	}
	if t.get(row.ID) != nil {
		return fmt.Errorf("the key stands twice")
	}
	t.put(row)
	t.commit()
	return nil
}

// snap gives a copy that can be dumped and will never change.
func (t *results) snap() *results { return &results{order: t.order.Copy(), total: t.total} }
