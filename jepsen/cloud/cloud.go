package cloud

import (
	"context"
	"fmt"
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
	// Controls is how many control nodes there are, and Agents how many hosts;
	// at least 1 of each.
	Controls, Agents int
	// ControlFlags and AgentFlags are further flags.
	ControlFlags, AgentFlags []string
	// Wire carries the rack's eth0 in place of its bridge, if it is set.
	Wire testbed.Wire
	// Simulated hosts need no libvirt and run no real guests.
	Simulated bool
	// Prepare (optional) is called for each control node's machine, before
	// anything runs there.
	Prepare func(ctx context.Context, h *testbed.Host) error
	// Environment (optional) gives variables, NAME=value, for a program on a host.
	Environment func(h *testbed.Host, program string) []string
	Clock       clock.Clock
}

// Cloud is a running cloud.
type Cloud struct {
	Rack *testbed.Rack
	// Controls run the control nodes, c1 and so on; Hosts run the agents, h1
	// and so on.
	Controls, Hosts []*testbed.Host
	opts            Options
}

// Up lays out the rack, starts everything, and returns when every control node
// is ready and votes (an even one of two or four follows only), and every host
// is known. After an error the rack is left for a look; close it.
func Up(ctx context.Context, o Options) (*Cloud, error) {
	c := &Cloud{opts: o}
	var err error
	if c.Rack, err = testbed.New(ctx, testbed.Options{Prefix: o.Prefix, Dir: o.Dir, Range: o.Range, Uplink: true, Wire: o.Wire, Clock: o.Clock}); err != nil {
		return c, err
	}
	for i := range o.Controls {
		if err := c.addControl(ctx, i+1); err != nil {
			return c, err
		}
	}
	for i := range o.Agents {
		if err := c.addHost(ctx, i+1); err != nil {
			return c, err
		}
	}
	if err := c.WaitVoters(ctx, o.Controls-(1-o.Controls%2)); err != nil {
		return c, err
	}
	return c, c.writeClouds()
}

func (c *Cloud) addControl(ctx context.Context, number int) error {
	h, err := c.Rack.AddHost(ctx, fmt.Sprintf("c%d", number))
	if err != nil {
		return err
	}
	c.Controls = append(c.Controls, h)
	if c.opts.Prepare != nil {
		if err := c.opts.Prepare(ctx, h); err != nil {
			return err
		}
	}
	how := []string{"--bootstrap", "--control.admin_password", Password}
	if number > 1 {
		token, err := c.Token(ctx, "control", h.Name())
		if err != nil {
			return err
		}
		how = []string{"--join", token}
	}
	return c.StartControl(ctx, h, how...)
}

func (c *Cloud) addHost(ctx context.Context, number int) error {
	h, err := c.Rack.AddHost(ctx, fmt.Sprintf("h%d", number))
	if err != nil {
		return err
	}
	c.Hosts = append(c.Hosts, h)
	if err := c.startLibvirt(ctx, h); err != nil {
		return err
	}
	token, err := c.Token(ctx, "agent", h.Name())
	if err != nil {
		return err
	}
	return c.StartAgent(ctx, h, "--join", token)
}

func (c *Cloud) startLibvirt(ctx context.Context, h *testbed.Host) error {
	if c.opts.Simulated {
		return nil
	}
	return h.StartLibvirt(ctx)
}

// data is the program's folder on a machine.
func data(h *testbed.Host) string { return filepath.Join(h.DataDir(), "kvorum") }

// Token asks the first control node for a token with which a node may join.
func (c *Cloud) Token(ctx context.Context, role, name string) (string, error) {
	first := c.Controls[0]
	out, err := first.Command(ctx, c.opts.Binary, "operator", "token", "create", "--data_dir", data(first), "--role", role, "--name", name).CombinedOutput()
	if err != nil {
		return "", errs.E("cloud.token", errs.Internal, "", fmt.Errorf("%w: %s", err, out))
	}
	return strings.TrimSpace(string(out)), nil
}

// URL is the public API's, of the first control node.
func (c *Cloud) URL() string { return PublicURL(c.Controls[0]) }

// PublicURL is the public API's of a control node.
func PublicURL(h *testbed.Host) string { return fmt.Sprintf("http://%s:8774", h.Address()) }

// StartControl starts a control node and waits until it is ready. how says
// what it does at its very first start.
func (c *Cloud) StartControl(ctx context.Context, h *testbed.Host, how ...string) error {
	if err := c.LaunchControl(h, how...); err != nil {
		return err
	}
	return c.WaitReady(ctx, h)
}

