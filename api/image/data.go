package image

import (
	"encoding/hex"
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// upload stores an image's bytes, looks at them, and only then makes the image
// active. Bytes that are refused are removed; the image stays queued.
func (d *Door) upload(c *rest.Call) (rest.Answer, error) {
	const op = "image.upload"
	i, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if c.Request.Header.Get("Content-Type") != "application/octet-stream" {
		return rest.Answer{}, errs.Errorf(op, errs.Unsupported, "Use the media type application/octet-stream.")
	}
	if i.Status != model.ImageQueued {
		return rest.Answer{}, errs.Errorf(op, errs.Conflict, "Image status transition from %s to saving is not allowed", i.Status)
	}
	if i.DiskFormat == "" || i.ContainerFormat == "" {
		return rest.Answer{}, invalid("Properties disk_format, container_format must be set prior to saving data.")
	}
	blob, err := d.Store.Put(c.Context(), c.Request.Body, d.MaxBytes)
	if err != nil {
		return rest.Answer{}, err
	}
	info, err := d.look(i.DiskFormat, blob.SHA256)
	if err == nil {
		_, err = c.Do(&command.ImageUpload{ID: i.ID, SHA256: blob.SHA256, SHA512: blob.SHA512, MD5: blob.MD5, Size: blob.Size, VirtualSize: info.VirtualSize})
	}
	if err != nil && !errs.Is(err, errs.Unknown) {
		if derr := d.drop(c, blob.SHA256); derr != nil {
			return rest.Answer{}, derr
		}
	}
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

// look inspects stored bytes before anything else may.
func (d *Door) look(format, sha256 string) (imagestore.Info, error) {
	f, size, err := d.Store.Open(sha256)
	if err != nil {
		return imagestore.Info{}, err
	}
	defer f.Close()
	return imagestore.Check(format, f, size)
}

func (d *Door) download(c *rest.Call) (rest.Answer, error) {
	i, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if i.SHA256 == "" {
		return rest.Empty(http.StatusNoContent), nil
	}
	f, size, err := d.Store.Open(i.SHA256)
	if err != nil {
		return rest.Answer{}, err
	}
	a := rest.Answer{Status: http.StatusOK, Stream: f, Type: "application/octet-stream", Length: size}
	if _, err := hex.DecodeString(i.MD5); err == nil {
		a = a.With("Content-MD5", i.MD5)
	}
	return a, nil
}
