package joining

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/wire"
)

const (
	clusterA = "00000000-0000-4000-8000-00000000000a"
	control  = "00000000-0000-4000-8000-0000000000c1"
	nodeOne  = "00000000-0000-4000-8000-000000000001"
	nodeTwo  = "00000000-0000-4000-8000-000000000002"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// rig is a cluster's authority, and servers that answer as a test likes.
type rig struct {
	t         *testing.T
	authority *pki.Authority
	clock     *clock.Fake
}

func newRig(t *testing.T) *rig {
	return &rig{t: t, authority: must(pki.NewAuthority(clusterA, day)), clock: clock.NewFake(day)}
}

// serve lets a control node of an authority answer, and gives its address.
func (r *rig) serve(a *pki.Authority, h http.HandlerFunc) string {
	r.t.Helper()
	who := pki.Identity{Cluster: a.Cluster(), Role: pki.Control, ID: control, Name: "c1"}
	key := must(pki.NewKey())
	cert := must(a.Sign(must(pki.NewRequest(key, who)), who, day, time.Hour))
	end := pki.Endpoint{Credentials: must(pki.NewCredentials(key, cert.Raw, a.Certificate().Raw)), Clock: r.clock}
	port := must(wire.Listen("127.0.0.1:0", wire.Config{TLS: end.Server(pki.Join), Clock: r.clock}))
	srv := wire.Server(h, slog.New(slog.DiscardHandler))
	l := port.Listener(pki.Join)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	r.t.Cleanup(func() {
		if err := errors.Join(srv.Close(), port.Close()); err != nil {
			r.t.Error(err)
		}
		<-done
	})
	return port.Addr().String()
}

// sign answers as an honest door does, for whoever the request says.
func (r *rig) sign(a *pki.Authority, in Ask) Answer {
	who := pki.Identity{Cluster: a.Cluster(), Role: pki.Role(in.Role), ID: in.NodeID, Name: in.Name}
	cert := must(a.Sign(in.CSR, who, day, time.Hour))
	return Answer{ClusterID: a.Cluster(), Incarnation: 1, CA: a.Certificate().Raw, Certificate: cert.Raw,
		Controls: []Control{{ID: control, Name: "c1", Address: "c1:8770"}}}
}

// honest is a door that lets everybody in; change spoils its answers.
func (r *rig) honest(change func(in Ask, out *Answer)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var in Ask
		if err := json.NewDecoder(req.Body).Decode(&in); err != nil || req.URL.Path != Path {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		out := r.sign(r.authority, in)
		if change != nil {
			change(in, &out)
		}
		_ = json.NewEncoder(w).Encode(out) // the client notices
	}
}

func says(status int, kind errs.Kind) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(Failure{Error: Reason{Kind: kind.String(), Message: "no: " + kind.String()}}) // the client notices
	}
}

func (r *rig) token(addresses ...string) pki.Token {
	return must(pki.NewToken(clusterA, r.authority.Fingerprint(), addresses))
}

func (r *rig) request() Request {
	return Request{Role: pki.Agent, Name: "h1", ID: nodeOne, Clock: r.clock}
}

func nobody() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

func TestJoin(t *testing.T) {
	r := newRig(t)
	var heard atomic.Pointer[Ask]
	address := r.serve(r.authority, r.honest(func(in Ask, _ *Answer) { heard.Store(&in) }))
	token, req := r.token(address), r.request()
	req.Key, req.Address, req.PublicURL, req.Version = must(pki.NewKey()), "h1:1", "http://h1", "1.0"
	creds, out, err := Join(context.Background(), token, req)
	if err != nil {
		t.Fatal(err)
	}
	if who := creds.Identity(); who != (pki.Identity{Cluster: clusterA, Role: pki.Agent, ID: nodeOne, Name: "h1"}) {
		t.Errorf("joined as %+v", who)
	}
	if out.Controls[0].Address != "c1:8770" || pki.FingerprintOf(creds.Certificate()) != must(pki.KeyFingerprint(req.Key.Public())) {
		t.Errorf("answer %+v", out)
	}
	in := heard.Load()
	if in.TokenID != token.ID || string(in.Secret) != string(token.Secret[:]) || in.Address != "h1:1" || in.PublicURL != "http://h1" || in.Version != "1.0" {
		t.Errorf("the door heard %+v", in)
	}
}

