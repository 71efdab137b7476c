package command

import "github.com/kvorum/kvorum/internal/model"

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
