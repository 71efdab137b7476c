package command

import "github.com/kvorum/kvorum/internal/model"

// ImageDelete removes an image's record. Its bytes go once no record names
// them.
//
// Rules: the image is the actor's and not protected; no server is being built
// from it, be it as its root image or as that one's kernel or ramdisk. Servers
// that were built live on: their disks do not need the record.
type ImageDelete struct {
	ID model.ImageID `json:"id"`
}

// Kind implements Command.
func (*ImageDelete) Kind() string { return "image.delete/1" }
