package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// maxConsole bounds what is read of a console's log, in bytes.
const maxConsole = 1 << 20

// consoles reads guests' console logs from their hosts' agents.
type consoles struct {
	token string
	http  http.Client
}

func newConsoles(token string) *consoles {
	return &consoles{token: token, http: http.Client{Timeout: 15 * time.Second}}
}

// Output gives the end of a server's console log, at most max bytes.
func (c *consoles) Output(ctx context.Context, host *model.Host, s *model.Server, max int) ([]byte, error) {
	const op = "console.output"
	if max <= 0 || max > maxConsole {
		max = maxConsole
	}
	url := fmt.Sprintf("http://%s/v1/guests/%s/console?max=%d", host.Address, s.ID, max)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, errs.E(op, errs.Internal, "", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, errs.E(op, errs.Unavailable, "The server's host does not answer.", err)
	}
	defer resp.Body.Close()
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
