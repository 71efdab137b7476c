package image

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

const octets = "application/octet-stream"

// upload stores an image's bytes, looks at them, and only then makes the image
// active. Bytes that are refused are removed; the image stays queued.
func (d *Door) upload(c *rest.Call) (rest.Answer, error) {
	i, err := d.checkUpload(c)
	if err != nil {
		return rest.Answer{}, err
	}
	blob, err := d.Store.Put(c.Context(), body{c.Request.Body}, d.MaxBytes)
	if err != nil {
		return rest.Answer{}, err
	}
	d.keep.hold(blob.SHA256)
	if err = d.activate(c, i, blob); err == nil {
		d.keep.became(blob.SHA256, c.View.Index)
	}
	d.keep.release(blob.SHA256)
	if err != nil && !errs.Is(err, errs.Unknown) {
		if derr := d.keep.drop(d.Store, c.View, blob.SHA256); derr != nil {
			return rest.Answer{}, errs.E("image.upload", errs.Internal, "", derr)
		}
	}
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

// checkUpload refuses, before a byte is read, what will be refused anyway.
func (d *Door) checkUpload(c *rest.Call) (*model.Image, error) {
	const op = "image.upload"
	i, err := findOwn(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return nil, err
	}
	if media, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type")); err != nil || media != octets {
		return nil, errs.Errorf(op, errs.Unsupported, "Use the media type %s.", octets)
	}
	if i.Status != model.ImageQueued {
		return nil, errs.Errorf(op, errs.Conflict, "Image status transition from %s to saving is not allowed", i.Status)
	}
	if i.DiskFormat == "" || i.ContainerFormat == "" {
		return nil, invalid("Properties disk_format, container_format must be set prior to saving data.")
	}
	if _, err := imagestore.Check(i.DiskFormat, bytes.NewReader(nil), 0); errs.Is(err, errs.Unsupported) {
		return nil, errs.E(op, errs.Invalid, errs.Message(err), nil)
	}
	if d.MaxBytes > 0 && c.Request.ContentLength > d.MaxBytes {
		return nil, errs.Errorf(op, errs.TooLarge, "The image is larger than %d bytes.", d.MaxBytes)
	}
	return i, nil
}

// activate judges stored bytes and makes them the image's.
func (d *Door) activate(c *rest.Call, i *model.Image, b imagestore.Blob) error {
	f, size, err := d.Store.Open(b.SHA256)
	if errs.Is(err, errs.NotFound) {
		// Another upload of the same bytes was refused in the moment between
		// storing and holding them.
		return errs.E("image.upload", errs.Unavailable, "The image data was removed meanwhile: upload it again.", err)
	}
	if err != nil {
		return err
	}
	info, err := imagestore.Check(i.DiskFormat, f, size)
	if cerr := f.Close(); err == nil && cerr != nil {
		err = errs.E("image.upload", errs.Internal, "", cerr)
	}
	if err != nil {
		return err
	}
	if d.Spread != nil {
		if err := d.Spread(c.Context(), b.SHA256); err != nil {
			return err
		}
	}
	_, err = c.Do(&command.ImageUpload{ID: i.ID, SHA256: b.SHA256, SHA512: b.SHA512, MD5: b.MD5, Size: b.Size, VirtualSize: info.VirtualSize})
	return err
}

// body is a request's body whose failures are the client's.
type body struct{ r io.Reader }

// Read implements io.Reader.
func (b body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		err = errs.E("image.body", errs.Invalid, "The image data ended early.", err)
	}
	return n, err
}

// download gives an image's bytes, or the range of them that is asked for.
func (d *Door) download(c *rest.Call) (rest.Answer, error) {
	i, err := find(c.View, c.Caller, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	if i.SHA256 == "" {
		return rest.Empty(http.StatusNoContent), nil
	}
	f, size, err := d.Store.Open(i.SHA256)
	if errs.Is(err, errs.NotFound) && d.Fetch != nil {
		f, size, err = d.Fetch(c.Context(), imagestore.Entry{SHA256: i.SHA256, Size: i.Size})
	}
	if errs.Is(err, errs.NotFound) {
		return rest.Answer{}, errs.E("image.download", errs.Unavailable, "The image data is not on this node: another node has it.", err)
	}
	if err != nil {
		return rest.Answer{}, err
	}
	header := c.Request.Header.Get("Range")
	if c.Request.Header.Get("If-Range") != "" {
		header = ""
	}
	switch r, kind := parseRange(header, size); kind {
	case partOf:
		return r.answer(f, size), nil
	case outside:
		text := fault(http.StatusRequestedRangeNotSatisfiable, "The image has no such range.")
		a := rest.Answer{Status: http.StatusRequestedRangeNotSatisfiable, Stream: io.NopCloser(strings.NewReader(text)), Type: faultType,
			Length: int64(len(text))}
		return a.With("Content-Range", contentRange("*", size)), closed(f)
	}
	a := rest.Answer{Status: http.StatusOK, Stream: f, Type: octets, Length: size}
	return a.With("Content-MD5", i.MD5).With("Accept-Ranges", "bytes"), nil
}

func closed(f *os.File) error {
	if err := f.Close(); err != nil {
		return errs.E("image.download", errs.Internal, "", err)
	}
	return nil
}
