package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/kvorum/kvorum/api/identity"
	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/internal/clock"
)

// started runs a control node of its own for the test and gives its URL.
func started(t *testing.T) string {
	t.Helper()
	_, url := startedNode(t)
	return url
}

// startedNode is started, and gives the node too.
func startedNode(t *testing.T) (*controlNode, string) {
	t.Helper()
	conf := config.Default()
	conf.Node, conf.DataDir = "n1", t.TempDir()
	conf.Public.Listen, conf.Control.Listen = "127.0.0.1:0", "127.0.0.1:0"
	conf.Control.Bootstrap, conf.Control.AdminPassword = true, "pw"
	n, err := openControl(t.Context(), conf, slog.New(slog.DiscardHandler), raftTimes{election: devElection})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := n.close(); err != nil {
			t.Error(err)
		}
	})
	wait, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	for n.bound.Load() == nil || n.operatorDoor().Ready() != "" {
		if err := clock.Sleep(wait, n.clock, time.Millisecond); err != nil {
			t.Fatal("the control node did not get ready")
		}
	}
	return n, "http://" + n.bound.Load().public.String()
}

// expired gives a token of the cluster's own key whose life is over.
func expired(t *testing.T, n *controlNode) string {
	t.Helper()
	door := &identity.Door{Tokens: identity.NewTokens(n.box, -time.Hour), Passwords: n.passwords, Region: "RegionOne"}
	shell := &rest.Shell{Cluster: n.cluster, Auth: door.Tokens, Clock: n.clock, Log: slog.New(slog.DiscardHandler), Timeout: time.Minute,
		Slots: make(chan struct{}, 1)}
	r := chi.NewRouter()
	shell.Front(r, identity.Dialect("/identity"), door.Routes())
	s := httptest.NewServer(r)
	defer s.Close()
	return login(t, s.URL, "admin", "admin", "pw")
}

