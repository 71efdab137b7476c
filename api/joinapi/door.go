package joinapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/pki/joining"
	"github.com/kvorum/kvorum/internal/wire"
)

// The words that the authority's key and the gossip key are sealed with.
const (
	SealedCAKey     = "ca_key"
	SealedGossipKey = "gossip_key"
)

const (
	// atOnce bounds the joins under way.
	atOnce = 16
	// timeout ends one of them.
	timeout = 20 * time.Second
)

// Opener opens what was sealed under the cluster's data key.
type Opener interface {
	Open(what string, sealed []byte) ([]byte, error)
}

// Door is the front door; make it with all parts filled in but those that say
// so.
type Door struct {
	Cluster rest.Cluster
	Opener  Opener
	Clock   clock.Clock
	Log     *slog.Logger
	// DataKey gives the cluster's data key, for control nodes that join.
	DataKey func() ([]byte, error)
	// Life (optional) is how long a certificate is good for, from the making of
	// its token on, an hour at least; pki.DefaultLife if not given.
	Life time.Duration
}

// handler is a Door at work.
type handler struct {
	Door
	pace  *pace
	slots chan struct{}
}

// Handler serves POST joining.Path. Call it once: it keeps count of failures.
func (d *Door) Handler() http.Handler {
	h := &handler{Door: *d, pace: newPace(d.Clock), slots: make(chan struct{}, atOnce)}
	if h.Life == 0 {
		h.Life = pki.DefaultLife
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+joining.Path, h.join)
	return mux
}

func (h *handler) join(w http.ResponseWriter, r *http.Request) {
	from := wire.Origin(r.RemoteAddr)
	if !h.pace.allow(from) {
		h.fail(w, r, errs.Errorf("joinapi.pace", errs.Busy, "Too many joins have failed from here: try again in a minute."))
		return
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		h.fail(w, r, errs.Errorf("joinapi.join", errs.Busy, "Too many nodes join at once: try again in a moment."))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	in, err := decode(w, r)
	var out joining.Answer
	if err == nil {
		out, err = h.admit(ctx, in)
	}
	if err != nil {
		if kind := errs.KindOf(err); !kind.Retryable() && kind != errs.Internal {
			h.pace.failed(from)
		}
		h.fail(w, r, err)
		return
	}
	h.Log.Info("node joined", "role", in.Role, "name", in.Name, "node", in.NodeID, "token", in.TokenID, "from", r.RemoteAddr)
	h.answer(w, http.StatusOK, out)
}

// decode reads a bounded, strict JSON body.
func decode(w http.ResponseWriter, r *http.Request) (in joining.Ask, err error) {
	const op = "joinapi.body"
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, joining.MaxAsk))
	dec.DisallowUnknownFields()
	err = dec.Decode(&in)
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return in, errs.Errorf(op, errs.TooLarge, "A body has at most %d bytes here.", joining.MaxAsk)
	}
	if err != nil {
		return in, errs.E(op, errs.Invalid, "The body is not understood.", err)
	}
	return in, nil
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := errs.KindOf(err)
	if kind == errs.Internal && errors.Is(err, context.DeadlineExceeded) {
		kind = errs.Unknown
	}
	h.Log.Warn("join refused", "from", r.RemoteAddr, "error", err)
	if kind.Retryable() {
		w.Header().Set("Retry-After", "1")
	}
	h.answer(w, kind.HTTPStatus(), joining.Failure{Error: joining.Reason{Kind: kind.String(), Message: errs.Message(err)}})
}

func (h *handler) answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		h.Log.Debug("a joining node went away", "error", err)
	}
}
