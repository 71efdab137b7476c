package hostagent

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// The console's bounds, in bytes.
const (
	consoleDefault = 64 << 10
	consoleMax     = 1 << 20
)

// Handler is the agent's own listener: GET /v1/guests/{id}/console?max=N and GET
// /metrics, which ask for the bearer token, and GET /healthz, which does not.
// With an empty token nobody gets past.
func (a *Agent) Handler(token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.Handle("GET /v1/guests/{id}/console", bearer(token, http.HandlerFunc(a.console)))
	mux.Handle("GET /metrics", bearer(token, http.HandlerFunc(a.metrics)))
	return mux
}

// bearer lets only those pass who know the token. Hashes are compared, so that
// neither content nor length shows in the time it takes.
func bearer(token string, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		have := sha256.Sum256([]byte(given))
		if !ok || token == "" || subtle.ConstantTimeCompare(have[:], want[:]) != 1 {
			answerError(w, errs.Errorf("hostagent.handler", errs.Unauthorized, "The agent's token is needed."))
			return
		}
		next.ServeHTTP(w, r)
	})
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
