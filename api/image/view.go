package image

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

func at(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format("2006-01-02T15:04:05Z") }

func orNull[T comparable](v T) any {
	var zero T
	if v == zero {
		return nil
	}
	return v
}

// render is an image as clients see it: flat, with its own properties.
func render(i *model.Image) object {
	out := object{}
	for k, v := range i.Properties {
		out[k] = v
	}
	tags := i.Tags
	if tags == nil {
		tags = []string{}
	}
	path := "/v2/images/" + string(i.ID)
	base := object{
		"id": i.ID, "name": orNull(i.Name), "status": i.Status, "visibility": i.Visibility, "protected": i.Protected, "os_hidden": i.Hidden,
		"checksum": orNull(i.MD5), "os_hash_algo": orNull(map[bool]string{true: "sha512"}[i.SHA512 != ""]), "os_hash_value": orNull(i.SHA512),
		"owner": i.ProjectID, "size": orNull(i.Size), "virtual_size": orNull(i.VirtualSize), "container_format": orNull(i.ContainerFormat),
		"disk_format": orNull(i.DiskFormat), "min_ram": i.MinRAM, "min_disk": i.MinDisk, "tags": tags, "created_at": at(i.CreatedAt),
		"updated_at": at(i.UpdatedAt), "self": path, "file": path + "/file", "schema": "/v2/schemas/image",
	}
	for k, v := range base {
		out[k] = v
	}
	return out
}

func (d *Door) show(c *rest.Call) (rest.Answer, error) {
	i, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, render(i)), nil
}

// wanted tells whether an image passes a list's filters.
func wanted(i *model.Image, q url.Values) bool {
	shown := render(i)
	for name, values := range q {
		switch name {
		case "limit", "marker", "sort", "sort_key", "sort_dir", "member_status":
			continue
		case "visibility":
			if values[0] == "all" {
				continue
			}
		case "tag":
			for _, t := range values {
				if !slices.Contains(i.Tags, t) {
					return false
				}
			}
			continue
		case "os_hidden", "protected":
			want := strings.EqualFold(values[0], "true")
			if want != map[string]bool{"os_hidden": i.Hidden, "protected": i.Protected}[name] {
				return false
			}
			continue
		}
		list, many := strings.CutPrefix(values[0], "in:")
		ok := text(shown[name]) == values[0]
		if many {
			ok = slices.Contains(strings.Split(strings.ReplaceAll(list, `"`, ""), ","), text(shown[name]))
		}
		if !ok {
			return false
		}
	}
	return !i.Hidden || q.Has("os_hidden")
}

func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case model.ImageID:
		return string(x)
	case model.ProjectID:
		return string(x)
	}
	return ""
}

func (d *Door) list(c *rest.Call) (rest.Answer, error) {
	limit, err := c.Limit(25, rest.MaxLimit)
	if err != nil {
		return rest.Answer{}, err
	}
	q := c.Request.URL.Query()
	var all []*model.Image
	for i := range c.View.Images() {
		community := i.Visibility == "community" && i.ProjectID != c.Caller.ProjectID() && q.Get("visibility") != "community"
		if visible(c, i) && !community && wanted(i, q) {
			all = append(all, i)
		}
	}
	if err := order(all, q); err != nil {
		return rest.Answer{}, err
	}
	page, more, found := rest.Page(all, func(i *model.Image) string { return string(i.ID) }, q.Get("marker"), limit)
	if !found {
		return rest.Answer{}, invalid("Marker %s is not an image of this list.", q.Get("marker"))
	}
	out := []object{}
	for _, i := range page {
		out = append(out, render(i))
	}
	body := object{"images": out, "schema": "/v2/schemas/images", "first": "/v2/images"}
	if more {
		q.Set("marker", string(page[len(page)-1].ID))
		body["next"] = "/v2/images?" + q.Encode()
	}
	return rest.JSON(http.StatusOK, body), nil
}

var keys = map[string]func(a, b *model.Image) int{
	"created_at":       func(a, b *model.Image) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"updated_at":       func(a, b *model.Image) int { return cmp.Compare(a.UpdatedAt, b.UpdatedAt) },
	"name":             func(a, b *model.Image) int { return cmp.Compare(a.Name, b.Name) },
	"size":             func(a, b *model.Image) int { return cmp.Compare(a.Size, b.Size) },
	"status":           func(a, b *model.Image) int { return cmp.Compare(a.Status, b.Status) },
	"id":               func(a, b *model.Image) int { return cmp.Compare(a.ID, b.ID) },
	"disk_format":      func(a, b *model.Image) int { return cmp.Compare(a.DiskFormat, b.DiskFormat) },
	"container_format": func(a, b *model.Image) int { return cmp.Compare(a.ContainerFormat, b.ContainerFormat) },
}

// order sorts a list: the newest first, unless the query says otherwise.
func order(all []*model.Image, q url.Values) error {
	names, dirs := q["sort_key"], q["sort_dir"]
	if s := q.Get("sort"); s != "" {
		names, dirs = nil, nil
		for _, part := range strings.Split(s, ",") {
			name, dir, _ := strings.Cut(part, ":")
			names, dirs = append(names, name), append(dirs, cmp.Or(dir, "desc"))
		}
	}
	if len(names) == 0 {
		names = []string{"created_at"}
	}
	for _, n := range names {
		if keys[n] == nil {
			return invalid("Invalid sort key: %s.", n)
		}
	}
	slices.SortFunc(all, func(a, b *model.Image) int {
		for i, n := range names {
			c := keys[n](a, b)
			if i >= len(dirs) || dirs[i] != "asc" {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return nil
}