// TestAnswersThatAreNotForUs: a control node, or whoever took one over, cannot
// make a node into something else.
func TestAnswersThatAreNotForUs(t *testing.T) {
	r := newRig(t)
	other := must(pki.NewAuthority(clusterA, day))
	for name, change := range map[string]func(in Ask, out *Answer){
		"another key": func(in Ask, out *Answer) {
			in.CSR = must(pki.NewRequest(must(pki.NewKey()), pki.Identity{Cluster: clusterA, Role: pki.Agent, ID: nodeOne, Name: "h1"}))
			*out = r.sign(r.authority, in)
		},
		"another authority":                      func(in Ask, out *Answer) { *out = r.sign(other, in) },
		"another authority's certificate beside": func(_ Ask, out *Answer) { out.CA = other.Certificate().Raw },
		"another cluster":                        func(_ Ask, out *Answer) { out.ClusterID = nodeTwo },
		"no certificate":                         func(_ Ask, out *Answer) { out.Certificate = nil },
		"the authority's own":                    func(_ Ask, out *Answer) { out.Certificate = out.CA },
	} {
		address := r.serve(r.authority, r.honest(change))
		if creds, _, err := Join(context.Background(), r.token(address), r.request()); !errs.Is(err, errs.Unauthorized) || creds != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnotherNodesCertificate: the right key, in the wrong words.
func TestAnotherNodesCertificate(t *testing.T) {
	r := newRig(t)
	for name, who := range map[string]pki.Identity{
		"another id":   {Cluster: clusterA, Role: pki.Agent, ID: nodeTwo, Name: "h1"},
		"another role": {Cluster: clusterA, Role: pki.Control, ID: nodeOne, Name: "h1"},
		"another name": {Cluster: clusterA, Role: pki.Agent, ID: nodeOne, Name: "h2"},
	} {
		key := must(pki.NewKey())
		address := r.serve(r.authority, r.honest(func(_ Ask, out *Answer) {
			out.Certificate = must(r.authority.Sign(must(pki.NewRequest(key, who)), who, day, time.Hour)).Raw
		}))
		req := r.request()
		req.Key = key
		if _, _, err := Join(context.Background(), r.token(address), req); !errs.Is(err, errs.Unauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWrongAuthorityIsRefused before a word is said to it.
func TestWrongAuthorityIsRefused(t *testing.T) {
	r := newRig(t)
	var heard atomic.Int64
	count := r.honest(func(Ask, *Answer) { heard.Add(1) })
	other := must(pki.NewAuthority(clusterA, day))
	stranger := r.serve(other, count)
	if _, _, err := Join(context.Background(), r.token(stranger), r.request()); !errs.Is(err, errs.Unauthorized) || heard.Load() != 0 {
		t.Errorf("%v, and it heard %d questions", err, heard.Load())
	}
	if _, _, err := Join(context.Background(), r.token(stranger, r.serve(r.authority, count)), r.request()); err != nil || heard.Load() != 1 {
		t.Errorf("the right one behind it: %v, %d questions", err, heard.Load())
	}
}

func TestOneAfterAnother(t *testing.T) {
	r := newRig(t)
	good := r.serve(r.authority, r.honest(nil))
	var asked atomic.Int64
	counted := r.serve(r.authority, func(w http.ResponseWriter, req *http.Request) { asked.Add(1); r.honest(nil)(w, req) })
	for name, row := range map[string]struct {
		first http.HandlerFunc
		want  errs.Kind // Internal: the next one is asked, and lets us in
	}{
		"unavailable":  {says(503, errs.Unavailable), errs.Internal},
		"unknown":      {says(503, errs.Unknown), errs.Internal},
		"busy":         {says(429, errs.Busy), errs.Internal},
		"broken":       {says(500, errs.Internal), errs.Internal},
		"another page": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, errs.Internal},
		"not JSON":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, errs.Internal},
		"no end": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(" ", maxAnswer+2))
		}, errs.Internal},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, errs.Internal},
		"elsewhere": {func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "https://"+good+Path, http.StatusTemporaryRedirect)
		}, errs.Internal},
		"unauthorized": {says(401, errs.Unauthorized), errs.Unauthorized},
		"forbidden":    {says(403, errs.Forbidden), errs.Forbidden},
		"conflict":     {says(409, errs.Conflict), errs.Conflict},
	} {
		asked.Store(0)
		_, _, err := Join(context.Background(), r.token(nobody(), r.serve(r.authority, row.first), counted), r.request())
		if row.want == errs.Internal && (err != nil || asked.Load() != 1) || row.want != errs.Internal && (!errs.Is(err, row.want) || asked.Load() != 0) {
			t.Errorf("%s: %v, and the next one was asked %d times", name, err, asked.Load())
		}
	}
	if _, _, err := Join(context.Background(), r.token(nobody()), r.request()); !errs.Is(err, errs.Unavailable) {
		t.Errorf("nobody at all: %v", err)
	}
	if _, _, err := Join(context.Background(), r.token(r.serve(r.authority, says(401, errs.Unauthorized))), r.request()); errs.Message(err) != "no: unauthorized" {
		t.Errorf("the message is %q", errs.Message(err))
	}
}

func TestJoinEndsWithItsContext(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(context.Background())
	mute := r.serve(r.authority, func(_ http.ResponseWriter, req *http.Request) { cancel(); <-req.Context().Done() })
	_, _, err := Join(ctx, r.token(mute, r.serve(r.authority, r.honest(nil))), r.request())
	if !errs.Is(err, errs.Unknown) {
		t.Errorf("%v", err)
	}
}

func TestStrangeRequests(t *testing.T) {
	r := newRig(t)
	for name, change := range map[string]func(*Request){
		"no id": func(q *Request) { q.ID = "" }, "no name": func(q *Request) { q.Name = "" }, "no role": func(q *Request) { q.Role = "" },
	} {
		req := r.request()
		change(&req)
		if _, _, err := Join(context.Background(), r.token(nobody()), req); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
