package command

import (
	"fmt"
	"maps"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ImageUpdate changes an image's record: only the fields that are given. Tags
// and Properties replace the whole.
//
// Rules: the image is the actor's (one that is merely visible may not be
// changed); IfUpdatedAt, if given, is when it was last changed, so that a
// change that was computed from an older record is refused; formats change
// only before the bytes come; all values are well-formed; only administrators
// make an image public.
type ImageUpdate struct {
	ID              model.ImageID      `json:"id"`
	IfUpdatedAt     int64              `json:"if_updated_at,omitempty"`
	Name            *string            `json:"name,omitempty"`
	Visibility      *string            `json:"visibility,omitempty"`
	Protected       *bool              `json:"protected,omitempty"`
	Hidden          *bool              `json:"hidden,omitempty"`
	DiskFormat      *string            `json:"disk_format,omitempty"`
	ContainerFormat *string            `json:"container_format,omitempty"`
	MinDisk         *int               `json:"min_disk,omitempty"`
	MinRAM          *int               `json:"min_ram,omitempty"`
	Tags            *[]string          `json:"tags,omitempty"`
	Properties      *map[string]string `json:"properties,omitempty"`
}

// Kind implements Command.
func (*ImageUpdate) Kind() string { return "image.update/1" }

// Apply implements Command.
func (c *ImageUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "image.update"
	old, err := findImage(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	if c.IfUpdatedAt != 0 && c.IfUpdatedAt != old.UpdatedAt {
		return nil, refuse(op, errs.Conflict, "Image %s was changed meanwhile: read it again and repeat the change.", c.ID)
	}
	i := old.Clone()
	c.change(i)
	i.UpdatedAt = m.At
	if err := checkImage(i); err != nil {
		return nil, err
	}
	if old.Status != model.ImageQueued && (i.DiskFormat != old.DiskFormat || i.ContainerFormat != old.ContainerFormat) {
		return nil, refuse(op, errs.Forbidden, "Attribute disk_format and container_format can be only replaced for a queued image.")
	}
	if i.Visibility == "public" && old.Visibility != "public" {
		if err := mayPublish(m.By); err != nil {
			return nil, err
		}
	}
	tx.PutImage(i)
	return []string{string(i.ID)}, nil
}

func (c *ImageUpdate) change(i *model.Image) {
	set(&i.Name, c.Name)
	set(&i.Visibility, c.Visibility)
	set(&i.Protected, c.Protected)
	set(&i.Hidden, c.Hidden)
	set(&i.DiskFormat, c.DiskFormat)
	set(&i.ContainerFormat, c.ContainerFormat)
	set(&i.MinDisk, c.MinDisk)
	set(&i.MinRAM, c.MinRAM)
	if c.Tags != nil {
		i.Tags = tagSet(*c.Tags)
	}
	if c.Properties != nil {
		i.Properties = maps.Clone(*c.Properties)
	}
}

func exampleImageUpdate() *ImageUpdate {
	name, ram := "smaller", 32
	return &ImageUpdate{ID: "00000000-0000-4000-8000-0000000000d1", Name: &name, MinRAM: &ram,
		Tags: &[]string{"test", "tiny"}, Properties: &map[string]string{"os_distro": "none"}}
}

func workImageUpdate(g Gen) (Command, By, bool) {
	i, by, ok := someImage(g)
	if !ok {
		return nil, by, false
	}
	name, protected := fmt.Sprintf("i-%d", g.Intn(100)), g.Intn(8) == 0
	c := &ImageUpdate{ID: i.ID, Name: &name, Protected: &protected, Tags: &[]string{name, "tag"}}
	if g.Intn(2) == 0 {
		c.IfUpdatedAt = i.UpdatedAt
	}
	if g.Intn(4) == 0 {
		c.Visibility = &visibilities[g.Intn(len(visibilities))]
	}
	return c, by, true
}
