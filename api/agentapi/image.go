package agentapi

import (
	"io"
	"net/http"
	"strconv"

	"github.com/kvorum/kvorum/internal/errs"
)

func (d *Door) image(w http.ResponseWriter, r *http.Request) {
	sum := r.PathValue("sha256")
	v, err := d.Cluster.Read(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	known := false
	for range v.ImagesWithBytes(sum) {
		known = true
		break
	}
	if !known {
		d.fail(w, r, errs.Errorf("agentapi.image", errs.NotFound, "There is no image with these bytes."))
		return
	}
	body, size, err := d.Images.Open(sum)
	if errs.Is(err, errs.NotFound) {
		err = errs.E("agentapi.image", errs.Unavailable, "The image's bytes are not on this node yet.", err)
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	defer body.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if _, err := io.Copy(w, body); err != nil {
		d.Log.Debug("an agent went away", "path", r.URL.Path, "error", err)
	}
}