// WaitReady waits until a control node is ready.
func (c *Cloud) WaitReady(ctx context.Context, h *testbed.Host) error {
	return c.wait(ctx, "the control node "+h.Name()+" to be ready", func() bool { return fetch(PublicURL(h)+"/readyz", nil) == nil })
}

// LaunchControl starts a control node and does not wait for it.
func (c *Cloud) LaunchControl(h *testbed.Host, how ...string) error {
	argv := append([]string{c.opts.Binary, "control", "--node", h.Name(), "--data_dir", data(h), "--log.level", "debug",
		"--public.listen", h.Address().String() + ":8774", "--control.listen", h.Address().String() + ":8770"}, how...)
	_, err := h.Start("control", c.within(h, "control", append(argv, c.opts.ControlFlags...))...)
	return err
}

// within gives a command its environment.
func (c *Cloud) within(h *testbed.Host, program string, argv []string) []string {
	if c.opts.Environment == nil {
		return argv
	}
	return append(append([]string{"env"}, c.opts.Environment(h, program)...), argv...)
}

// StartAgent starts a host's agent and waits until the cloud knows the host.
// how says what it does at its very first start.
func (c *Cloud) StartAgent(ctx context.Context, h *testbed.Host, how ...string) error {
	if err := c.launchAgent(h, how...); err != nil {
		return err
	}
	return c.waitAgent(ctx, h)
}

func (c *Cloud) launchAgent(h *testbed.Host, how ...string) error {
	argv := append([]string{c.opts.Binary, "agent", "--node", h.Name(), "--data_dir", data(h), "--log.level", "debug",
		"--agent.listen", h.Address().String() + ":8772", "--agent.observe", h.Address().String() + ":8779", "--agent.stop_wait", "20s"}, how...)
	if c.opts.Simulated {
		argv = append(argv, "--agent.driver", "sim")
	}
	_, err := h.Start("agent", c.within(h, "agent", append(argv, c.opts.AgentFlags...))...)
	return err
}

func (c *Cloud) waitAgent(ctx context.Context, h *testbed.Host) error {
	return c.wait(ctx, "the agent of "+h.Name()+" to be registered", func() bool {
		var health struct{ Confirmed bool }
		return fetch(fmt.Sprintf("http://%s:8779/healthz", h.Address()), &health) == nil && health.Confirmed
	})
}

// wait looks again and again until ok, for at most a minute.
func (c *Cloud) wait(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !ok() {
		if err := clock.Sleep(ctx, c.opts.Clock, 50*time.Millisecond); err != nil {
			return errs.E("cloud.wait", errs.Unavailable, "waited in vain for "+what+"; the logs are in "+c.opts.Dir+"\n"+c.Tails(), err)
		}
	}
	return nil
}

// Tails are the ends of all logs, for messages.
func (c *Cloud) Tails() string {
	var b strings.Builder
	for _, h := range c.Machines() {
		for _, p := range h.Processes() {
			fmt.Fprintf(&b, "--- %s on %s\n%s\n", p.Name(), h.Name(), p.LogTail())
		}
	}
	return b.String()
}

// CloudsFile is the clients' configuration for the cloud. It has the cloud once
// for each control node, under the node's name, and the first one under Name.
func (c *Cloud) CloudsFile() string { return c.File("clouds.yaml") }

// File is where a file of the cloud's users may lie: it goes with the rack.
func (c *Cloud) File(name string) string { return filepath.Join(c.Controls[0].DataDir(), name) }

func (c *Cloud) writeClouds() error {
	text := "clouds:\n" + cloudEntry(Name, c.URL())
	for _, h := range c.Controls {
		text += cloudEntry(h.Name(), PublicURL(h))
	}
	if err := os.WriteFile(c.CloudsFile(), []byte(text), 0o644); err != nil {
		return errs.E("cloud.clouds", errs.Internal, "", err)
	}
	return nil
}

func cloudEntry(name, url string) string {
	return fmt.Sprintf(`  %s:
    auth:
      auth_url: %s/identity/v3
      username: admin
      password: %s
      project_name: admin
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
    identity_api_version: 3
`, name, url, Password)
}

// Attach takes over a cloud that another process left running.
func Attach(o Options) (*Cloud, error) {
	c := &Cloud{opts: o}
	var err error
	if c.Rack, err = testbed.Attach(o.Dir, o.Clock); err != nil {
		return nil, err
	}
	for _, h := range c.Rack.Hosts() {
		if strings.HasPrefix(h.Name(), "c") {
			c.Controls = append(c.Controls, h)
		} else {
			c.Hosts = append(c.Hosts, h)
		}
	}
	return c, nil
}
