package rest

import (
	"net/url"
	"slices"
	"strings"
)

// tagFilters are the queries by tags that Compute and Network have: each tells
// by how many of the tags that it names a thing has.
var tagFilters = []struct {
	name string
	keep func(has, of int) bool
}{
	{"tags", func(has, of int) bool { return has == of }},
	{"tags-any", func(has, _ int) bool { return has > 0 }},
	{"not-tags", func(has, of int) bool { return has < of }},
	{"not-tags-any", func(has, _ int) bool { return has == 0 }},
}

// TagFilter reads the queries tags, tags-any, not-tags and not-tags-any, whose
// values are lists with commas; nil if there is none of them.
func TagFilter(q url.Values) func(tags []string) bool {
	var all []func(tags []string) bool
	for _, f := range tagFilters {
		for _, value := range q[f.name] {
			if value == "" {
				continue
			}
			named := strings.Split(value, ",")
			all = append(all, func(tags []string) bool {
				has := 0
				for _, t := range named {
					if slices.Contains(tags, t) {
						has++
					}
				}
				return f.keep(has, len(named))
			})
		}
	}
	if all == nil {
		return nil
	}
	return func(tags []string) bool {
		return !slices.ContainsFunc(all, func(f func([]string) bool) bool { return !f(tags) })
	}
}

// IsTagFilter tells whether a query's name is one that TagFilter reads.
func IsTagFilter(name string) bool {
	for _, f := range tagFilters {
		if f.name == name {
			return true
		}
	}
	return false
}
