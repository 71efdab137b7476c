//go:build faults

package failpoint

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// Environment names the variable with the path of the socket to listen on.
const Environment = "FAILPOINT_SOCKET"

// maxOrder bounds the body of a request.
const maxOrder = 4 << 10

// Listen takes orders on the unix socket that the environment names, for the
// life of the process; without one it does nothing. Whoever can open the
// socket can do anything to the process.
//
//	PUT    /points/{name}  an Order as JSON
//	DELETE /points/{name}
//	GET    /points         a Tally for each place that was passed or has an order
//	GET    /clock          what the process takes the time for
//	PUT    /clock          a clock.Skew as JSON
func Listen() error {
	path := os.Getenv(Environment)
	if path == "" {
		return nil
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("failpoint: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("failpoint: %w", err)
	}
	server := &http.Server{Handler: handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with the process
	return nil
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /points/{name}", func(w http.ResponseWriter, r *http.Request) {
		o := new(Order)
		if take(w, r, o) && valid(w, o.check()) {
			set(Name(r.PathValue("name")), o)
		}
	})
	mux.HandleFunc("DELETE /points/{name}", func(w http.ResponseWriter, r *http.Request) {
		set(Name(r.PathValue("name")), nil)
	})
	mux.HandleFunc("GET /points", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(tally)
	})
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, r *http.Request) {
		now := clock.Real{}
		_ = json.NewEncoder(w).Encode(map[string]int64{"wall_ns": now.Now().UnixNano(), "mono_ns": int64(now.Mono())})
	})
	mux.HandleFunc("PUT /clock", func(w http.ResponseWriter, r *http.Request) {
		var s clock.Skew
		if take(w, r, &s) {
			valid(w, clock.SetSkew(s))
		}
	})
	return mux
}

// take reads a request's body and complains if it is no such thing.
func take(w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrder))
	dec.DisallowUnknownFields()
	return valid(w, dec.Decode(into))
}

func valid(w http.ResponseWriter, err error) bool {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}
