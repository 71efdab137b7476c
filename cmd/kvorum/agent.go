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
	"github.com/kvorum/kvorum/internal/pki"
	"github.com/kvorum/kvorum/internal/wire"
	"github.com/kvorum/kvorum/netd/kernel"
	"github.com/kvorum/kvorum/raftnode"
)

// hostIDFile holds the host's identity: whoever loses it becomes a new host.
const hostIDFile = "host-id"

// bootIDFile names this boot of this machine. Tests have others.
var bootIDFile = "/proc/sys/kernel/random/boot_id"

// runAgent runs a host agent until ctx ends. Guests and their networks run on.
func runAgent(ctx context.Context, conf config.Config, log *slog.Logger) error {
	a, err := openAgent(ctx, conf, log)
	if err != nil {
		return err
	}
	return errors.Join(a.run(ctx), a.close())
}

// enterAgent makes the host a member of a cluster, if it is none yet, and does
// not run its agent.
func enterAgent(ctx context.Context, conf config.Config, log *slog.Logger) error {
	a, err := newAgent(ctx, conf, log)
	if err == nil {
		log.Info("host is in a cluster", "host", conf.Node, "id", a.id, "data_dir", conf.DataDir)
	}
	return errors.Join(err, a.close())
}

// agent is a host agent with its parts.
type agent struct {
	conf     config.Config
	log      *slog.Logger
	clock    clock.Clock
	id       string // the host's UUID
	endpoint pki.Endpoint
	nodes    *nodeList
	gossip   *agentGossip // nil if the host does not gossip
	stats    *raftnode.Metrics
	agent    *hostagent.Agent
	control  *control.Client
	driver   hostagent.Driver
	network  *netsvc.Host // nil for simulated hosts
}

// openAgent opens an agent's data folder and everything in it. A new host joins
// the cluster first.
func openAgent(ctx context.Context, conf config.Config, log *slog.Logger) (*agent, error) {
	a, err := newAgent(ctx, conf, log)
	if err == nil {
		err = a.open()
	}
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// newAgent gives an agent whose host is a member of a cluster; after an error
// too it is to be closed.
func newAgent(ctx context.Context, conf config.Config, log *slog.Logger) (*agent, error) {
	a := &agent{conf: conf, log: log, clock: clock.Real{}}
	// The port comes first: a host that cannot have it joins nothing.
	if err := a.openGossip(); err != nil {
		return a, err
	}
	return a, a.enter(ctx)
}

// open opens all parts; what is open after an error is for close.
func (a *agent) open() (err error) {
	if a.stats, err = libraryMetrics(); err != nil {
		return err
	}
	c := hostagent.Config{Clock: a.clock, Log: a.log.With("part", "agent"), ImageLimit: a.conf.Agent.ImageCache,
		ImageDir: a.file("image-cache"), Identity: a.identity(a.id), Nodes: a.nodes.all}
	if c.Identity.Tunnel, err = tunnelAddress(a.conf.Agent); err != nil {
		return err
	}
	c.Rules.StopTimeout = a.conf.Agent.StopWait.D()
	if c.Disk, err = hostagent.NewFileDisk(a.file("ledger")); err != nil {
		return err
	}
	a.control, err = control.New(control.Config{Nodes: a.nodes.all, HostID: a.id, Clock: a.clock, HTTP: wire.Transport(a.expectControl())})
	if err != nil {
		return err
	}
	c.Control, c.Leases = a.control, a.control
	if err := a.keepPool(c.Identity.Address, a.control.Gossip); err != nil {
		return err
	}
	if err := a.openHost(&c, a.id); err != nil {
		return err
	}
	a.agent, err = hostagent.New(c)
	return err
}

// enter makes the host a member of a cluster, if it is none yet.
func (a *agent) enter(ctx context.Context) error {
	const op = "agent.enter"
	if err := os.MkdirAll(a.conf.DataDir, 0o711); err != nil {
		return errs.E(op, errs.Internal, "the data folder cannot be made", err)
	}
	var err error
	if a.id, err = nodeID(a.file(hostIDFile)); err != nil {
		return err
	}
	if a.nodes, err = openNodeList(a.file(nodesFile), a.conf.Agent.Control); err != nil {
		return err
	}
	credentials, err := pki.Load(a.file(tlsDir))
	if errs.Is(err, errs.NotFound) {
		if credentials, err = a.join(ctx); err != nil {
			return err
		}
	}
	a.endpoint = pki.Endpoint{Credentials: credentials, Clock: a.clock}
	return err
}

func (a *agent) file(name string) string { return filepath.Join(a.conf.DataDir, name) }

// identity is what the agent adds to what its driver offers.
func (a *agent) identity(id string) assign.Capacity {
	c := assign.Capacity{HostID: id, Name: a.conf.Node, Address: a.conf.Agent.Advertise, Zone: a.conf.Agent.Zone, Version: version}
	if c.Address == "" {
		c.Address = a.conf.Agent.Listen
	}
	if b, err := os.ReadFile(bootIDFile); err == nil {
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
		Told: netsvc.Told{Domain: metasvc.Domain, Metadata: metasvc.Handler(a.desired, a.keepPassword)},
	}), nil
}

