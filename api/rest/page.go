package rest

import (
	"strconv"

	"github.com/kvorum/kvorum/internal/errs"
)

// MaxLimit is the most that one page of a list has.
const MaxLimit = 1000

// Limit reads the "limit" parameter: at most max, def when absent. errs.Invalid
// for anything that is not a whole number from 0.
func (c *Call) Limit(def, max int) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, errs.Errorf("rest.limit", errs.Invalid, "Invalid input for query parameters limit. Value: %s. limit must be an integer of at least 0.", text)
	}
	return min(n, max), nil
}

// Page cuts a list to what follows the element with id marker, at most limit
// of them. more tells that the page is full, so that a next one may exist;
// found that the marker (if one was given) is in the list.
func Page[T any](all []T, id func(T) string, marker string, limit int) (page []T, more, found bool) {
	found = marker == ""
	start := 0
	for i := 0; i < len(all) && !found; i++ {
		if id(all[i]) == marker {
			found, start = true, i+1
		}
	}
	if !found {
		return nil, false, false
	}
	page = all[start:]
	if len(page) > limit {
		page = page[:limit]
	}
	return page, len(page) == limit && limit > 0, true
}
