package command

import "github.com/kvorum/kvorum/internal/model"

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
