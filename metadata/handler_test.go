package metadata

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	byAddress := func(r *http.Request) (Record, bool) { return rich(), strings.HasPrefix(r.RemoteAddr, "10.0.0.5:") }
	for _, c := range []struct {
		name, method, path, from string
		status                   int
		body                     string
	}{
		{"a known guest reads", "GET", "/latest/meta-data/instance-id", "10.0.0.5:999", 200, "i-00001a2b"},
		{"HEAD has no body", "HEAD", "/latest/meta-data/instance-id", "10.0.0.5:999", 200, ""},
		{"anybody lists versions", "GET", "/", "10.0.0.6:999", 200, string(versionList(ec2Versions))},
		{"an unknown guest gets nothing else", "GET", "/openstack", "10.0.0.6:999", 404, "404 Not Found\n"},
		{"not even the name of a tree", "GET", "/latest/", "10.0.0.6:999", 404, "404 Not Found\n"},
		{"no such path", "GET", "/2021-03-23/meta-data/", "10.0.0.5:999", 404, "404 Not Found\n"},
		{"no password is taken", "POST", "/openstack/latest/password", "10.0.0.5:999", 405, "405 Method Not Allowed\n"},
		{"no token is given", "PUT", "/latest/api/token", "10.0.0.5:999", 405, "405 Method Not Allowed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, c.path, nil)
			r.RemoteAddr = c.from
			Handler(byAddress).ServeHTTP(w, r)
			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body.String(), c.status, c.body)
			}
			if allow := w.Header().Get("Allow"); (c.status == 405) != (allow == "GET, HEAD") {
				t.Errorf("Allow: %q", allow)
			}
		})
	}
}

func TestHandlerNeverLooksUpTheRoot(t *testing.T) {
	h := Handler(func(*http.Request) (Record, bool) { t.Error("looked up"); return Record{}, false })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}

// A guest can write any header, so a lookup that asked one would serve the record of another guest.
func TestHandlerHidesForgedIdentity(t *testing.T) {
	forged := []string{"X-Forwarded-For", "X-Instance-Id", "X-Tenant-Id", "X-Instance-Id-Signature", "Forwarded", "X-Real-Ip"}
	h := Handler(func(r *http.Request) (Record, bool) {
		for _, name := range forged {
			if got := r.Header.Get(name); got != "" {
				t.Errorf("the lookup sees %s: %s", name, got)
			}
		}
		return minimal(), true
	})
	server := httptest.NewServer(h)
	defer server.Close()
	req, err := http.NewRequest("GET", server.URL+"/latest/meta-data/instance-id", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range forged {
		req.Header.Set(name, "10.0.0.5")
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "i-00000001" {
		t.Errorf("body %q", body)
	}
}
