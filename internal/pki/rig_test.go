package pki

import (
	"crypto/tls"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
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

func identity(role Role, id string) Identity {
	return Identity{Cluster: clusterA, Role: role, ID: id, Name: "n-" + id[len(id)-1:]}
}

// member makes credentials from an authority, good for an hour from day.
func member(t *testing.T, a *Authority, who Identity) *Credentials {
	t.Helper()
	key := must(NewKey())
	cert, err := a.Sign(must(NewRequest(key, who)), who, day, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return must(NewCredentials(key, cert.Raw, a.Certificate().Raw))
}

func endpoint(c *Credentials) Endpoint {
	return Endpoint{Credentials: c, Clock: clock.NewFake(day)}
}

// shake runs a handshake, and lets a byte go each way after it. The errors are
// those of the server and the client.
func shake(t *testing.T, server, client *tls.Config) (error, error) {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	deadline := time.Now().Add(10 * time.Second)
	if err := errors.Join(near.SetDeadline(deadline), far.SetDeadline(deadline)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		c := tls.Server(far, server)
		err := c.Handshake()
		if err == nil {
			_, err = c.Write([]byte{1})
		}
		far.Close()
		done <- err
	}()
	c := tls.Client(near, client)
	_, err := c.Read(make([]byte, 1))
	near.Close()
	return <-done, err
}

func kindIs(t *testing.T, what string, err error, kind errs.Kind) {
	t.Helper()
	if !errs.Is(err, kind) {
		t.Errorf("%s: %v, want it to be %v", what, err, kind)
	}
}
