package metadata

import (
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// Handler serves both trees to guests. find says which guest asks; false gives 404. It is called once for each request
// except for "/", which lists the versions to anybody. keep takes the text of a guest that posts its password, and gives
// the status to answer; it is asked only for one that has posted none yet.
//
// find sees the request without its headers: X-Forwarded-For, X-Instance-ID and the like come from the guest and prove
// nothing. What it may trust is the listener (one for each network) and RemoteAddr, behind the anti-spoofing filters.
// Only GET and HEAD are served, and POST of a password; anything else is 405.
func Handler(find func(r *http.Request) (Record, bool), keep func(r *http.Request, rec Record, text string) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && isPassword(r.URL.Path) {
			if status := post(r, find, keep); status != http.StatusOK {
				http.Error(w, strconv.Itoa(status)+" "+http.StatusText(status), status)
			}
			return
		}
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
	rec, ok := find(bare(r))
	if !ok {
		return nil, "", false
	}
	return Lookup(rec, r.URL.Path)
}

// bare is a request without its headers.
func bare(r *http.Request) *http.Request {
	b := *r
	b.Header = http.Header{}
	return &b
}

// MaxPassword is the longest text that a guest may post, in bytes. Source: legacy spec 2.5.
const MaxPassword = 1020

// isPassword tells whether a path is where a guest's password may be.
func isPassword(urlPath string) bool {
	tokens := split(urlPath)
	return len(tokens) == 3 && tokens[0] == "openstack" && tokens[2] == "password"
}

// post takes a guest's password and gives the status to answer.
func post(r *http.Request, find func(r *http.Request) (Record, bool), keep func(r *http.Request, rec Record, text string) int) int {
	rec, ok := find(bare(r))
	if ok {
		_, _, ok = Lookup(rec, r.URL.Path)
	}
	if !ok {
		return http.StatusNotFound
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, MaxPassword+1))
	switch {
	case err != nil || len(text) == 0 || len(text) > MaxPassword || !utf8.Valid(text):
		return http.StatusBadRequest
	case rec.Password != "":
		return http.StatusConflict
	}
	return keep(bare(r), rec, string(text))
}
