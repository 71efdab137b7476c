package state

import (
	"cmp"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type item struct {
	ID    int    `json:"id,omitzero"`
	Group string `json:"group,omitzero"`
}

func itemTable() *table[item] {
	return newTable(schema[item]{name: "items",
		key:   func(a, b *item) int { return cmp.Compare(a.ID, b.ID) },
		ident: func(i *item) (string, string) { return "x", "" },
		indexes: []index[item]{{has: func(i *item) bool { return i.Group != "" },
			cmp: func(a, b *item) int { return cmp.Compare(a.Group, b.Group) }}}})
}

// same compares a table with a plain map, by everything that it offers.
func same(t *rapid.T, tb *table[item], want map[int]string) {
	var sum Sum
	groups := map[string][]int{}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		sum = sum.plus(sumOf("items", &item{id, want[id]}))
		if want[id] != "" {
			groups[want[id]] = append(groups[want[id]], id)
		}
		if got := tb.get(&item{ID: id}); got == nil || got.Group != want[id] {
			t.Fatalf("item %d is %v, want group %q", id, got, want[id])
		}
	}
	if tb.len() != len(want) || tb.total != sum {
		t.Fatalf("%d rows with sum %v, want %d with %v", tb.len(), tb.total, len(want), sum)
	}
	for _, g := range []string{"a", "b", "c"} {
		var got []int
		for row := range tb.where(0, &item{Group: g}) {
			got = append(got, row.ID)
		}
		if !slices.Equal(got, groups[g]) {
			t.Fatalf("group %s: %v, want %v", g, got, groups[g])
		}
	}
}

func TestTableBehavesLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tb, kept, now := itemTable(), map[int]string{}, map[int]string{}
		snap, snapped := tb.snap(), map[int]string{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			id := rapid.IntRange(1, 12).Draw(t, "id")
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2, 3, 4:
				g := rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "group")
				tb.put(&item{id, g})
				now[id] = g
			case 5, 6:
				if was := tb.delete(&item{ID: id}); (was != nil) != (func() bool { _, ok := now[id]; return ok })() {
					t.Fatalf("delete of %d gave %v", id, was)
				}
				delete(now, id)
			case 7:
				tb.commit()
				kept = maps.Clone(now)
			case 8:
				tb.rollback()
				now = maps.Clone(kept)
			case 9:
				snap, snapped = tb.snap(), maps.Clone(now)
			}
			same(t, tb, now)
			same(t, snap, snapped)
		}
	})
}

func TestFeedIsGapFreeAndSaysWhenItIsNot(t *testing.T) {
	f := newFeed(4)
	for i := uint64(1); i <= 3; i++ {
		f.add(Change{Index: i, Kind: "k", ID: "x"})
	}
	if list, upto, err := f.Since(0, 10); err != nil || len(list) != 0 || upto != 0 {
		t.Errorf("before publication: %v %d %v", list, upto, err)
	}
	wake := f.Wait()
	f.publish(3)
	select {
	case <-wake:
	default:
		t.Error("nobody was woken")
	}
	if list, upto, err := f.Since(1, 10); err != nil || len(list) != 2 || upto != 3 {
		t.Errorf("after 1: %v %d %v", list, upto, err)
	}
	for i := uint64(4); i <= 6; i++ {
		f.add(Change{Index: i, Kind: "k", ID: "x"})
	}
	f.publish(6)
	if _, _, err := f.Since(1, 10); err == nil {
		t.Error("a gap went unnoticed")
	}
	list, _, err := f.Since(2, 10)
	if err != nil || len(list) != 4 || list[0].Index != 3 {
		t.Errorf("after 2: %v %v", list, err)
	}
	f.add(Change{Index: 7, Seq: 0}) // two of one index
	f.add(Change{Index: 7, Seq: 1})
	f.publish(7)
	if list, upto, err := f.Since(6, 1); err != nil || len(list) != 2 || upto != 7 {
		t.Errorf("an index was cut: %v %d %v", list, upto, err)
	}
}
