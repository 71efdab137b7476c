package model

import (
	"maps"
	"slices"
)

// The states of an image that are in use.
const (
	ImageQueued = "queued"
	ImageActive = "active"
)

// Image is the record of an image; its bytes live outside the state, named by
// SHA256. Written by image.create, image.update, image.upload and
// image.delete.
type Image struct {
	ID        ImageID   `json:"id,omitzero"`
	Num       uint64    `json:"num,omitzero"`
	ProjectID ProjectID `json:"project_id,omitzero"`
	Name      string    `json:"name,omitzero"`
	Status    string    `json:"status,omitzero"`
	// Visibility is public, private, shared or community.
	Visibility      string `json:"visibility,omitzero"`
	Protected       bool   `json:"protected,omitzero"`
	Hidden          bool   `json:"hidden,omitzero"`
	DiskFormat      string `json:"disk_format,omitzero"`
	ContainerFormat string `json:"container_format,omitzero"`
	// SHA256, SHA512 and MD5 are hex; empty until the bytes are there.
	SHA256 string `json:"sha256,omitzero"`
	SHA512 string `json:"sha512,omitzero"`
	MD5    string `json:"md5,omitzero"`
	// Size and VirtualSize are in bytes.
	Size        int64 `json:"size,omitzero"`
	VirtualSize int64 `json:"virtual_size,omitzero"`
	// MinDisk is in GiB, MinRAM in MiB.
	MinDisk    int               `json:"min_disk,omitzero"`
	MinRAM     int               `json:"min_ram,omitzero"`
	Tags       []string          `json:"tags,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
	CreatedAt  int64             `json:"created_at,omitzero"`
	UpdatedAt  int64             `json:"updated_at,omitzero"`
}

// Clone gives a copy that may be changed.
func (i *Image) Clone() *Image {
	j := *i
	j.Tags, j.Properties = slices.Clone(i.Tags), maps.Clone(i.Properties)
	return &j
}

// Architecture is what the image's property says, or x86_64.
func (i *Image) Architecture() string {
	if a := i.Properties["architecture"]; a != "" {
		return a
	}
	return "x86_64"
}
