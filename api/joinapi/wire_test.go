package joinapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/pki/joining"
	"github.com/kvorum/kvorum/internal/wire"
)

// listen serves the door on a port of its own and gives the port's address.
func (r *rig) listen() string {
	r.t.Helper()
	end := pki.Endpoint{Credentials: r.first, Clock: r.clock}
	port := must(wire.Listen("127.0.0.1:0", wire.Config{TLS: end.Server(pki.Join, pki.Agents, pki.Peer), Clock: r.clock}))
	srv := wire.Server(r.handler, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	l := port.Listener(pki.Join)
	go func() { done <- srv.Serve(l) }()
	r.t.Cleanup(func() {
		if err := errors.Join(srv.Close(), port.Close()); err != nil {
			r.t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			r.t.Error(err)
		}
	})
	return port.Addr().String()
}

// nobody gives an address at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

// TestJoinOverTheWire goes the whole way: token text, TLS, door, log,
// certificate, and a connection with it.
func TestJoinOverTheWire(t *testing.T) {
	r := newRig(t)
	address := r.listen()
	text := must(r.token(pki.Agent, "h1", nobody(t), address).Text())
	dir := t.TempDir()
	req := joining.Request{Role: pki.Agent, Name: "h1", ID: hostA, Key: must(pki.PendingKey(dir)), Clock: r.clock}
	r.lost = 1
	token := must(pki.ParseToken(text))
	if _, _, err := joining.Join(context.Background(), token, req); !errs.Is(err, errs.Unknown) {
		t.Fatalf("an answer that was lost: %v", err)
	}
	req.Key = must(pki.PendingKey(dir)) // it was started again meanwhile
	creds, out, err := joining.Join(context.Background(), token, req)
	if err != nil {
		t.Fatal(err)
	}
	if out.ClusterID != clusterID || len(out.Controls) != 1 {
		t.Errorf("answer %+v", out)
	}
	if err := creds.Save(dir); err != nil {
		t.Fatal(err)
	}
	end := pki.Endpoint{Credentials: must(pki.Load(dir)), Clock: r.clock}
	conn, err := wire.Dial(context.Background(), address, end.Client(pki.Agents, pki.Expect(pki.Control, firstNode)))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	req.Key = nil
	if _, _, err := joining.Join(context.Background(), token, req); !errs.Is(err, errs.Unauthorized) {
		t.Errorf("the token again, with a new key: %v", err)
	}
}

// TestTheSecretIsNotToldToStrangers: a node with a token of one cluster says
// nothing to another one.
func TestTheSecretIsNotToldToStrangers(t *testing.T) {
	mine, other := newRig(t), newRig(t)
	token := mine.token(pki.Agent, "h1", other.listen())
	_, _, err := joining.Join(context.Background(), token, joining.Request{Role: pki.Agent, Name: "h1", ID: hostA, Clock: mine.clock})
	if !errs.Is(err, errs.Unauthorized) {
		t.Errorf("joined a stranger: %v", err)
	}
	if other.log.Len() > 0 {
		t.Errorf("the stranger heard of it: %s", other.log.String())
	}
}
