package state

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvorum/kvorum/internal/model"
)

// sameResults compares the table with a plain map from id to time.
func sameResults(t *rapid.T, tb *results, want map[string]int64) {
	ids := slices.SortedFunc(maps.Keys(want), func(a, b string) int {
		return int(want[a]-want[b])*100 + bytes.Compare([]byte(a), []byte(b))
	})
	var order []string
	for r := range tb.ordered() {
		order = append(order, r.ID)
	}
	if !slices.Equal(order, ids) || tb.count() != len(ids) {
		t.Fatalf("%d rows in the order %v, want %v", tb.count(), order, ids)
	}
	var sum Sum
	for id, until := range want {
		sum = sum.plus(sumOf("results", &model.Result{ID: id, Until: until}))
	}
	if tb.sum() != sum {
		t.Fatalf("the sum is %v, want %v", tb.sum(), sum)
	}
}

func TestResultsBehaveLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tb, kept, now := newResults(), map[string]int64{}, map[string]int64{}
		snap, snapped := tb.snap(), map[string]int64{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			id := strconv.Itoa(rapid.IntRange(1, 20).Draw(t, "id"))
			switch rapid.IntRange(0, 8).Draw(t, "step") {
			case 0, 1, 2, 3:
				now[id] = int64(rapid.IntRange(1, 9).Draw(t, "until"))
				tb.put(&model.Result{ID: id, Until: now[id]})
			case 4, 5:
				tb.delete(id)
				delete(now, id)
			case 6:
				tb.commit()
				kept = maps.Clone(now)
			case 7:
				tb.rollback()
				now = maps.Clone(kept)
			case 8:
				snap, snapped = tb.snap(), maps.Clone(now)
			}
			if r := tb.get(id); (r == nil) != (now[id] == 0) || r != nil && r.Until != now[id] {
				t.Fatalf("result %s is %+v, want until %d", id, r, now[id])
			}
			sameResults(t, tb, now)
			sameResults(t, snap, snapped)
		}
	})
}
