package image

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

// pageSize is what a page of a list has that names no limit.
const pageSize = 25

func list(c *rest.Call) (rest.Answer, error) {
	limit, err := c.Limit(pageSize, rest.MaxLimit)
	if err != nil {
		return rest.Answer{}, err
	}
	q := c.Request.URL.Query()
	want, err := parseFilters(q)
	if err != nil {
		return rest.Answer{}, err
	}
	less, err := parseOrder(q)
	if err != nil {
		return rest.Answer{}, err
	}
	var all []*model.Image
	for i := range c.View.Images() {
		if listed(c.Caller, i, q.Get("visibility")) && want(i) {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, less)
	page, more, found := rest.Page(all, func(i *model.Image) string { return string(i.ID) }, q.Get("marker"), limit)
	if !found {
		return rest.Answer{}, invalid("Marker %.64s is not an image of this list.", q.Get("marker"))
	}
	out := []object{}
	for _, i := range page {
		out = append(out, render(i))
	}
	body := object{"images": out, "schema": "/v2/schemas/images"}
	q.Del("marker")
	body["first"] = link(q)
	if more {
		q.Set("marker", string(page[len(page)-1].ID))
		body["next"] = link(q)
	}
	return rest.JSON(http.StatusOK, body), nil
}

func link(q url.Values) string {
	if len(q) == 0 {
		return "/v2/images"
	}
	return "/v2/images?" + q.Encode()
}

// listed tells whether an image belongs in a list that asks for a visibility:
// other projects' community images are shown only to those who ask.
func listed(who rest.Caller, i *model.Image, visibility string) bool {
	if i.Visibility == "community" && i.ProjectID != who.ProjectID() {
		return visibility == "community" || visibility == "all"
	}
	return visible(who, i)
}

// columns are what lists are sorted by.
var columns = map[string]func(a, b *model.Image) int{
	"created_at":       func(a, b *model.Image) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"updated_at":       func(a, b *model.Image) int { return cmp.Compare(a.UpdatedAt, b.UpdatedAt) },
	"name":             func(a, b *model.Image) int { return cmp.Compare(a.Name, b.Name) },
	"size":             func(a, b *model.Image) int { return cmp.Compare(a.Size, b.Size) },
	"status":           func(a, b *model.Image) int { return cmp.Compare(a.Status, b.Status) },
	"id":               func(a, b *model.Image) int { return cmp.Compare(a.ID, b.ID) },
	"disk_format":      func(a, b *model.Image) int { return cmp.Compare(a.DiskFormat, b.DiskFormat) },
	"container_format": func(a, b *model.Image) int { return cmp.Compare(a.ContainerFormat, b.ContainerFormat) },
}

// parseOrder reads the order of a list: the newest first, unless the query
// says otherwise, by sort=key:dir,... or by sort_key and sort_dir.
func parseOrder(q url.Values) (func(a, b *model.Image) int, error) {
	keys, dirs := slices.Clone(q["sort_key"]), slices.Clone(q["sort_dir"])
	if q.Has("sort") {
		if len(keys)+len(dirs) > 0 {
			return nil, invalid("Old and new sorting syntax cannot be combined")
		}
		for _, part := range strings.Split(q.Get("sort"), ",") {
			key, dir, _ := strings.Cut(part, ":")
			keys, dirs = append(keys, key), append(dirs, cmp.Or(dir, "desc"))
		}
	}
	if len(keys) == 0 {
		keys = []string{"created_at"}
	}
	if len(dirs) > len(keys) || len(dirs) > 1 && len(dirs) < len(keys) {
		return nil, invalid("Number of sort dirs does not match the number of sort keys")
	}
	for _, dir := range dirs {
		if dir != "asc" && dir != "desc" {
			return nil, invalid("Invalid sort direction: %.64s", dir)
		}
	}
	for _, key := range keys {
		if columns[key] == nil {
			return nil, invalid("Invalid sort key: %.64s", key)
		}
	}
	if len(dirs) == 0 {
		dirs = []string{"desc"}
	}
	for len(dirs) < len(keys) {
		dirs = append(dirs, dirs[0])
	}
	return func(a, b *model.Image) int {
		for i, key := range keys {
			n := columns[key](a, b)
			if dirs[i] == "desc" {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return cmp.Compare(b.ID, a.ID)
	}, nil
}
