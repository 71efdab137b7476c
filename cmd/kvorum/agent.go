package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/kvorum/kvorum/api/operator"
	"github.com/kvorum/kvorum/cmd/kvorum/config"
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/control"
	"github.com/kvorum/kvorum/hostagent/libvirt"
	"github.com/kvorum/kvorum/hostagent/metasvc"
	"github.com/kvorum/kvorum/hostagent/netsvc"
	"github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/netd/kernel"
)

// hostIDFile holds the host's identity: whoever loses it becomes a new host.
const hostIDFile = "host-id"

// runAgent runs a host agent until ctx ends. Guests and their networks run on.
func runAgent(ctx context.Context, conf config.Config, log *slog.Logger) error {
	a, err := openAgent(conf, log)
	if err != nil {
		return err
	}
	return errors.Join(a.run(ctx), a.close())
}

// agent is a host agent with its parts.
type agent struct {
	conf    config.Config
	log     *slog.Logger
	secret  string
	agent   *hostagent.Agent
	driver  hostagent.Driver
	network *netsvc.Host // nil for simulated hosts
}

func openAgent(conf config.Config, log *slog.Logger) (*agent, error) {
	if err := os.MkdirAll(conf.DataDir, 0o711); err != nil {
		return nil, errs.E("agent.open", errs.Internal, "the data folder cannot be made", err)
	}
	a := &agent{conf: conf, log: log}
	if conf.Agent.SecretFile == "" {
		return nil, errs.Errorf("agent.open", errs.Invalid, "agent.secret_file is not set: copy the control node's data_dir/%s here and name it", agentSecretFile)
	}
	var err error
	if a.secret, err = secret(conf.Agent.SecretFile, noSecret(conf.Agent.SecretFile)); err != nil {
		return nil, err
	}
	id, err := secret(filepath.Join(conf.DataDir, hostIDFile), func() (string, error) { return uuid.NewString(), nil })
	if err != nil {
		return nil, err
	}
	c := hostagent.Config{Clock: clock.Real{}, Log: log.With("part", "agent"), ImageLimit: conf.Agent.ImageCache,
		ImageDir: filepath.Join(conf.DataDir, "image-cache"), Identity: a.identity(id)}
	c.Rules.StopTimeout = conf.Agent.StopWait.D()
	if c.Disk, err = hostagent.NewFileDisk(filepath.Join(conf.DataDir, "ledger")); err != nil {
		return nil, err
	}
	c.Control, err = control.New(control.Config{BaseURLs: conf.Agent.Control, Token: a.secret, HostID: id, Clock: c.Clock})
	if err != nil {
		return nil, err
	}
	if err := a.openHost(&c, id); err != nil {
		return nil, err
	}
	if a.agent, err = hostagent.New(c); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func noSecret(file string) func() (string, error) {
	return func() (string, error) {
		return "", errs.Errorf("agent.secret", errs.Invalid, "%s is not there: copy the control node's data_dir/%s to it", file, agentSecretFile)
	}
}

// identity is what the agent adds to what its driver offers.
func (a *agent) identity(id string) assign.Capacity {
	c := assign.Capacity{HostID: id, Name: a.conf.Node, Address: a.conf.Agent.Advertise, Zone: a.conf.Agent.Zone, Version: version}
	if c.Address == "" {
		c.Address = a.conf.Agent.Listen
	}
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		c.BootID = strings.TrimSpace(string(b))
	}
	return c
}

// openHost opens the hypervisor and the network: real ones, or simulated.
func (a *agent) openHost(c *hostagent.Config, id string) error {
	switch a.conf.Agent.Driver {
	case "sim":
		a.driver = sim.New(sim.Options{Clock: c.Clock, Capacity: simulated(a.conf.Agent)})
		c.Driver, c.Network, c.Images = a.driver, sim.NewNetwork(), sim.NewImages()
		return nil
	case "libvirt":
		d, err := libvirt.Open(libvirt.Options{URI: a.conf.Agent.LibvirtURI, InstancesDir: filepath.Join(a.conf.DataDir, "instances"),
			HostUUID: id, Version: version, Type: libvirt.DomainType(a.conf.Agent.VirtType), Log: c.Log, Clock: c.Clock})
		if err != nil {
			return err
		}
		a.driver, c.Driver = d, offer{d, a.conf.Agent}
		a.network, err = a.openNetwork()
		c.Network = a.network
		return err
	}
	return errs.Errorf("agent.open", errs.Invalid, "agent.driver: %q is neither libvirt nor sim", a.conf.Agent.Driver)
}

func (a *agent) openNetwork() (*netsvc.Host, error) {
	var denied []netip.Prefix
	for _, s := range a.conf.Agent.Deny {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, errs.Errorf("agent.deny", errs.Invalid, "agent.deny: %q is not a range such as 10.0.0.0/8", s)
		}
		denied = append(denied, p.Masked())
	}
	return netsvc.NewHost(netsvc.HostOptions{
		Prefix: a.conf.Agent.Prefix, Denied: denied, Kernel: kernel.New(kernel.Options{Prefix: a.conf.Agent.Prefix}),
		Resolvers: a.resolvers, Log: a.log.With("part", "network"),
		Told: netsvc.Told{Domain: metasvc.Domain, Metadata: metasvc.Handler(a.desired)},
	}), nil
}

// desired is what the host is assigned, for the metadata service.
func (a *agent) desired() (assign.Desired, bool) {
	if a.agent == nil {
		return assign.Desired{}, false
	}
	return a.agent.Ledger().Desired()
}

// resolvers are those set, or the machine's own.
func (a *agent) resolvers() []string {
	if len(a.conf.Agent.DNS) > 0 {
		return a.conf.Agent.DNS
	}
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0] == "nameserver" {
			if ip, err := netip.ParseAddr(f[1]); err == nil {
				out = append(out, netip.AddrPortFrom(ip, 53).String())
			}
		}
	}
	return out
}

// run works until ctx ends.
func (a *agent) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	s := &servers{}
	addr, err := s.open(a.conf.Agent.Listen, a.handler(), failed)
	if err != nil {
		return err
	}
	defer s.stop()
	done := make(chan error, 1)
	go func() { done <- a.agent.Run(ctx) }()
	a.log.Info("host agent runs", "host", a.conf.Node, "driver", a.conf.Agent.Driver, "listen", addr, "version", version)
	select {
	case err = <-failed:
		cancel()
		return errors.Join(err, <-done)
	case err = <-done:
		if errors.Is(err, context.Canceled) {
			return nil // it was told to end, and did
		}
		return err
	}
}

// handler is the agent's own side, and what operators look at on it.
func (a *agent) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", a.agent.Handler(a.secret))
	door := &operator.Door{Metrics: operator.NewMetrics(a.samples), Token: a.conf.Metrics.Token, Ready: a.agent.Ready}
	door.Register(mux)
	return mux
}

func (a *agent) close() error {
	if a.network != nil {
		a.network.Close()
	}
	if a.driver == nil {
		return nil
	}
	return a.driver.Close()
}
