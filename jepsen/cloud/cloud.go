package cloud

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/jepsen/testbed"
)

// Password is the admin's in every cloud of this package.
const Password = "kvorum-demo"

// Name is the cloud's in its clouds.yaml.
const Name = "kvorum"

// Options say what a cloud is like.
type Options struct {
	// Prefix and Dir are the rack's.
	Prefix, Dir string
	// Range is the rack's; zero for its default.
	Range netip.Prefix
	// Binary is the program to run.
	Binary string
	// Agents is how many hosts there are; at least 1.
	Agents int
	// Extra are further flags for the agents.
	Extra []string
	Clock clock.Clock
}

// Cloud is a running cloud.
type Cloud struct {
	Rack *testbed.Rack
	// Control runs the control node; Hosts run the agents.
	Control *testbed.Host
	Hosts   []*testbed.Host
	opts    Options
}

// Up lays out the rack, starts everything, and returns when the API is ready
// and every host is known. After an error the rack is left for a look; close
// it.
func Up(ctx context.Context, o Options) (*Cloud, error) {
	c := &Cloud{opts: o}
	var err error
	if c.Rack, err = testbed.New(ctx, testbed.Options{Prefix: o.Prefix, Dir: o.Dir, Range: o.Range, Uplink: true, Clock: o.Clock}); err != nil {
		return c, err
	}
	if c.Control, err = c.Rack.AddHost(ctx, "c1"); err != nil {
		return c, err
	}
	if err := c.StartControl(ctx); err != nil {
		return c, err
	}
	for i := range o.Agents {
		h, err := c.Rack.AddHost(ctx, fmt.Sprintf("h%d", i+1))
		if err != nil {
			return c, err
		}
		c.Hosts = append(c.Hosts, h)
		if err := h.StartLibvirt(ctx); err != nil {
			return c, err
		}
		if err := c.StartAgent(ctx, h); err != nil {
			return c, err
		}
	}
	return c, c.writeClouds()
}

// URL is the public API's.
func (c *Cloud) URL() string { return fmt.Sprintf("http://%s:8774", c.Control.Address()) }

// StartControl starts the control node and waits until it is ready.
func (c *Cloud) StartControl(ctx context.Context) error {
	_, err := c.Control.Start("control", c.opts.Binary, "control",
		"--node", "c1", "--data_dir", filepath.Join(c.Control.DataDir(), "kvorum"), "--control.bootstrap=true",
		"--control.admin_password", Password, "--log.level", "debug",
		"--public.listen", c.Control.Address().String()+":8774", "--control.listen", c.Control.Address().String()+":8770")
	if err != nil {
		return err
	}
	return c.wait(ctx, "the control node to be ready", func() bool {
		resp, err := http.Get(c.URL() + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// StartAgent starts a host's agent and waits until the cloud knows the host. It is given
// the agents' secret, as an operator would.
func (c *Cloud) StartAgent(ctx context.Context, h *testbed.Host) error {
	secret, err := os.ReadFile(filepath.Join(c.Control.DataDir(), "kvorum", "agent-secret"))
	if err != nil {
		return errs.E("cloud.agent", errs.Internal, "", err)
	}
	file := filepath.Join(h.DataDir(), "agent-secret")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		return errs.E("cloud.agent", errs.Internal, "", err)
	}
	argv := append([]string{c.opts.Binary, "agent", "--node", h.Name(), "--data_dir", filepath.Join(h.DataDir(), "kvorum"),
		"--agent.control", fmt.Sprintf("http://%s:8770", c.Control.Address()), "--agent.secret_file", file, "--log.level", "debug",
		"--agent.listen", h.Address().String() + ":8772", "--agent.stop_wait", "20s"}, c.opts.Extra...)
	if _, err := h.Start("agent", argv...); err != nil {
		return err
	}
	return c.wait(ctx, "the agent of "+h.Name()+" to be registered", func() bool {
		resp, err := http.Get(fmt.Sprintf("http://%s:8772/healthz", h.Address()))
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		var health struct{ Confirmed bool }
		return json.NewDecoder(resp.Body).Decode(&health) == nil && health.Confirmed
	})
}

// wait looks again and again until ok, for at most a minute.
func (c *Cloud) wait(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !ok() {
		if err := clock.Sleep(ctx, c.opts.Clock, 50*time.Millisecond); err != nil {
			return errs.E("cloud.wait", errs.Unavailable, "waited in vain for "+what+"; the logs are in "+c.opts.Dir+"\n"+c.tails(), err)
		}
	}
	return nil
}

// tails are the ends of all logs.
func (c *Cloud) tails() string {
	var b strings.Builder
	for _, h := range append([]*testbed.Host{c.Control}, c.Hosts...) {
		for _, p := range h.Processes() {
			fmt.Fprintf(&b, "--- %s on %s\n%s\n", p.Name(), h.Name(), p.LogTail())
		}
	}
	return b.String()
}

// CloudsFile is the clients' configuration for the cloud.
func (c *Cloud) CloudsFile() string { return c.File("clouds.yaml") }

// File is where a file of the cloud's users may lie: it goes with the rack.
func (c *Cloud) File(name string) string { return filepath.Join(c.Control.DataDir(), name) }

func (c *Cloud) writeClouds() error {
	text := fmt.Sprintf(`clouds:
  %s:
    auth:
      auth_url: %s/identity/v3
      username: admin
      password: %s
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
    identity_api_version: 3
`, Name, c.URL(), Password)
	if err := os.WriteFile(c.CloudsFile(), []byte(text), 0o644); err != nil {
		return errs.E("cloud.clouds", errs.Internal, "", err)
	}
	return nil
}

// Attach takes over a cloud that another process left running.
func Attach(o Options) (*Cloud, error) {
	c := &Cloud{opts: o}
	var err error
	if c.Rack, err = testbed.Attach(o.Dir, o.Clock); err != nil {
		return nil, err
	}
	for _, h := range c.Rack.Hosts() {
		if h.Name() == "c1" {
			c.Control = h
		} else {
			c.Hosts = append(c.Hosts, h)
		}
	}
	return c, nil
}
