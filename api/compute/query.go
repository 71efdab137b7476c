package compute

import (
	"maps"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
)

// badQuery is the API's sentence for a query parameter that does not fit.
func badQuery(name, value, why string) error {
	return invalid("Invalid input for query parameters %s. Value: %s. %s", name, shorten(value), why)
}

// onlyQuery refuses parameters that the API does not have; before 2.75 they
// are ignored.
func onlyQuery(c *rest.Call, known ...string) error {
	if !c.Version.AtLeast(75) {
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(c.Request.URL.Query())) {
		if !slices.Contains(known, k) {
			return invalid("Additional properties are not allowed ('%s' was unexpected)", shorten(k))
		}
	}
	return nil
}

// page cuts a list by the parameters limit and marker. more tells that there
// may be a next page.
func page[T any](c *rest.Call, all []T, id func(T) string) (part []T, more bool, err error) {
	limit, err := c.Limit(rest.MaxLimit, rest.MaxLimit)
	if err != nil {
		return nil, false, err
	}
	marker := c.Query("marker")
	part, more, found := rest.Page(all, id, marker, limit)
	if !found {
		return nil, false, invalid("marker [%s] not found", shorten(marker))
	}
	return part, more, nil
}

// direction tells of a sort_dir whether it is descending.
func direction(dir string) (desc bool, err error) {
	switch strings.ToLower(dir) {
	case "asc":
		return false, nil
	case "desc":
		return true, nil
	}
	return false, badQuery("sort_dir", dir, "It is not one of ['asc', 'desc']")
}
