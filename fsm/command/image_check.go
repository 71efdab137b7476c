package command

import (
	"maps"
	"slices"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// The bounds of an image's record.
const (
	maxImageTags       = 128
	maxImageProperties = 128
	maxImageProperty   = 65535
	maxImageMinimum    = 1<<31 - 1
)

var (
	visibilities     = []string{"public", "private", "shared", "community"}
	diskFormats      = []string{"", "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"}
	containerFormats = []string{"", "ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"}
)

// findImage gives an image that the actor may change. One that it merely sees
// is errs.Forbidden; any other does not exist for it.
func findImage(tx *state.Tx, by By, id model.ImageID) (*model.Image, error) {
	const op = "image.find"
	i := tx.Image(id)
	if i == nil || !imageVisible(by, i, by.ProjectID) {
		return nil, refuse(op, errs.NotFound, "No image found with ID %s", id)
	}
	if !mayUse(by, i.ProjectID) {
		return nil, refuse(op, errs.Forbidden, "You are not permitted to modify image %s.", id)
	}
	return i, nil
}

// checkImage checks the values of an image's record.
func checkImage(i *model.Image) error {
	const op = "image.check"
	if err := invalid(op, model.CheckText("name", i.Name, model.MaxName)); err != nil {
		return err
	}
	if !slices.Contains(visibilities, i.Visibility) {
		return refuse(op, errs.Invalid, "Invalid visibility value: %s", i.Visibility)
	}
	if !slices.Contains(diskFormats, i.DiskFormat) {
		return refuse(op, errs.Invalid, "Invalid disk format: %s", i.DiskFormat)
	}
	if !slices.Contains(containerFormats, i.ContainerFormat) {
		return refuse(op, errs.Invalid, "Invalid container format: %s", i.ContainerFormat)
	}
	if i.MinDisk < 0 || i.MinRAM < 0 || i.MinDisk > maxImageMinimum || i.MinRAM > maxImageMinimum {
		return refuse(op, errs.Invalid, "min_disk and min_ram are from 0 to %d", maxImageMinimum)
	}
	return checkImageTexts(i)
}

func checkImageTexts(i *model.Image) error {
	const op = "image.check"
	if len(i.Tags) > maxImageTags {
		return refuse(op, errs.TooLarge, "The limit has been exceeded on the number of allowed image tags. Attempted: %d, Maximum: %d", len(i.Tags), maxImageTags)
	}
	for _, tag := range i.Tags {
		if err := invalid(op, model.CheckName("tag", tag)); err != nil {
			return err
		}
	}
	if len(i.Properties) > maxImageProperties {
		return refuse(op, errs.TooLarge, "The limit has been exceeded on the number of allowed image properties. Attempted: %d, Maximum: %d", len(i.Properties), maxImageProperties)
	}
	for _, k := range slices.Sorted(maps.Keys(i.Properties)) {
		if err := invalid(op, model.CheckName("property's name", k)); err != nil {
			return err
		}
		if err := invalid(op, model.CheckText("property "+k, i.Properties[k], maxImageProperty)); err != nil {
			return err
		}
	}
	return nil
}

// mayPublish refuses a new public image to all but administrators.
func mayPublish(by By) error {
	if by.Admin || by.System != "" {
		return nil
	}
	return refuse("image.publish", errs.Forbidden, "You are not authorized to complete publicize_image action.")
}

// tagSet gives tags in order, each once.
func tagSet(tags []string) []string { return slices.Compact(slices.Sorted(slices.Values(tags))) }

// someImage picks an image and one who may change it, for workloads.
func someImage(g Gen) (*model.Image, By, bool) {
	i, ok := pick(g, g.View().Images())
	if !ok {
		return nil, By{}, false
	}
	by, ok := anybody(g)
	by.Admin = by.ProjectID != i.ProjectID && g.Intn(4) > 0
	return i, by, ok
}
