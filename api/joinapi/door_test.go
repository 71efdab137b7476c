package joinapi

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/pki/joining"
)

func TestAControlNodeJoins(t *testing.T) {
	r := newRig(t)
	token, key := r.token(pki.Control, "c2"), must(pki.NewKey())
	out := r.joined(asking(token, key, pki.Control, "c2", hostA))
	creds := must(pki.NewCredentials(key, out.Certificate, out.CA))
	if want := (pki.Identity{Cluster: clusterID, Role: pki.Control, ID: hostA, Name: "c2"}); creds.Identity() != want {
		t.Errorf("identity %+v", creds.Identity())
	}
	v := r.machine.View()
	n, c := v.ControlNode(hostA), v.Certificate(pki.SerialOf(creds.Certificate()))
	if n == nil || n.Address != "c2:8770" || n.PublicURL != "http://c2:8774" || n.Version != "1.0" {
		t.Errorf("node %+v", n)
	}
	from, until := creds.Period()
	if c == nil || c.NotBefore != from.UnixNano() || c.NotAfter != until.UnixNano() || c.KeyHash != pki.FingerprintOf(creds.Certificate()).String() {
		t.Errorf("record %+v", c)
	}
	if string(out.DataKey) != dataKey || string(out.GossipKey) != gossipKey || out.ClusterID != clusterID || out.Incarnation != 1 {
		t.Errorf("answer %+v", out)
	}
	if len(out.Controls) != 2 || out.Controls[0] != (joining.Control{ID: firstNode, Name: "c1", Address: "10.0.0.1:8770"}) || out.Controls[1].Name != "c2" {
		t.Errorf("control nodes %+v", out.Controls)
	}
}

// TestAnAgentIsToldLess: it gets neither the data key nor the control nodes'
// gossip key, and is no control node.
func TestAnAgentIsToldLess(t *testing.T) {
	r := newRig(t)
	out := r.joined(asking(r.token(pki.Agent, "h1"), must(pki.NewKey()), pki.Agent, "h1", hostA))
	if want := must(pki.AgentsGossipKey([]byte(gossipKey))); len(out.DataKey) != 0 || !bytes.Equal(out.GossipKey, want) || len(out.Controls) != 1 {
		t.Errorf("answer %+v", out)
	}
	if v := r.machine.View(); v.ControlNodeCount() != 1 || v.Host(hostA) != nil {
		t.Error("an agent became more than that")
	}
}

// TestBadTokensSoundTheSame: whatever is wrong with a token, the answer is one
// and the same, and nobody is let in.
func TestBadTokensSoundTheSame(t *testing.T) {
	r := newRig(t)
	key := must(pki.NewKey())
	good := func() joining.Ask { return asking(r.token(pki.Agent, "h1"), key, pki.Agent, "h1", hostA) }
	change := func(how func(*joining.Ask)) joining.Ask { a := good(); how(&a); return a }
	r.turnedAway("an unknown token", change(func(a *joining.Ask) { a.TokenID = hostB }))
	r.turnedAway("no token", change(func(a *joining.Ask) { a.TokenID = "" }))
	r.turnedAway("a wrong secret", change(func(a *joining.Ask) { a.Secret[31] ^= 1 }))
	r.turnedAway("no secret", change(func(a *joining.Ask) { a.Secret = nil }))
	r.turnedAway("the hash for a secret", change(func(a *joining.Ask) { a.Secret = pki.HashSecret(a.Secret) }))
	r.turnedAway("another name", change(func(a *joining.Ask) {
		a.Name, a.CSR = "h2", must(pki.NewRequest(key, pki.Identity{Cluster: clusterID, Role: pki.Agent, ID: hostA, Name: "h2"}))
	}))
	r.turnedAway("another role", change(func(a *joining.Ask) {
		a.Role, a.CSR = "control", must(pki.NewRequest(key, pki.Identity{Cluster: clusterID, Role: pki.Control, ID: hostA, Name: "h1"}))
	}))
	late := good()
	r.clock.Advance(10 * time.Minute)
	r.turnedAway("an expired token", late)
	gone := good()
	r.must(command.By{System: command.Operator}, &command.JoinTokenDelete{ID: model.TokenID(gone.TokenID)})
	r.turnedAway("a token that was taken back", gone)
	if strings.Contains(r.log.String(), string(late.Secret)) {
		t.Error("the log shows a secret")
	}
}

