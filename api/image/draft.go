package image

import (
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// reservedPrefix begins the properties that only the service itself has.
const reservedPrefix = "os_glance_"

// reserved are names that no client may use for a property.
var reserved = []string{"locations", "direct_url", "deleted", "deleted_at"}

// checkSettable refuses an attribute that a client may not set: errs.Forbidden.
func checkSettable(name string) error {
	a, known := attributeNamed(name)
	if known && a.readOnly {
		return errs.Errorf("image.attribute", errs.Forbidden, "Attribute '%s' is read-only.", name)
	}
	for _, r := range reserved {
		if name == r || strings.HasPrefix(name, reservedPrefix) {
			return errs.Errorf("image.attribute", errs.Forbidden, "Attribute '%.64s' is reserved.", name)
		}
	}
	return nil
}

// draft is an image's settable attributes and its properties, by name, as JSON
// gave them.
type draft map[string]any

func (d draft) str(name string, to *string) error {
	v, there := d[name]
	if !there {
		return nil
	}
	if v == nil {
		if a, _ := attributeNamed(name); a.nullable {
			return nil
		}
	}
	s, ok := v.(string)
	if !ok {
		return invalid("Provided object does not match schema 'image': '%s' must be a string", name)
	}
	*to = s
	return nil
}

func (d draft) num(name string, to *int) error {
	v, there := d[name]
	if !there {
		return nil
	}
	n, ok := v.(float64)
	if !ok || n < 0 || n != float64(int32(n)) {
		return invalid("Provided object does not match schema 'image': '%s' must be an integer of at least 0", name)
	}
	*to = int(n)
	return nil
}

func (d draft) flag(name string, to *bool) error {
	v, there := d[name]
	if !there {
		return nil
	}
	b, ok := v.(bool)
	if !ok {
		return invalid("Provided object does not match schema 'image': '%s' must be true or false", name)
	}
	*to = b
	return nil
}

// image reads a draft into a record; every name that is no attribute is a
// property.
func (d draft) image() (*model.Image, error) {
	i := &model.Image{Properties: map[string]string{}}
	for _, err := range []error{
		d.str("name", &i.Name), d.str("visibility", &i.Visibility), d.str("disk_format", &i.DiskFormat), d.str("container_format", &i.ContainerFormat),
		d.num("min_disk", &i.MinDisk), d.num("min_ram", &i.MinRAM), d.flag("protected", &i.Protected), d.flag("os_hidden", &i.Hidden), d.tags(&i.Tags),
	} {
		if err != nil {
			return nil, err
		}
	}
	for name, v := range d {
		if _, known := attributeNamed(name); known {
			continue
		}
		s, ok := v.(string)
		if !ok {
			return nil, invalid("Provided object does not match schema 'image': the property '%.64s' must be a string", name)
		}
		i.Properties[name] = s
	}
	return i, nil
}

func (d draft) tags(to *[]string) error {
	v, there := d["tags"]
	if !there {
		return nil
	}
	items, ok := v.([]any)
	if !ok {
		return invalid("Provided object does not match schema 'image': 'tags' must be a list")
	}
	for _, item := range items {
		tag, ok := item.(string)
		if !ok {
			return invalid("Provided object does not match schema 'image': a tag must be a string")
		}
		*to = append(*to, tag)
	}
	return nil
}
