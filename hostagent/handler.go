package hostagent

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/kvorum/kvorum/internal/errs"
)

// The console's bounds, in bytes.
const (
	consoleDefault = 64 << 10
	consoleMax     = 1 << 20
)

// Handler is the agent's side for control nodes: GET /v1/guests/{id}/console?max=N.
// Who may ask is decided before a request comes here: the port's TLS lets in
// control nodes of this cluster only.
func (a *Agent) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/guests/{id}/console", a.console)
	return mux
}

// Observer is the agent's side for those who watch over it: GET /healthz. It
// changes nothing and tells no secrets.
func (a *Agent) Observer() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	return mux
}

func (a *Agent) healthz(w http.ResponseWriter, _ *http.Request) {
	d, _ := a.ledger.Desired()
	answerJSON(w, http.StatusOK, map[string]any{
		"status": "ok", "host_id": a.identity.HostID, "confirmed": a.stands(), "index": d.Index,
		"lease": a.lease.Status(a.clock.Mono()),
	})
}

func (a *Agent) console(w http.ResponseWriter, r *http.Request) {
	id, limit := r.PathValue("id"), consoleDefault
	if s := r.URL.Query().Get("max"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			answerError(w, errs.Errorf("hostagent.console", errs.Invalid, "max must be a number of bytes above 0."))
			return
		}
		limit = min(n, consoleMax)
	}
	if !validID(id) {
		answerError(w, errs.Errorf("hostagent.console", errs.NotFound, "There is no such guest here."))
		return
	}
	b, err := a.Console(r.Context(), id, limit)
	if err != nil {
		a.log.Warn("console not read", "guest", id, "err", err)
		answerError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b) // the reader went away: nothing to be done
}

// answerError writes {"error":{"kind","message"}} with the kind's status.
func answerError(w http.ResponseWriter, err error) {
	kind := errs.KindOf(err)
	answerJSON(w, kind.HTTPStatus(), map[string]any{
		"error": map[string]string{"kind": kind.String(), "message": errs.Message(err)},
	})
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the reader went away: nothing to be done
}