// call makes a request and gives status, body and headers.
func call(t *testing.T, token, method, url, body string, headers ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func login(t *testing.T, url, user, project, password string) string {
	t.Helper()
	body := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"` + user + `","domain":{"id":"default"},"password":"` + password +
		`"}}},"scope":{"project":{"name":"` + project + `","domain":{"id":"default"}}}}}`
	status, text, h := call(t, "", "POST", url+"/identity/v3/auth/tokens", body)
	if status != 201 {
		t.Fatalf("login: %d %s", status, text)
	}
	return h.Get("X-Subject-Token")
}

// made makes something and gives its id.
func made(t *testing.T, token, url, kind, body string) string {
	t.Helper()
	status, text, _ := call(t, token, "POST", url, body)
	var out map[string]json.RawMessage
	var one struct{ ID string }
	if status/100 != 2 || json.Unmarshal([]byte(text), &out) != nil {
		t.Fatalf("%s: %d %s", url, status, text)
	}
	inner := []byte(text)
	if kind != "" {
		inner = out[kind]
	}
	if err := json.Unmarshal(inner, &one); err != nil || one.ID == "" {
		t.Fatalf("%s: no id in %s", url, text)
	}
	return one.ID
}

func TestBadInputGetsTheAPIsOwnError(t *testing.T) {
	n, url := startedNode(t)
	admin := login(t, url, "admin", "admin", "pw")
	old := expired(t, n)
	nova, glance, neutron := url+"/compute/v2.1", url+"/image/v2", url+"/network/v2.0"
	img := made(t, admin, glance+"/images", "", `{"name":"i","disk_format":"raw","container_format":"bare","visibility":"public"}`)
	if status, text, _ := call(t, admin, "PUT", glance+"/images/"+img+"/file", strings.Repeat("x", 600), "Content-Type", "application/octet-stream"); status != 204 {
		t.Fatalf("upload: %d %s", status, text)
	}
	server := made(t, admin, nova+"/servers", "server", `{"server":{"name":"own","imageRef":"`+img+`","flavorRef":"1"}}`)

	project := made(t, admin, url+"/identity/v3/projects", "project", `{"project":{"name":"other"}}`)
	user := made(t, admin, url+"/identity/v3/users", "user", `{"user":{"name":"bob","password":"bobpw"}}`)
	_, roles, _ := call(t, admin, "GET", url+"/identity/v3/roles?name=member", "")
	var found struct{ Roles []struct{ ID string } }
	if err := json.Unmarshal([]byte(roles), &found); err != nil || len(found.Roles) != 1 {
		t.Fatalf("roles: %s", roles)
	}
	if status, text, _ := call(t, admin, "PUT", url+"/identity/v3/projects/"+project+"/users/"+user+"/roles/"+found.Roles[0].ID, ""); status != 204 {
		t.Fatalf("grant: %d %s", status, text)
	}
	bob := login(t, url, "bob", "other", "bobpw")

	create := func(rest string) string {
		return `{"server":{"name":"x","imageRef":"` + img + `","flavorRef":"1"` + rest + `}}`
	}
	for _, tc := range []struct {
		name, token, method, url, body string
		status                         int
		want                           string
	}{
		{"no token", "", "GET", nova + "/servers", "", 401, `"code":401`},
		{"junk token", "gAAAA", "GET", nova + "/servers", "", 401, "requires authentication"},
		{"cut token", admin[:len(admin)-4], "GET", nova + "/servers", "", 401, "requires authentication"},
		{"expired token", old, "GET", nova + "/servers", "", 401, `"code":401`},
		{"expired token at the images", old, "GET", glance + "/images", "", 401, "requires authentication"},
		{"expired token at the networks", old, "POST", neutron + "/networks", `{"network":{}}`, 401, `"code":401`},
		{"expired token for another", "", "POST", url + "/identity/v3/auth/tokens", `{"auth":{"identity":{"methods":["token"],"token":{"id":"` + old + `"}}}}`, 401, "requires authentication"},
		{"auth of five", "", "POST", url + "/identity/v3/auth/tokens", `{"auth":5}`, 400, "It is a number, and must be an object."},
		{"image of five", admin, "POST", glance + "/images", `5`, 400, "The request body is a number, and must be an object."},
		{"network body of five", admin, "POST", neutron + "/networks", `5`, 400, "The request body is a number, and must be an object."},
		{"config drive", admin, "POST", nova + "/servers", create(`,"config_drive":"True"`), 400, "not offered by this cloud"},
		{"IPv6", admin, "POST", neutron + "/subnets", `{"subnet":{"network_id":"none","ip_version":6,"cidr":"fd00::/64"}}`, 400, "hosts carry IPv4 only"},
		{"no version of ours", "", "GET", url + "/compute/v2/", "", 300, `"choices"`},
		{"unknown flavor", admin, "POST", nova + "/servers", `{"server":{"name":"x","imageRef":"` + img + `","flavorRef":"none"}}`, 400, "Flavor none could not be found."},
		{"unknown image", admin, "POST", nova + "/servers", `{"server":{"name":"x","imageRef":"none","flavorRef":"1"}}`, 400, "Can not find requested image"},
		{"malformed JSON", admin, "POST", nova + "/servers", `{"server":`, 400, "Malformed request body"},
		{"unknown key", admin, "POST", nova + "/servers", create(`,"colour":"red"`), 400, "badRequest"},
		{"too large a body", admin, "POST", nova + "/servers", `{"server":"` + strings.Repeat("x", 200000) + `"}`, 413, "overLimit"},
		{"a name of 300 characters", admin, "POST", nova + "/servers", `{"server":{"name":"` + strings.Repeat("n", 300) + `","imageRef":"` + img + `","flavorRef":"1"}}`, 400, "the limit is 255"},
		{"negative count", admin, "POST", nova + "/servers", create(`,"min_count":-1`), 400, "min_count"},
		{"count of zero", admin, "POST", nova + "/servers", create(`,"max_count":0`), 400, "max_count"},
		{"unknown network", admin, "POST", nova + "/servers", create(`,"networks":[{"uuid":"none"}]`), 400, "Network none could not be found."},
		{"over the quota", admin, "POST", nova + "/servers", create(`,"min_count":11,"max_count":11`), 403, "Quota exceeded for instances"},
		{"user data that is no base64", admin, "POST", nova + "/servers", create(`,"user_data":"%%%"`), 400, "base64"},
		{"foreign server", bob, "GET", nova + "/servers/" + server, "", 404, "itemNotFound"},
		{"delete a foreign server", bob, "DELETE", nova + "/servers/" + server, "", 404, "could not be found"},
		{"unknown server", admin, "GET", nova + "/servers/none", "", 404, "Instance none could not be found."},
		{"unknown action", admin, "POST", nova + "/servers/" + server + "/action", `{"dance":null}`, 400, "There is no such action: dance"},
		{"an action not offered", admin, "POST", nova + "/servers/" + server + "/action", `{"pause":null}`, 501, "notImplemented"},
		{"stop what never ran", admin, "POST", nova + "/servers/" + server + "/action", `{"os-stop":null}`, 409, "conflictingRequest"},
		{"admin's route", bob, "GET", nova + "/os-services", "", 403, "Policy doesn't allow"},
		{"unknown route", admin, "GET", nova + "/nope", "", 404, "itemNotFound"},
		{"wrong verb", admin, "PATCH", nova + "/servers", "", 405, "badMethod"},
		{"marker of nothing", admin, "GET", nova + "/servers?marker=none", "", 400, "marker [none] not found"},
		{"negative limit", admin, "GET", nova + "/servers?limit=-1", "", 400, "limit"},
		{"overlapping subnet's range", admin, "POST", neutron + "/subnets", `{"subnet":{"network_id":"none","ip_version":4,"cidr":"garbage"}}`, 400, "not a valid IP subnet"},
		{"unknown attribute", admin, "POST", neutron + "/networks", `{"network":{"colour":"red"}}`, 400, "Unrecognized attribute(s) 'colour'"},
		{"foreign port", bob, "GET", neutron + "/ports/none", "", 404, "PortNotFound"},
		{"public image by a member", bob, "POST", glance + "/images", `{"name":"p","visibility":"public"}`, 403, ""},
		{"wrong password", "", "POST", url + "/identity/v3/auth/tokens", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","domain":{"id":"default"},"password":"no"}}}}}`, 401, "requires authentication"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, text, h := call(t, tc.token, tc.method, tc.url, tc.body)
			if status != tc.status || !strings.Contains(text, tc.want) {
				t.Errorf("%d %s; want %d with %q", status, text, tc.status, tc.want)
			}
			if !strings.HasPrefix(h.Get("X-OpenStack-Request-Id"), "req-") {
				t.Error("no request id")
			}
		})
	}
	status, text, h := call(t, admin, "GET", nova+"/servers", "", "X-OpenStack-Nova-API-Version", "2.999")
	if status != 406 || !strings.Contains(text, "Minimum is 2.1") {
		t.Errorf("microversion 2.999: %d %s %v", status, text, h)
	}
}

