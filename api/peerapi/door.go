package peerapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxTime bounds every call; one whose asker gave up ends at once, because its
// connection does.
const maxTime = time.Minute

// Node is this control node as the door asks it.
type Node interface {
	Status() Status
	// Confirm finds a read point if this node leads, else it is Unavailable.
	Confirm(ctx context.Context) (Point, error)
	// Offer puts an encoded command in the log if this node leads. No error:
	// it is in the log, and the Result says what came of it. Unknown: it may
	// be. Any other kind: it surely is not.
	Offer(ctx context.Context, data []byte) (Result, error)
}

// Door answers other control nodes; all fields must be set.
type Door struct {
	Node Node
	// MaxCommand bounds an encoded command, in bytes.
	MaxCommand int64
	// AnswerPoll answers the leader's question about the hosts' leases, which is
	// JSON of at most MaxPoll bytes; what it gives is sent as JSON.
	AnswerPoll func(question []byte) (any, error)
	MaxPoll    int64
	Log        *slog.Logger
}

// Handler serves the door below /peer/v1/.
func (d *Door) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /peer/v1/status", func(w http.ResponseWriter, _ *http.Request) { d.send(w, d.Node.Status()) })
	mux.HandleFunc("POST /peer/v1/confirm", timed(d.confirm))
	mux.HandleFunc("POST /peer/v1/offer", timed(d.offer))
	mux.HandleFunc("POST /peer/v1/leases", d.poll)
	return mux
}

func timed(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), maxTime)
		defer cancel()
		f(w, r.WithContext(ctx))
	}
}

func (d *Door) confirm(w http.ResponseWriter, r *http.Request) {
	p, err := d.Node.Confirm(r.Context())
	if err != nil {
		d.fail(w, err)
		return
	}
	d.send(w, p)
}

func (d *Door) offer(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.MaxCommand))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		d.fail(w, errs.Errorf("peerapi.offer", errs.TooLarge, "The request is too large for one entry of the log."))
		return
	}
	if err != nil {
		d.fail(w, errs.E("peerapi.offer", errs.Unavailable, "The command did not come whole.", err))
		return
	}
	res, err := d.Node.Offer(r.Context(), data)
	if err != nil {
		d.fail(w, err)
		return
	}
	a := answer{Index: res.Index, IDs: res.IDs}
	if res.Err != nil {
		a.Error = faultOf(res.Err)
	}
	d.send(w, a)
}

func (d *Door) poll(w http.ResponseWriter, r *http.Request) {
	question, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.MaxPoll))
	if err != nil {
		d.fail(w, errs.E("peerapi.poll", errs.Invalid, "The question did not come whole, or is too large.", err))
		return
	}
	a, err := d.AnswerPoll(question)
	if err != nil {
		d.fail(w, err)
		return
	}
	d.send(w, a)
}

func (d *Door) send(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		d.Log.Debug("a control node went away", "error", err)
	}
}

// fail answers that nothing is in the log, or that it is not known.
func (d *Door) fail(w http.ResponseWriter, err error) {
	d.Log.Debug("a control node's question failed", "error", err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(errs.KindOf(err).HTTPStatus())
	if err := json.NewEncoder(w).Encode(answer{Error: faultOf(err)}); err != nil {
		d.Log.Debug("a control node went away", "error", err)
	}
}