// TestAnUnknownTokenOfZeroes: what an unknown token is compared with is no way
// in.
func TestAnUnknownTokenOfZeroes(t *testing.T) {
	r := newRig(t)
	a := asking(r.token(pki.Agent, "h1"), must(pki.NewKey()), pki.Agent, "h1", hostA)
	a.TokenID, a.Secret, a.Role, a.Name = hostB, make([]byte, 32), "", ""
	r.turnedAway("zeroes", a)
}

// TestATokenIsReplayed: it works once; whoever else has it gets nothing.
func TestATokenIsReplayed(t *testing.T) {
	r := newRig(t)
	token, key := r.token(pki.Agent, "h1"), must(pki.NewKey())
	r.joined(asking(token, key, pki.Agent, "h1", hostA))
	r.turnedAway("another key", asking(token, must(pki.NewKey()), pki.Agent, "h1", hostA))
	r.turnedAway("another node", asking(token, key, pki.Agent, "h1", hostB))
}

// TestTheRequestAsksForMore: a good token gives nobody more than it says, and is
// not used up by the attempt.
func TestTheRequestAsksForMore(t *testing.T) {
	r := newRig(t)
	token, key := r.token(pki.Agent, "h1"), must(pki.NewKey())
	good := asking(token, key, pki.Agent, "h1", hostA)
	own := pki.Identity{Cluster: clusterID, Role: pki.Agent, ID: hostA, Name: "h1"}
	sign := func(c x509.CertificateRequest) []byte {
		c.Subject = pkix.Name{CommonName: "h1"}
		return must(x509.CreateCertificateRequest(rand.Reader, &c, key))
	}
	control := own
	control.Role = pki.Control
	for name, csr := range map[string][]byte{
		"the role control": sign(x509.CertificateRequest{URIs: []*url.URL{control.URI()}}),
		"another id":       must(pki.NewRequest(key, pki.Identity{Cluster: clusterID, Role: pki.Agent, ID: hostB, Name: "h1"})),
		"one more name":    sign(x509.CertificateRequest{URIs: []*url.URL{own.URI()}, DNSNames: []string{"c1"}}),
		"to be an authority": sign(x509.CertificateRequest{URIs: []*url.URL{own.URI()}, ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}}}}),
	} {
		a := good
		a.CSR = csr
		if status, text := r.ask(a); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	for name, csr := range map[string][]byte{"none": nil, "damage": good.CSR[1:], "the key of somebody else": tampered(good.CSR)} {
		a := good
		a.CSR = csr
		if status, text := r.ask(a); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if n := r.members(); n != 1 {
		t.Fatalf("%d certificates", n)
	}
	r.joined(good)
}

// tampered flips a bit of the signature.
func tampered(csr []byte) []byte {
	b := bytes.Clone(csr)
	b[len(b)-1] ^= 1
	return b
}

// TestALostAnswer: a node whose join was done, or not, without its hearing of
// it, asks again, here or elsewhere, and is the same node with the same
// certificate; in the log it joined once.
func TestALostAnswer(t *testing.T) {
	for name, lose := range map[string]func(*rig){
		"done and not heard": func(r *rig) { r.lost = 1 }, "not done and not heard": func(r *rig) { r.vanish = 1 },
	} {
		r := newRig(t)
		token, key := r.token(pki.Control, "c2"), must(pki.NewKey())
		a := asking(token, key, pki.Control, "c2", hostA)
		lose(r)
		if status, text := r.ask(a); status != http.StatusServiceUnavailable || !strings.Contains(text, "unknown outcome") {
			t.Errorf("%s: %d %s", name, status, text)
		}
		first := r.joined(a)
		r.handler = r.door(2 * time.Hour).Handler() // a node with another idea of a certificate's life
		r.clock.Advance(time.Hour)                  // the log remembers nothing of it, and the token is over
		moved := a
		moved.Address = "c2:9999"
		again := r.joined(moved)
		one, two := must(x509.ParseCertificate(first.Certificate)), must(x509.ParseCertificate(again.Certificate))
		if !bytes.Equal(one.RawTBSCertificate, two.RawTBSCertificate) {
			t.Errorf("%s: first %s until %v, then %s until %v", name, pki.SerialOf(one), one.NotAfter, pki.SerialOf(two), two.NotAfter)
		}
		if v := r.machine.View(); r.members() != 2 || v.ControlNode(hostA).Address != "c2:8770" {
			t.Errorf("%s: %d certificates, node %+v", name, r.members(), v.ControlNode(hostA))
		}
	}
}

// TestWhoLeftStaysOut: the token that a node joined with does not bring it back.
func TestWhoLeftStaysOut(t *testing.T) {
	r := newRig(t)
	a := asking(r.token(pki.Control, "c2"), must(pki.NewKey()), pki.Control, "c2", hostA)
	r.joined(a)
	r.must(command.By{System: command.Operator}, &command.NodeRemove{ID: hostA})
	if status, text := r.ask(a); status != http.StatusUnauthorized || strings.TrimSpace(text) != notGood || r.machine.View().ControlNode(hostA) != nil {
		t.Errorf("a removed node: %d %s", status, text)
	}
}

func TestNamesAreTaken(t *testing.T) {
	r := newRig(t)
	status, text := r.ask(asking(r.token(pki.Control, "c1"), must(pki.NewKey()), pki.Control, "c1", hostA))
	if status != http.StatusConflict || !strings.Contains(text, "is taken") {
		t.Errorf("%d %s", status, text)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	r := newRig(t)
	good := must(json.Marshal(asking(r.token(pki.Agent, "h1"), must(pki.NewKey()), pki.Agent, "h1", hostA)))
	for name, row := range map[string]struct {
		body   string
		status int
	}{
		"nothing": {"", 400}, "no JSON": {"<join/>", 400}, "an unknown field": {`{"king":true,` + string(good[1:]), 400}, "a list": {"[]", 400},
		"too much": {`{"name":"` + strings.Repeat("a", joining.MaxAsk) + `"}`, 413},
	} {
		if status, text := post(r.handler, "10.9.9.9", []byte(row.body)); status != row.status {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	for _, row := range []struct {
		method, path string
		status       int
	}{{"GET", joining.Path, 405}, {"POST", "/", 404}, {"POST", "/agent/v1/report", 404}} {
		req := must(http.NewRequest(row.method, row.path, nil))
		w := &recorder{header: http.Header{}}
		r.handler.ServeHTTP(w, req)
		if w.status != row.status {
			t.Errorf("%s %s: %d", row.method, row.path, w.status)
		}
	}
}

// recorder keeps the status of an answer.
type recorder struct {
	header http.Header
	status int
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(b []byte) (int, error) { return len(b), nil }

// TestBruteForce: who guesses is slowed down, and nobody else is.
func TestBruteForce(t *testing.T) {
	r := newRig(t)
	token, key := r.token(pki.Agent, "h1"), must(pki.NewKey())
	a := asking(token, key, pki.Agent, "h1", hostA)
	guess := a
	for i := range 100 {
		guess.Secret = []byte(fmt.Sprintf("guess number %019d", i))
		want := http.StatusUnauthorized
		if i >= maxFailures {
			want = http.StatusTooManyRequests
		}
		if status, text := post(r.handler, "10.66.0.1", must(json.Marshal(guess))); status != want {
			t.Fatalf("guess %d: %d %s", i, status, text)
		}
	}
	if status, _ := post(r.handler, "10.66.0.1", must(json.Marshal(a))); status != http.StatusTooManyRequests {
		t.Errorf("the right one, too soon: %d", status)
	}
	r.clock.Advance(window)
	if status, text := post(r.handler, "10.66.0.1", must(json.Marshal(a))); status != http.StatusOK {
		t.Errorf("the right one, later: %d %s", status, text)
	}
	if status, _ := post(r.handler, "10.66.0.2", must(json.Marshal(guess))); status != http.StatusUnauthorized {
		t.Errorf("from another address: %d", status)
	}
}

func TestPaceRemembersABoundedNumber(t *testing.T) {
	fake := clock.NewFake(day)
	p := newPace(fake)
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxOrigins + 50 {
		p.failed(addr(i))
		fake.Advance(time.Millisecond)
	}
	if len(p.seen) != maxOrigins {
		t.Errorf("%d are remembered", len(p.seen))
	}
	if _, there := p.seen[addr(0)]; there {
		t.Error("the oldest is still there")
	}
	fake.Advance(window)
	p.failed(addr(1 << 20))
	if len(p.seen) != 1 {
		t.Errorf("%d are remembered after a while", len(p.seen))
	}
}
