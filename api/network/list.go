package network

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kvorum/kvorum/api/rest"
)

func at(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format("2006-01-02T15:04:05Z") }

// list answers a collection: filtered by every attribute that the query names
// and the caller sees, sorted, cut into pages and into fields. Without a limit
// it is cut only at rest.MaxLimit, with a link to the rest.
func list(c *rest.Call, s *shape, all []object) (rest.Answer, error) {
	q := c.Request.URL.Query()
	tags := rest.TagFilter(q)
	all = slices.DeleteFunc(all, func(o object) bool {
		own, has := o["tags"].([]string)
		return !matches(o, q) || tags != nil && has && !tags(own)
	})
	if err := order(s, all, q); err != nil {
		return rest.Answer{}, err
	}
	limit, err := c.Limit(0, rest.MaxLimit)
	if err != nil {
		return rest.Answer{}, err
	}
	reverse := isTrue(q.Get("page_reverse"))
	page, ok := window(all, q.Get("marker"), cmp.Or(limit, rest.MaxLimit), reverse)
	if !ok {
		return rest.Answer{}, invalid("The marker %.64s is not in this list", q.Get("marker"))
	}
	out := object{}
	if limit > 0 || len(page) < len(all) {
		if links := pageLinks(c, s, page, cmp.Or(limit, rest.MaxLimit), reverse); len(links) > 0 {
			out[s.many+"_links"] = links
		}
	}
	items := []object{}
	for _, o := range page {
		items = append(items, cut(o, q["fields"]))
	}
	out[s.many] = items
	return rest.JSON(http.StatusOK, out), nil
}

// window cuts a list to at most limit elements behind a marker, or before it;
// false if the marker is not in the list.
func window(all []object, marker string, limit int, reverse bool) ([]object, bool) {
	place := -1
	if marker != "" {
		if place = slices.IndexFunc(all, func(o object) bool { return text(o["id"]) == marker }); place < 0 {
			return nil, false
		}
	}
	if reverse {
		end := place
		if marker == "" {
			end = len(all)
		}
		return all[max(0, end-limit):end], true
	}
	return all[place+1 : min(len(all), place+1+limit)], true
}

// pageLinks are the ways to the neighbouring pages. As in Neutron, a page that
// is not full has nothing behind it, in the direction that is read.
func pageLinks(c *rest.Call, s *shape, page []object, limit int, reverse bool) []object {
	if len(page) == 0 {
		return nil
	}
	href := func(marker object, back bool) string {
		q := c.Request.URL.Query()
		q.Set("marker", text(marker["id"]))
		q.Del("page_reverse")
		if back {
			q.Set("page_reverse", "True")
		}
		return c.Endpoint + "/v2.0/" + s.many + "?" + q.Encode()
	}
	var links []object
	if reverse || len(page) == limit {
		links = append(links, object{"rel": "next", "href": href(page[len(page)-1], false)})
	}
	if !reverse || len(page) == limit {
		links = append(links, object{"rel": "previous", "href": href(page[0], true)})
	}
	return links
}

// order sorts a list by the attributes that the query names, each ascending
// unless it says otherwise; what is equal stays in the order of ids.
func order(s *shape, all []object, q url.Values) error {
	keys, dirs := q["sort_key"], q["sort_dir"]
	if len(dirs) > 0 && len(dirs) != len(keys) {
		return invalid("The number of sort_keys and sort_dirs must be same")
	}
	for _, k := range keys {
		if _, known := s.attrs[k]; !known {
			return invalid("['%.64s'] is invalid attribute for sort_keys", k)
		}
	}
	for _, d := range dirs {
		if d != "asc" && d != "desc" {
			return invalid("%.64s is invalid value for sort_dirs, valid value is 'asc' and 'desc'", d)
		}
	}
	slices.SortStableFunc(all, func(a, b object) int {
		for i, k := range keys {
			n := compare(a[k], b[k])
			if len(dirs) > 0 && dirs[i] == "desc" {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	return nil
}

func compare(a, b any) int {
	if x, ok := a.(int); ok {
		if y, ok := b.(int); ok {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(text(a), text(b))
}

// cut keeps the fields that are named; all of them if none is.
func cut(o object, fields []string) object {
	if len(fields) == 0 {
		return o
	}
	out := object{}
	for _, f := range fields {
		if v, ok := o[f]; ok {
			out[f] = v
		}
	}
	return out
}

// matches tells whether a resource passes the filters: every attribute that is
// named must have one of the values given for it. Names of what is not an
// attribute, or not visible to the caller, filter nothing.
func matches(o object, q url.Values) bool {
	for name, values := range q {
		have, visible := o[name]
		if !visible || rest.IsTagFilter(name) {
			continue
		}
		ok := false
		switch x := have.(type) {
		case bool:
			ok = slices.ContainsFunc(values, func(v string) bool { return isTrue(v) == x })
		case []object:
			ok = matchesList(x, values)
		default:
			ok = slices.Contains(values, text(have))
		}
		if !ok {
			return false
		}
	}
	return true
}

// matchesList looks for key=value in a list of objects, as in
// fixed_ips=ip_address=10.0.0.3: of each key, one of the values must be there.
func matchesList(have []object, values []string) bool {
	want := map[string][]string{}
	for _, v := range values {
		key, value, _ := strings.Cut(v, "=")
		want[key] = append(want[key], value)
	}
	for key, values := range want {
		if !slices.ContainsFunc(have, func(o object) bool { return slices.Contains(values, text(o[key])) }) {
			return false
		}
	}
	return true
}

func isTrue(s string) bool {
	return slices.Contains([]string{"true", "1", "yes", "on"}, strings.ToLower(s))
}
