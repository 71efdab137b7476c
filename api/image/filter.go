package image

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/model"
)

// filter tells whether an image is wanted in a list.
type filter func(i *model.Image) bool

// texts are the attributes that a list is filtered by as they are.
var texts = map[string]func(i *model.Image) string{
	"id":               func(i *model.Image) string { return string(i.ID) },
	"name":             func(i *model.Image) string { return i.Name },
	"status":           func(i *model.Image) string { return i.Status },
	"owner":            func(i *model.Image) string { return string(i.ProjectID) },
	"disk_format":      func(i *model.Image) string { return i.DiskFormat },
	"container_format": func(i *model.Image) string { return i.ContainerFormat },
	"checksum":         func(i *model.Image) string { return i.MD5 },
	"os_hash_value":    func(i *model.Image) string { return i.SHA512 },
	"size":             func(i *model.Image) string { return strconv.FormatInt(i.Size, 10) },
	"min_ram":          func(i *model.Image) string { return strconv.Itoa(i.MinRAM) },
	"min_disk":         func(i *model.Image) string { return strconv.Itoa(i.MinDisk) },
}

// many are those of texts that take a list, as in id=in:a,b.
var many = []string{"id", "name", "status", "disk_format", "container_format"}

// parseFilters reads what a list's query asks for. A name that is no attribute
// is a property. Hidden images are wanted only by who asks for them.
func parseFilters(q url.Values) (filter, error) {
	var all []filter
	for name, values := range q {
		f, err := parseFilter(name, values)
		if err != nil {
			return nil, err
		}
		if f != nil {
			all = append(all, f)
		}
	}
	if !q.Has("os_hidden") {
		all = append(all, func(i *model.Image) bool { return !i.Hidden })
	}
	return func(i *model.Image) bool {
		return !slices.ContainsFunc(all, func(f filter) bool { return !f(i) })
	}, nil
}

func parseFilter(name string, values []string) (filter, error) {
	value := values[len(values)-1]
	switch name {
	case "limit", "marker", "sort", "sort_key", "sort_dir":
		return nil, nil
	case "member_status":
		if !slices.Contains([]string{"accepted", "pending", "rejected", "all"}, value) {
			return nil, invalid("Invalid status: %.64s", value)
		}
		return nil, nil
	case "visibility":
		return parseVisibility(value)
	case "tag":
		return func(i *model.Image) bool {
			return !slices.ContainsFunc(values, func(t string) bool { return !slices.Contains(i.Tags, t) })
		}, nil
	case "protected", "os_hidden":
		return parseFlag(name, value)
	case "size_min", "size_max":
		return parseSize(name, value)
	case "created_at", "updated_at":
		return parseTime(name, value)
	}
	text := texts[name]
	if text == nil {
		return func(i *model.Image) bool { have, ok := i.Properties[name]; return ok && have == value }, nil
	}
	items, listed := strings.CutPrefix(value, "in:")
	if !listed || !slices.Contains(many, name) {
		return func(i *model.Image) bool { return text(i) == value }, nil
	}
	wanted, ok := splitQuoted(items)
	if !ok {
		return nil, invalid("Invalid filter value %.64s. The quote is not closed.", items)
	}
	return func(i *model.Image) bool { return slices.Contains(wanted, text(i)) }, nil
}

func parseVisibility(value string) (filter, error) {
	if value == "all" {
		return nil, nil
	}
	if !slices.Contains([]string{"public", "private", "shared", "community"}, value) {
		return nil, invalid("Invalid visibility value: %.64s", value)
	}
	return func(i *model.Image) bool { return i.Visibility == value }, nil
}

func parseFlag(name, value string) (filter, error) {
	want := strings.EqualFold(value, "true")
	if !want && !strings.EqualFold(value, "false") {
		return nil, invalid("Invalid value '%.64s' for '%s' filter. Valid values are case sensitive 'true' and 'false'.", value, name)
	}
	if name == "protected" {
		return func(i *model.Image) bool { return i.Protected == want }, nil
	}
	return func(i *model.Image) bool { return i.Hidden == want }, nil
}

// parseSize reads a bound of the size, in bytes.
func parseSize(name, value string) (filter, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return nil, invalid("The filter %s must be a whole number of at least 0, not %.64s.", name, value)
	}
	if name == "size_min" {
		return func(i *model.Image) bool { return i.Size >= n }, nil
	}
	return func(i *model.Image) bool { return i.Size <= n }, nil
}

// parseTime reads a comparison with a time, such as gte:2026-01-31T00:00:00Z.
// Times are compared as they are shown: in whole seconds.
func parseTime(name, value string) (filter, error) {
	op, text := "eq", value
	for _, known := range []string{"gte", "gt", "lte", "lt", "neq", "eq"} {
		if rest, ok := strings.CutPrefix(value, known+":"); ok {
			op, text = known, rest
			break
		}
	}
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if when, err = time.Parse("2006-01-02T15:04:05", text); err != nil {
			return nil, invalid("'%.64s' is not a time for the filter %s.", text, name)
		}
	}
	return func(i *model.Image) bool {
		have := i.CreatedAt
		if name == "updated_at" {
			have = i.UpdatedAt
		}
		n := time.Unix(0, have).Truncate(time.Second).Compare(when)
		return map[string]bool{"gte": n >= 0, "gt": n > 0, "lte": n <= 0, "lt": n < 0, "neq": n != 0, "eq": n == 0}[op]
	}, nil
}

// splitQuoted splits at commas that are not between double quotes, which it
// takes away; false if a quote is not closed.
func splitQuoted(s string) ([]string, bool) {
	var out []string
	var word strings.Builder
	quoted := false
	for _, r := range s {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			out = append(out, word.String())
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return append(out, word.String()), !quoted
}
