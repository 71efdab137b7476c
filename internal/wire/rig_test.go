package wire

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/pki"
)

const (
	clusterA = "00000000-0000-4000-8000-00000000000a"
	clusterB = "00000000-0000-4000-8000-00000000000b"
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

// rig is a control node's port that echoes, and its cluster's authority.
type rig struct {
	t         *testing.T
	authority *pki.Authority
	end       pki.Endpoint
	clock     *clock.Fake
	port      *Port
	// accepted counts connections by protocol.
	accepted map[string]*atomic.Int64
	serving  sync.WaitGroup
}

var served = []string{pki.Raft, pki.Peer, pki.Images, pki.Agents, pki.Join}

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, authority: must(pki.NewAuthority(clusterA, day)), clock: clock.NewFake(day), accepted: map[string]*atomic.Int64{}}
	r.end = pki.Endpoint{Credentials: r.member(r.authority, pki.Control, nodeOne), Clock: r.clock}
	cfg.TLS, cfg.Clock = r.end.Server(served...), r.clock
	r.port = must(Listen("127.0.0.1:0", cfg))
	for _, p := range served {
		count := &atomic.Int64{}
		r.accepted[p] = count
		l := r.port.Listener(p)
		r.serving.Go(func() { r.echo(l, count) })
	}
	t.Cleanup(func() {
		if err := r.port.Close(); err != nil {
			t.Error(err)
		}
		r.serving.Wait()
		if s := r.port.Stats(); s.Members != 0 || s.Strangers != 0 {
			t.Errorf("after the end: %+v", s)
		}
	})
	return r
}

func (r *rig) echo(l net.Listener, count *atomic.Int64) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		count.Add(1)
		r.serving.Go(func() {
			defer c.Close()
			_, _ = io.Copy(c, c) // until the other side is gone
		})
	}
}

func (r *rig) address() string { return r.port.Addr().String() }

// member makes credentials that are good for an hour.
func (r *rig) member(a *pki.Authority, role pki.Role, id string) *pki.Credentials {
	return r.memberAt(a, role, id, day)
}

func (r *rig) memberAt(a *pki.Authority, role pki.Role, id string, at time.Time) *pki.Credentials {
	r.t.Helper()
	who := pki.Identity{Cluster: a.Cluster(), Role: role, ID: id, Name: "n"}
	key := must(pki.NewKey())
	cert := must(a.Sign(must(pki.NewRequest(key, who)), who, at, time.Hour))
	return must(pki.NewCredentials(key, cert.Raw, a.Certificate().Raw))
}

// as gives the settings of a client with such credentials that takes any
// server, so that the port alone is looked at.
func (r *rig) as(c *pki.Credentials, protocol string) *tls.Config {
	conf := pki.Endpoint{Credentials: c, Clock: r.clock}.Client(protocol, func(pki.Identity) error { return nil })
	conf.VerifyConnection = nil
	return conf
}

func (r *rig) control() *pki.Credentials { return r.member(r.authority, pki.Control, nodeTwo) }

// echoes dials and sends a word; an error if it does not come back.
func echoes(address string, conf *tls.Config) error {
	c, err := Dial(context.Background(), address, conf)
	if err != nil {
		return err
	}
	defer c.Close()
	return answers(c)
}

func answers(c net.Conn) error {
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("word")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 4))
	return err
}

// eventually waits for a state.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
}
