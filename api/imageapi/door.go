package imageapi

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"

	"github.com/kvorum/kvorum/imagestore"
	"github.com/kvorum/kvorum/internal/errs"
)

// pushesAtOnce bounds the transfers that a node takes.
const pushesAtOnce = 8

// Store is the node's image store as others see it.
type Store interface {
	Open(sha256 string) (*os.File, int64, error)
}

// Door answers other control nodes; all fields must be set.
type Door struct {
	Store Store
	// Take stores bytes that another node pushes.
	Take func(ctx context.Context, e imagestore.Entry, body io.Reader) error
	// MaxBytes bounds one image.
	MaxBytes int64
	Log      *slog.Logger
}

// Handler serves the door below /images/v1/.
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	slots := make(chan struct{}, pushesAtOnce)
	mux.HandleFunc("GET /images/v1/{sha256}", d.give)
	mux.HandleFunc("PUT /images/v1/{sha256}", func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			d.take(w, r)
		default:
			d.fail(w, errs.Errorf("imageapi.take", errs.Busy, "Too many images come at once: try again."))
		}
	})
	return mux
}

func (d *Door) give(w http.ResponseWriter, r *http.Request) {
	f, size, err := d.Store.Open(r.PathValue("sha256"))
	if err != nil {
		d.fail(w, err)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if _, err := io.Copy(w, f); err != nil {
		d.Log.Debug("a control node went away", "error", err)
	}
}

func (d *Door) take(w http.ResponseWriter, r *http.Request) {
	e := imagestore.Entry{SHA256: r.PathValue("sha256"), Size: r.ContentLength}
	if e.Size < 0 || e.Size > d.MaxBytes {
		d.fail(w, errs.Errorf("imageapi.take", errs.TooLarge, "The length of an image must be given, and be at most %d bytes.", d.MaxBytes))
		return
	}
	if err := d.Take(r.Context(), e, r.Body); err != nil {
		d.fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (d *Door) fail(w http.ResponseWriter, err error) {
	d.Log.Debug("a control node's call for image bytes failed", "error", err)
	kind := errs.KindOf(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(kind.HTTPStatus())
	if err := json.NewEncoder(w).Encode(failure{Kind: kind.String(), Message: errs.Message(err)}); err != nil {
		d.Log.Debug("a control node went away", "error", err)
	}
}

// failure is an answer that says why not.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}
