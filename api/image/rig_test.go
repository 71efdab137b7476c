package image

import (
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/api/rest/resttest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/imagestore"
)

// rig is a world without images, with this front door and a store of its own.
type rig struct {
	*resttest.World
	t     testing.TB
	store *imagestore.Store
	// propose, if set, looks at each command first and may answer in the log's
	// place.
	propose func(command.Envelope) error
}

const (
	admin    = resttest.Admin
	member   = resttest.Member
	reader   = resttest.Reader
	stranger = resttest.Stranger
)

func newRig(t testing.TB) *rig {
	t.Helper()
	store, err := imagestore.Open(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{World: resttest.New(t), t: t, store: store}
	r.Shell.Cluster = r
	r.Front(Dialect("/image"), (&Door{Store: store, MaxBytes: 1 << 20}).Routes())
	r.Must(r.By(admin), &command.ImageDelete{ID: resttest.Image})
	// Goldens show times: these must not depend on what the world is made of.
	r.Clock.Advance(time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC).Sub(r.Clock.Now()))
	return r
}

// Propose implements rest.Cluster.
func (r *rig) Propose(ctx context.Context, e command.Envelope) (rest.Done, error) {
	if r.propose != nil {
		if err := r.propose(e); err != nil {
			return rest.Done{}, err
		}
	}
	return r.World.Propose(ctx, e)
}

// call makes a request; headers are names and values in turn.
func (r *rig) call(who, method, path string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, "http://cloud/image"+path, body)
	req.Header.Set("X-Auth-Token", who)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.Router.ServeHTTP(w, req)
	return w
}

func (r *rig) do(who, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	return r.call(who, method, path, strings.NewReader(body), headers...)
}

// want makes a request that must be answered with a status.
func (r *rig) want(status int, who, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	w := r.do(who, method, path, body, headers...)
	if w.Code != status {
		r.t.Fatalf("%s %s %s: %d %s, want %d", who, method, path, w.Code, w.Body, status)
	}
	return w
}

// image makes an image and gives its path, such as /v2/images/ID.
func (r *rig) image(who, body string) string {
	r.t.Helper()
	return decode[struct{ Self string }](r.t, r.want(201, who, "POST", "/v2/images", body)).Self
}

// active makes an image of 600 raw bytes.
func (r *rig) active(who, extra string) string {
	r.t.Helper()
	path := r.image(who, `{"disk_format":"raw","container_format":"bare"`+extra+`}`)
	r.want(204, who, "PUT", path+"/file", rawBytes, "Content-Type", octets)
	return path
}

var rawBytes = strings.Repeat("kvorum", 100)

func decode[T any](t testing.TB, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

// blobs counts the files in the image store.
func (r *rig) blobs() int {
	r.t.Helper()
	all, err := r.store.List()
	if err != nil {
		r.t.Fatal(err)
	}
	return len(all)
}
