package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// ImageCreate makes an image's record; its bytes come later, by image.upload.
//
// Rules: the project is the actor's and there; the id is new; texts, formats,
// numbers, tags and properties are well-formed; only administrators make
// public images.
type ImageCreate struct {
	ID        model.ImageID   `json:"id"`
	ProjectID model.ProjectID `json:"project_id"`
	Name      string          `json:"name,omitempty"`
	// Visibility is public, private, shared or community.
	Visibility string `json:"visibility"`
	Protected  bool   `json:"protected,omitempty"`
	Hidden     bool   `json:"hidden,omitempty"`
	// The formats may be empty until the bytes come.
	DiskFormat      string `json:"disk_format,omitempty"`
	ContainerFormat string `json:"container_format,omitempty"`
	// MinDisk is in GiB, MinRAM in MiB.
	MinDisk    int               `json:"min_disk,omitempty"`
	MinRAM     int               `json:"min_ram,omitempty"`
	Tags       []string          `json:"tags,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

// Kind implements Command.
func (*ImageCreate) Kind() string { return "image.create/1" }

// Apply implements Command.
func (c *ImageCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "image.create"
	if err := ownProject(tx, m.By, c.ProjectID); err != nil {
		return nil, err
	}
	if !model.IsUUID(string(c.ID)) || tx.Image(c.ID) != nil {
		return nil, refuse(op, errs.Conflict, "Image ID %s already exists or is not a UUID!", c.ID)
	}
	i := &model.Image{ID: c.ID, ProjectID: c.ProjectID, Name: c.Name, Status: model.ImageQueued, Visibility: c.Visibility,
		Protected: c.Protected, Hidden: c.Hidden, DiskFormat: c.DiskFormat, ContainerFormat: c.ContainerFormat,
		MinDisk: c.MinDisk, MinRAM: c.MinRAM, Tags: tagSet(c.Tags), Properties: c.Properties, CreatedAt: m.At, UpdatedAt: m.At}
	if err := checkImage(i); err != nil {
		return nil, err
	}
	if i.Visibility == "public" {
		if err := mayPublish(m.By); err != nil {
			return nil, err
		}
	}
	i.Num = tx.Next(lastImage)
	tx.PutImage(i)
	return []string{string(c.ID)}, nil
}

func exampleImageCreate() *ImageCreate {
	return &ImageCreate{ID: "00000000-0000-4000-8000-0000000000d1", ProjectID: "000000000000000000000000000000a1", Name: "small",
		Visibility: "public", DiskFormat: "qcow2", ContainerFormat: "bare", MinDisk: 1, MinRAM: 64,
		Tags: []string{"test"}, Properties: map[string]string{"architecture": "x86_64"}}
}

func workImageCreate(g Gen) (Command, By, bool) {
	by, ok := anybody(g)
	by.Admin = g.Intn(2) == 0
	c := &ImageCreate{ID: model.ImageID(g.UUID()), ProjectID: by.ProjectID, Name: fmt.Sprintf("i-%d", g.Intn(100)),
		Visibility: visibilities[g.Intn(len(visibilities))], DiskFormat: "qcow2", ContainerFormat: "bare", Protected: g.Intn(8) == 0}
	if k, have := pick(g, g.View().Images()); have && g.Intn(4) == 0 {
		c.Properties = map[string]string{"kernel_id": string(k.ID)}
	}
	return c, by, ok
}
