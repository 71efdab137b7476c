package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/wire"
)

// maxConsole bounds what is read of a console's log, in bytes.
const maxConsole = 1 << 20

// consoles reads guests' console logs from their hosts' agents.
type consoles struct{ http http.Client }

func newConsoles(e pki.Endpoint) *consoles {
	conf := e.Client(pki.Host, pki.Expect(pki.Agent, ""))
	return &consoles{http: http.Client{Timeout: 15 * time.Second, Transport: wire.Transport(func(string) *tls.Config { return conf })}}
}

// Output gives the end of a server's console log, at most max bytes.
func (c *consoles) Output(ctx context.Context, host *model.Host, s *model.Server, max int) ([]byte, error) {
	const op = "console.output"
	if max <= 0 || max > maxConsole {
		max = maxConsole
	}
	url := fmt.Sprintf("https://%s/v1/guests/%s/console?max=%d", host.Address, s.ID, max)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, errs.E(op, errs.Unavailable, "The server's host does not answer.", err)
	}
	defer resp.Body.Close()
	// An address may have become another host's.
	if who, err := wire.PeerIn(resp.TLS); err != nil || who.ID != string(host.ID) {
		return nil, errs.E(op, errs.Unavailable, "The server's host does not answer.", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxConsole))
	switch {
	case err != nil:
		return nil, errs.E(op, errs.Unavailable, "The server's host does not answer.", err)
	case resp.StatusCode == http.StatusNotFound:
		return nil, errs.Errorf(op, errs.NotFound, "Guest does not have a console available.")
	case resp.StatusCode != http.StatusOK:
		return nil, errs.Errorf(op, errs.Unavailable, "The server's host cannot give its console now.")
	}
	return body, nil
}
