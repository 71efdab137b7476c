package joinapi

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/pki/joining"
)

const (
	clusterID = "00000000-0000-4000-8000-00000000000c"
	firstNode = "00000000-0000-4000-8000-0000000000a1"
	hostA     = "00000000-0000-4000-8000-0000000000f1"
	hostB     = "00000000-0000-4000-8000-0000000000f2"
	dataKey   = "the data key, 32 bytes of chance"
	gossipKey = "the gossip key: 32 random bytes."
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// rig is a cluster with an authority and one control node, as its door sees it.
type rig struct {
	t         *testing.T
	machine   *fsm.Machine
	clock     *clock.Fake
	authority *pki.Authority
	first     *pki.Credentials
	handler   http.Handler
	log       bytes.Buffer

	mu    sync.Mutex
	index uint64
	// lost makes that many proposals answer that nobody knows, after they were
	// done; vanish, before they would be.
	lost, vanish int
}

// box seals by putting a word before it.
type box struct{}

func (box) Open(what string, sealed []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(what+":"))
	if !ok {
		return nil, errs.Errorf("box.open", errs.Internal, "")
	}
	return plain, nil
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, machine: fsm.New(true), clock: clock.NewFake(day), authority: must(pki.NewAuthority(clusterID, day))}
	who := pki.Identity{Cluster: clusterID, Role: pki.Control, ID: firstNode, Name: "c1"}
	key := must(pki.NewKey())
	cert := must(r.authority.Sign(must(pki.NewRequest(key, who)), who, day, pki.DefaultLife))
	r.first = must(pki.NewCredentials(key, cert.Raw, r.authority.Certificate().Raw))
	c := command.Example("cluster.init/1").(*command.ClusterInit)
	c.ClusterID, c.NodeID, c.NodeName = clusterID, firstNode, "c1"
	c.CACert, c.CAKey = r.authority.Certificate().Raw, append([]byte(SealedCAKey+":"), must(r.authority.Key())...)
	c.GossipKey = []byte(SealedGossipKey + ":" + gossipKey)
	c.Serial, c.KeyHash, c.NotAfter = pki.SerialOf(cert), pki.FingerprintOf(cert).String(), cert.NotAfter.UnixNano()
	r.must(command.By{System: command.Bootstrap}, c)
	r.handler = r.door(0).Handler()
	return r
}

// door is another control node's door to the same cluster.
func (r *rig) door(life time.Duration) *Door {
	return &Door{Cluster: r, Opener: box{}, Clock: r.clock, Log: slog.New(slog.NewTextHandler(&r.log, nil)), Life: life,
		DataKey: func() ([]byte, error) { return []byte(dataKey), nil }}
}

// Read implements rest.Cluster.
func (r *rig) Read(context.Context) (state.View, error) { return r.machine.View(), nil }

// Propose implements rest.Cluster; a second passes with each entry.
func (r *rig) Propose(_ context.Context, e command.Envelope) (rest.Done, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	unknown := errs.Errorf("rig.propose", errs.Unknown, "nobody knows")
	if r.vanish > 0 {
		r.vanish--
		return rest.Done{}, unknown
	}
	data, err := command.Encode(e)
	if err != nil {
		return rest.Done{}, err
	}
	r.clock.Advance(time.Second)
	r.index++
	res := r.machine.ApplyBatch([]fsm.Entry{{Index: r.index, Term: 1, At: r.clock.Now().UnixNano(), Data: data}})[0]
	if r.lost > 0 {
		r.lost--
		return rest.Done{}, unknown
	}
	return rest.Done{Index: r.index, IDs: res.IDs, View: r.machine.View()}, res.Err
}

func (r *rig) must(by command.By, c command.Command) {
	r.t.Helper()
	if _, err := r.Propose(context.Background(), command.Envelope{By: by, Command: c}); err != nil {
		r.t.Fatalf("%s: %v", c.Kind(), err)
	}
}

// token makes a token for a node, good for ten minutes.
func (r *rig) token(role pki.Role, name string, addresses ...string) pki.Token {
	r.t.Helper()
	if len(addresses) == 0 {
		addresses = []string{"127.0.0.1:8770"}
	}
	t := must(pki.NewToken(clusterID, r.authority.Fingerprint(), addresses))
	r.must(command.By{System: command.Operator}, &command.JoinTokenCreate{ID: model.TokenID(t.ID), Role: string(role), Name: name,
		SecretHash: t.SecretHash(), ExpiresAt: r.clock.Now().Add(10 * time.Minute).UnixNano()})
	return t
}

// asking is what an honest node says.
func asking(t pki.Token, key crypto.Signer, role pki.Role, name, id string) joining.Ask {
	who := pki.Identity{Cluster: clusterID, Role: role, ID: id, Name: name}
	a := joining.Ask{TokenID: t.ID, Secret: t.Secret[:], Role: string(role), Name: name, NodeID: id, CSR: must(pki.NewRequest(key, who))}
	if role == pki.Control {
		a.Address, a.PublicURL, a.Version = name+":8770", "http://"+name+":8774", "1.0"
	}
	return a
}

// post sends a body to a door and gives the status and the answer's text.
func post(h http.Handler, from string, body []byte) (int, string) {
	req := httptest.NewRequest("POST", joining.Path, bytes.NewReader(body))
	req.RemoteAddr = from + ":1000"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

// ask sends a question from an address that has never failed.
func (r *rig) ask(a joining.Ask) (int, string) {
	r.mu.Lock()
	r.index++ // any number that was not there before
	from := fmt.Sprintf("10.%d.%d.%d", r.index>>16&255, r.index>>8&255, r.index&255)
	r.mu.Unlock()
	return post(r.handler, from, must(json.Marshal(a)))
}

// joined sends a question that is answered well.
func (r *rig) joined(a joining.Ask) joining.Answer {
	r.t.Helper()
	status, text := r.ask(a)
	var out joining.Answer
	if err := json.Unmarshal([]byte(text), &out); err != nil || status != http.StatusOK {
		r.t.Fatalf("%d %s", status, text)
	}
	return out
}

const notGood = `{"error":{"kind":"unauthorized","message":"The join token is not good: ask for a new one."}}`

// turnedAway expects the one answer that every bad token gets, at the door: it
// does not even come to the log.
func (r *rig) turnedAway(what string, a joining.Ask) {
	r.t.Helper()
	before := r.machine.View().Index
	if status, text := r.ask(a); status != http.StatusUnauthorized || strings.TrimSpace(text) != notGood {
		r.t.Errorf("%s: %d %s", what, status, text)
	}
	if now := r.machine.View().Index; now != before {
		r.t.Errorf("%s: it came to entry %d, from %d", what, now, before)
	}
}

func (r *rig) members() (n int) {
	for range r.machine.View().Certificates() {
		n++
	}
	return n
}