// TestEveryAnswerSaysAnIndex: also one that was given without a look at the
// state. It never falls.
// TestNowhereIsAnswered as the APIs answer, with an id to ask by.
func TestNowhereIsAnswered(t *testing.T) {
	url := started(t)
	for _, row := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/nothing", 404, ""}, {"POST", "/nothing/at/all", 404, ""}, {"GET", "/healthz/more", 404, ""},
		{"PUT", "/", 405, "GET"}, {"PUT", "/identity", 405, "GET"}, {"DELETE", "/v2.1", 405, "GET"},
	} {
		status, text, header := call(t, "", row.method, url+row.path, "")
		var body struct {
			Error struct {
				Code           int
				Title, Message string
			}
		}
		if err := json.Unmarshal([]byte(text), &body); err != nil || status != row.status || body.Error.Code != status || body.Error.Message == "" {
			t.Errorf("%s %s: %d %s", row.method, row.path, status, text)
		}
		if id := header.Get("X-Openstack-Request-Id"); !strings.HasPrefix(id, "req-") || header.Get("Allow") != row.allow {
			t.Errorf("%s %s: request id %q, allow %q", row.method, row.path, id, header.Get("Allow"))
		}
	}
}

func TestEveryAnswerSaysAnIndex(t *testing.T) {
	url := started(t)
	admin := login(t, url, "admin", "admin", "pw")
	last := uint64(1)
	for _, row := range []struct {
		token, method, path, body string
		status                    int
	}{
		{"", "GET", "/identity/v3", "", 200},
		{"", "GET", "/compute/v2.1", "", 200},
		{"", "GET", "/image/", "", 300},
		{"", "GET", "/network/", "", 200},
		{"", "GET", "/healthz", "", 200},
		{"", "GET", "/compute/v2.1/servers", "", 401},
		{admin, "POST", "/network/v2.0/networks", `{"network":{"name":"n"}}`, 201},
		{admin, "POST", "/network/v2.0/networks", `{"network":{"nam":"n"}}`, 400},
		{admin, "GET", "/compute/v2.1/servers", "", 200},
		{admin, "GET", "/compute/v2.1/nothing", "", 404},
		{"", "GET", "/nothing", "", 404},
		{admin, "PATCH", "/compute/v2.1/servers", "", 405},
	} {
		status, text, h := call(t, row.token, row.method, url+row.path, row.body)
		index, err := strconv.ParseUint(h.Get("X-Index"), 10, 64)
		if status != row.status || err != nil || index < last {
			t.Errorf("%s %s: %d %.80q, X-Index %q after %d", row.method, row.path, status, text, h.Get("X-Index"), last)
		}
		last = max(last, index)
	}
}

func TestARefusedImageStaysQueued(t *testing.T) {
	url := started(t)
	admin := login(t, url, "admin", "admin", "pw")
	img := made(t, admin, url+"/image/v2/images", "", `{"name":"i","disk_format":"raw","container_format":"bare"}`)
	header := append([]byte("QFI\xfb\x00\x00\x00\x03"), bytes.Repeat([]byte{0}, 600)...)
	status, text, _ := call(t, admin, "PUT", url+"/image/v2/images/"+img+"/file", string(header), "Content-Type", "application/octet-stream")
	if status != 400 {
		t.Errorf("qcow2 declared as raw: %d %s", status, text)
	}
	if _, text, _ := call(t, admin, "GET", url+"/image/v2/images/"+img, ""); !strings.Contains(text, `"status":"queued"`) {
		t.Errorf("after the refusal: %s", text)
	}
}
