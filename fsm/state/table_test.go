package state

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

type item struct {
	ID    int    `json:"id,omitzero"`
	Group string `json:"group,omitzero"`
}

// itemTables are tables of the same rows with different places for them; what
// they offer is the same.
var itemTables = map[string]func() *table[item]{
	"plain": func() *table[item] { return itemTable(nil, index[item]{}) },
	"by digests": func() *table[item] {
		return itemTable(func(i *item) uint64 { return uint64(i.ID/4)<<32 | uint64(i.ID/2) }, index[item]{group: itemGroup})
	},
	"by age": func() *table[item] {
		return itemTable(nil, index[item]{group: itemGroup, since: func(i *item) uint64 { return uint64(i.ID / 3) }})
	},
}

func itemGroup(i *item) (string, string) { return i.Group, "" }

func itemTable(head func(*item) uint64, by index[item]) *table[item] {
	by.has = func(i *item) bool { return i.Group != "" }
	by.cmp = func(a, b *item) int { return cmp.Compare(a.Group, b.Group) }
	return newTable(schema[item]{name: "items",
		key:     func(a, b *item) int { return cmp.Compare(a.ID, b.ID) },
		head:    head,
		ident:   func(i *item) (string, string) { return "x", "" },
		indexes: []index[item]{by}})
}

// alike are two groups with the same digest.
var alike = sync.OnceValue(func() []string {
	seen := map[uint32]string{}
	for i := 0; ; i++ {
		s := "group-" + strconv.Itoa(i)
		if other, ok := seen[hash32(s, "")]; ok {
			return []string{other, s}
		}
		seen[hash32(s, "")] = s
	}
})

func groups() []string { return append([]string{"", "a", "b"}, alike()...) }

// same compares a table with a plain map, by everything that it offers.
func same(t *rapid.T, tb *table[item], want map[int]string) {
	byGroup := map[string][]int{}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if want[id] != "" {
			byGroup[want[id]] = append(byGroup[want[id]], id)
		}
		if got := tb.get(item{ID: id}); got == nil || got.Group != want[id] {
			t.Fatalf("item %d is %v, want group %q", id, got, want[id])
		}
	}
	var all []int
	for row := range tb.all() {
		all = append(all, row.ID)
	}
	if tb.len() != len(want) || !slices.Equal(all, slices.Sorted(maps.Keys(want))) {
		t.Fatalf("%d rows %v, want %v", tb.len(), all, want)
	}
	for _, g := range groups()[1:] {
		var got []int
		for row := range tb.where(0, &item{Group: g}) {
			got = append(got, row.ID)
		}
		if !slices.Equal(got, byGroup[g]) {
			t.Fatalf("group %s: %v, want %v", g, got, byGroup[g])
		}
		if first := tb.first(0, item{Group: g}); (first == nil) != (len(got) == 0) || first != nil && first.ID != got[0] {
			t.Fatalf("group %s begins with %v, want %v", g, first, got)
		}
	}
}

// sameSum checks the sum that is kept against one made anew.
func sameSum(t *rapid.T, tb *table[item], want map[int]string) {
	var sum Sum
	for id, g := range want {
		sum = sum.plus(sumOf("items", &item{id, g}))
	}
	if tb.total != sum {
		t.Fatalf("the sum is %v, want %v", tb.total, sum)
	}
}

func TestTableBehavesLikeAMap(t *testing.T) {
	for name, fresh := range itemTables {
		t.Run(name, func(t *testing.T) { rapid.Check(t, func(t *rapid.T) { likeAMap(t, fresh()) }) })
	}
}

func likeAMap(t *rapid.T, tb *table[item]) {
	kept, now := map[int]string{}, map[int]string{}
	snap, snapped := tb.snap(), map[int]string{}
	for range rapid.IntRange(1, 60).Draw(t, "steps") {
		id := rapid.IntRange(1, 40).Draw(t, "id")
		switch rapid.IntRange(0, 9).Draw(t, "step") {
		case 0, 1, 2, 3, 4:
			g := rapid.SampledFrom(groups()).Draw(t, "group")
			row := &item{id, g}
			tb.put(row)
			if rapid.Bool().Draw(t, "twice") {
				tb.put(row)
			}
			now[id] = g
		case 5, 6:
			if was := tb.delete(&item{ID: id}); (was != nil) != (func() bool { _, ok := now[id]; return ok })() {
				t.Fatalf("delete of %d gave %v", id, was)
			}
			delete(now, id)
		case 7:
			tb.commit()
			kept = maps.Clone(now)
			sameSum(t, tb, kept)
		case 8:
			tb.rollback()
			now = maps.Clone(kept)
			sameSum(t, tb, kept)
		case 9:
			snap, snapped = tb.snap(), maps.Clone(now)
		}
		same(t, tb, now)
		same(t, snap, snapped)
	}
}

func TestHeadsSortLikeTheirKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if x, y := head64(a), head64(b); x != y && (x < y) != (a < b) {
			t.Errorf("%q has head %x, %q has %x", a, x, b, y)
		}
	})
	if a, b := addressHead("net", "10.0.0.9"), addressHead("net", "10.0.0.10"); a >= b || a>>32 != b>>32 || a>>32 != addressHead("net", "")>>32 {
		t.Errorf("addresses: %x, %x", a, b)
	}
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
