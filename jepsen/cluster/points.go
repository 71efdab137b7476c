package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// Deed is what is to happen at a failpoint; see internal/failpoint.
type Deed struct {
	Do           string `json:"do"`
	Milliseconds int    `json:"ms,omitempty"`
	Skip         int    `json:"skip,omitempty"`
	Times        int    `json:"times,omitempty"`
	Percent      int    `json:"percent,omitempty"`
}

// Skew is how wrong a process's clock goes; see internal/clock.
type Skew struct {
	WallMS int64 `json:"wall_ms"`
	JumpMS int64 `json:"jump_ms"`
	Drift  int64 `json:"drift_ppm"`
}

// reading is what a process takes the time for.
type reading struct {
	Wall int64 `json:"wall_ns"`
	Mono int64 `json:"mono_ns"`
}

// orders speaks with the failpoints of one process.
type orders struct{ client *http.Client }

func (e *Env) orders(h *testbed.Host, program string) orders {
	path := socket(h, program)
	return orders{&http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}}
}

func (o orders) call(ctx context.Context, method, path string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://faults"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	resp, err := o.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func (o orders) set(ctx context.Context, point string, order Deed) error {
	return o.call(ctx, "PUT", "/points/"+point, order, nil)
}

func (o orders) clear(ctx context.Context, point string) error {
	return o.call(ctx, "DELETE", "/points/"+point, nil, nil)
}

// met is how many met an order at a point since the process began.
func (o orders) met(ctx context.Context, point string) (int64, error) {
	var all map[string]struct{ Met int64 }
	err := o.call(ctx, "GET", "/points", nil, &all)
	return all[point].Met, err
}