// keepPassword tells the control plane what a guest posted.
func (a *agent) keepPassword(ctx context.Context, p assign.Password) error {
	p.HostID = a.id
	return a.control.Password(ctx, p)
}

// desired is what the host is assigned, for the metadata service.
func (a *agent) desired() (assign.Desired, bool) {
	if a.agent == nil {
		return assign.Desired{}, false
	}
	d, ok := a.agent.Ledger().Desired()
	if a.network != nil {
		d.Networks = a.network.Fit(d.Networks)
	}
	return d, ok
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
	s := &servers{log: a.log.With("part", "http"), failed: failed}
	defer s.stop()
	port, err := wire.Listen(a.conf.Agent.Listen, wire.Config{Clock: a.clock, Log: a.log.With("part", "wire"), TLS: a.endpoint.Server(pki.Host)})
	if err != nil {
		return err
	}
	defer port.Close()
	s.on(port.Listener(pki.Host), a.agent.Handler())
	if a.conf.Agent.Observe != "" {
		if _, err := s.open(a.conf.Agent.Observe, a.observer()); err != nil {
			return err
		}
	}
	done := make(chan error, 1)
	go func() { done <- a.agent.Run(ctx) }()
	go a.learnNodes(ctx)
	gossiping := make(chan struct{})
	go func() { defer close(gossiping); a.gossip.run(ctx) }()
	defer func() { cancel(); <-gossiping }()
	a.log.Info("host agent runs", "host", a.conf.Node, "id", a.id, "driver", a.conf.Agent.Driver, "listen", port.Addr(), "version", version)
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

// observer is what those look at who watch over the agent.
func (a *agent) observer() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", a.agent.Observer())
	door := &operator.Door{Metrics: operator.NewMetrics(a.samples, a.gossipSamples), Token: a.conf.Metrics.Token, Ready: a.agent.Ready}
	door.Register(mux)
	return mux
}

// learnNodes keeps the list of control nodes as the lease's answers tell it.
func (a *agent) learnNodes(ctx context.Context) {
	for clock.Sleep(ctx, a.clock, learnEvery) == nil {
		var addresses []string
		for _, n := range a.agent.Lease().Nodes() {
			if n.Address != "" {
				addresses = append(addresses, n.Address)
			}
		}
		if err := a.nodes.learn(addresses); err != nil {
			a.log.Warn("the list of control nodes could not be written", "error", err)
		}
	}
}

// close stops what is open; guests run on.
func (a *agent) close() error {
	if a.network != nil {
		a.network.Close()
	}
	var all []error
	if a.driver != nil {
		all = append(all, a.driver.Close())
	}
	if a.gossip != nil {
		all = append(all, a.gossip.close())
	}
	return errors.Join(all...)
}
