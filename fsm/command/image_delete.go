package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

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

// Apply implements Command.
func (c *ImageDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "image.delete"
	i, err := findImage(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	if i.Protected {
		return nil, refuse(op, errs.Forbidden, "Image %s is protected and cannot be deleted.", i.ID)
	}
	if s := builtFrom(tx, i.ID); s != nil {
		return nil, refuse(op, errs.Conflict, "Image %s could not be deleted because it is in use: server %s is being built from it.", i.ID, s.ID)
	}
	tx.DeleteImage(i.ID)
	return []string{string(i.ID)}, nil
}

// builtFrom gives a server that is being built and needs the image for it; nil
// if there is none.
func builtFrom(tx *state.Tx, id model.ImageID) *model.Server {
	for i := range tx.Images() {
		if i.ID != id && i.Properties["kernel_id"] != string(id) && i.Properties["ramdisk_id"] != string(id) {
			continue
		}
		for s := range tx.ServersFrom(i.ID) {
			if s.VMState == model.Building {
				return s
			}
		}
	}
	return nil
}

func exampleImageDelete() *ImageDelete {
	return &ImageDelete{ID: "00000000-0000-4000-8000-0000000000d1"}
}

func workImageDelete(g Gen) (Command, By, bool) {
	i, by, ok := someImage(g)
	if !ok {
		return nil, by, false
	}
	return &ImageDelete{ID: i.ID}, by, true
}
