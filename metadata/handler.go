package metadata

import (
	"net/http"
	"strconv"
)

// Handler serves both trees to guests. find says which guest asks; false gives 404. It is called once for each request
// except for "/", which lists the versions to anybody.
//
// find sees the request without its headers: X-Forwarded-For, X-Instance-ID and the like come from the guest and prove
// nothing. What it may trust is the listener (one for each network) and RemoteAddr, behind the anti-spoofing filters.
// Only GET and HEAD are served; anything else is 405.
func Handler(find func(r *http.Request) (Record, bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
			return
		}
		body, contentType, ok := answer(r, find)
		if !ok {
			http.Error(w, "404 Not Found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method == http.MethodGet {
			_, _ = w.Write(body) // a guest that hung up needs no answer
		}
	})
}

func answer(r *http.Request, find func(r *http.Request) (Record, bool)) ([]byte, string, bool) {
	if isRoot(r.URL.Path) {
		return versionList(ec2Versions), textPlain, true
	}
	bare := *r
	bare.Header = http.Header{}
	rec, ok := find(&bare)
	if !ok {
		return nil, "", false
	}
	return Lookup(rec, r.URL.Path)
}
