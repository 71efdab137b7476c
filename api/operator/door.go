package operator

import (
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
)

// Door serves /healthz, /readyz and /metrics.
type Door struct {
	Metrics *Metrics
	// Token opens /metrics to callers that are not on loopback; empty for
	// nobody.
	Token string
	// Ready says why this node should get no traffic yet; empty when it may.
	Ready func() string
	// Facts are shown by /healthz: the version, the node, the index. nil leaves
	// that to somebody else.
	Facts func() map[string]any
}

// Register adds the routes.
func (d *Door) Register(mux interface {
	Handle(pattern string, h http.Handler)
}) {
	if d.Facts != nil {
		mux.Handle("/healthz", http.HandlerFunc(d.healthz))
	}
	mux.Handle("/readyz", http.HandlerFunc(d.readyz))
	mux.Handle("/metrics", http.HandlerFunc(d.metrics))
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may be gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(v)
}

func (d *Door) healthz(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, d.Facts()) }

func (d *Door) readyz(w http.ResponseWriter, _ *http.Request) {
	if why := d.Ready(); why != "" {
		write(w, http.StatusServiceUnavailable, map[string]any{"ready": false, "why": why})
		return
	}
	write(w, http.StatusOK, map[string]any{"ready": true})
}

func (d *Door) metrics(w http.ResponseWriter, r *http.Request) {
	if !d.mayScrape(r) {
		write(w, http.StatusForbidden, map[string]any{"error": "metrics are for callers on loopback, or with the metrics token"})
		return
	}
	d.Metrics.handler().ServeHTTP(w, r)
}

func (d *Door) mayScrape(r *http.Request) bool {
	if d.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+d.Token)) == 1 {
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
