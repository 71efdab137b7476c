package metadata

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// refuse takes no password.
func refuse(*http.Request, Record, string) int { return http.StatusTeapot }

// TestPasswordIsTakenOnce: what one guest posts, in its bounds, where its tree has
// the place for it.
func TestPasswordIsTakenOnce(t *testing.T) {
	rec, kept := minimal(), []string{}
	h := Handler(func(r *http.Request) (Record, bool) { return rec, strings.HasPrefix(r.RemoteAddr, "10.0.0.5:") },
		func(r *http.Request, rec Record, text string) int {
			kept = append(kept, rec.UUID+" "+text)
			if text == "away" {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		})
	for _, c := range []struct {
		name, path, from, body string
		status                 int
	}{
		{"from a stranger", "/openstack/latest/password", "10.0.0.6:999", "x", 404},
		{"before there were passwords", "/openstack/2012-08-10/password", "10.0.0.5:999", "x", 404},
		{"in the other tree", "/latest/meta-data/password", "10.0.0.5:999", "x", 405},
		{"nothing", "/openstack/latest/password", "10.0.0.5:999", "", 400},
		{"too much", "/openstack/latest/password", "10.0.0.5:999", strings.Repeat("x", MaxPassword+1), 400},
		{"no text", "/openstack/latest/password", "10.0.0.5:999", "\xff\xfe", 400},
		{"the control plane is away", "/openstack/latest/password", "10.0.0.5:999", "away", 503},
		{"the longest", "/openstack/latest/password", "10.0.0.5:999", strings.Repeat("x", MaxPassword), 200},
		{"by an older version", "/openstack/2013-04-04//password/", "10.0.0.5:999", "c2VjcmV0", 200},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r.RemoteAddr = c.from
		if h.ServeHTTP(w, r); w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.status)
		}
	}
	if len(kept) != 3 || kept[2] != rec.UUID+" c2VjcmV0" {
		t.Errorf("kept %.200q", kept)
	}
	rec.Password = "c2VjcmV0"
	w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/openstack/latest/password", strings.NewReader("another"))
	r.RemoteAddr = "10.0.0.5:999"
	if h.ServeHTTP(w, r); w.Code != 409 || len(kept) != 3 {
		t.Errorf("a second one: %d, kept %.200q", w.Code, kept)
	}
}

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
		{"nothing else is taken", "POST", "/openstack/latest/meta_data.json", "10.0.0.5:999", 405, "405 Method Not Allowed\n"},
		{"no token is given", "PUT", "/latest/api/token", "10.0.0.5:999", 405, "405 Method Not Allowed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, c.path, nil)
			r.RemoteAddr = c.from
			Handler(byAddress, refuse).ServeHTTP(w, r)
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
	h := Handler(func(*http.Request) (Record, bool) { t.Error("looked up"); return Record{}, false }, refuse)
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
	}, refuse)
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
