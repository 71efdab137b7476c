package compute

import (
	"strconv"
	"time"

	"github.com/kvorum/kvorum/api/rest"
)

type object = map[string]any

// collection is the URL of a collection, with the project only if the request
// had it. version is "/v2.1", or nothing in bookmarks.
func collection(c *rest.Call, version, name string) string {
	project := ""
	if p := c.Param("project_id"); p != "" {
		project = "/" + p
	}
	return c.Endpoint + version + project + "/" + name
}

// links are a resource's self and bookmark links.
func links(c *rest.Call, name, id string) []object {
	return []object{{"rel": "self", "href": collection(c, "/v2.1", name) + "/" + id}, bookmark(c, name, id)}
}

func bookmark(c *rest.Call, name, id string) object {
	return object{"rel": "bookmark", "href": collection(c, "", name) + "/" + id}
}

// next is the link to a list's next page: the same request after a marker.
func next(c *rest.Call, name, marker string) []object {
	q := c.Request.URL.Query()
	q.Set("marker", marker)
	return []object{{"rel": "next", "href": collection(c, "/v2.1", name) + "?" + q.Encode()}}
}

// whole is a time to the second, as servers show it; micro one with
// microseconds and without a zone, as most others do. micro of 0 is null.
func whole(at int64) string { return time.Unix(0, at).UTC().Format("2006-01-02T15:04:05Z") }

func micro(at int64) any {
	if at == 0 {
		return nil
	}
	return time.Unix(0, at).UTC().Format("2006-01-02T15:04:05.000000")
}

// orNull is null for an empty text.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// either is a word for yes and another for no.
func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// filled is a map that is never null.
func filled(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// shorten keeps a text that a user sent short enough to be repeated to it.
func shorten(s string) string {
	if r := []rune(s); len(r) > 64 {
		return string(r[:64]) + "... (" + strconv.Itoa(len(r)) + " characters)"
	}
	return s
}
