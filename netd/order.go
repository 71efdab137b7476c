package netd

import (
	"cmp"
	"maps"
	"slices"
)

// Everything here gives an order to what has none, so that equal input gives
// an equal plan.

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// sortedFunc is sortedKeys for keys with an order of their own.
func sortedFunc[K comparable, V any](m map[K]V, order func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), order)
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func sortedBy[T any](s []T, key func(T) string) []T {
	return slices.SortedStableFunc(slices.Values(s), func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}
