package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/jepsen/testbed"
)

// looks are for looking at a cloud: a node that hangs is as good as none.
var looks = http.Client{Timeout: 2 * time.Second}

// fetch reads a JSON answer with status 200; into may be nil.
func fetch(url string, into any) error {
	resp, err := looks.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// Health is what a control node says of itself.
type Health struct {
	Role   string
	Term   uint64
	Index  uint64
	Hash   string
	Voters int
}

// Health asks a control node.
func (c *Cloud) Health(h *testbed.Host) (out Health, err error) {
	return out, fetch(PublicURL(h)+"/healthz", &out)
}

// Leader waits until a control node says that it leads.
func (c *Cloud) Leader(ctx context.Context) (*testbed.Host, error) {
	var found *testbed.Host
	err := c.wait(ctx, "a leader", func() bool {
		var term uint64
		for _, h := range c.Controls {
			if s, err := c.Health(h); err == nil && s.Role == "leader" && s.Term > term {
				found, term = h, s.Term
			}
		}
		return term > 0
	})
	return found, err
}

// WaitVoters waits until the leader counts so many voters.
func (c *Cloud) WaitVoters(ctx context.Context, voters int) error {
	return c.wait(ctx, fmt.Sprintf("%d voters", voters), func() bool {
		for _, h := range c.Controls {
			if s, err := c.Health(h); err == nil && s.Role == "leader" {
				return s.Voters == voters
			}
		}
		return false
	})
}
