package hostagent

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Config is what an Agent is made of. All but the fields marked optional must
// be given.
type Config struct {
	// Identity is what the agent adds to the driver's capacity: HostID, Name,
	// Address, Zone, BootID, Version. HostID must be given.
	Identity assign.Capacity
	// ClusterID (optional) is the cluster that the host belongs to; without it
	// the first accepted desired state decides.
	ClusterID string

	Driver  Driver
	Network Network
	Control Control
	Disk    Disk
	// Leases carries the renewals of the host's lease. Nodes (optional) gives the
	// addresses of control nodes that are known otherwise; it is asked for as long
	// as the lease is not held, and must not block. The lease tells of further ones.
	Leases LeaseTransport
	Nodes  func() []string
	// Images is where images come from. Nil means a cache in ImageDir, filled
	// through Control, that prunes when it is over ImageLimit bytes (0: never).
	Images     ImageStore
	ImageDir   string
	ImageLimit int64

	Clock clock.Clock
	Log   *slog.Logger
	// Rules (optional) decide times and limits.
	Rules Rules
	// MaxFetches and MaxActs (optional) bound how many guests fetch images, and
	// how many are defined or started, at once; 2 and 4 if not given.
	MaxFetches, MaxActs int
}

const (
	// lookAgain bounds how long a lost event stays unseen; scanEvery how long
	// an unknown guest or a changed capacity does.
	lookAgain = 30 * time.Second
	scanEvery = time.Minute
	// applyEvery is how often the network is applied without need, to mend
	// what others broke.
	applyEvery = 30 * time.Second
)

// Agent is one host's. It is used in one of two ways: Run does everything, or
// one thread calls Scan, Poll, ApplyNetwork, Sweep and Flush as it likes.
type Agent struct {
	host
	identity assign.Capacity
	driver   Driver
	network  Network
	control  Control
	leases   LeaseTransport
	contact  *contact

	netWake   chan struct{}
	leaseWake chan struct{}
	unplugged atomic.Bool // the network was last applied in vain

	mu         sync.Mutex
	guests     map[string]*Guest
	workers    map[string]*worker
	spawn      func(*worker) // nil while there are no workers
	registered bool
	capacity   assign.Capacity
	away       bool
	heard      bool               // the control plane has answered since the start
	interrupt  context.CancelFunc // ends the question that is under way
}

// New opens the ledger and makes an agent that does nothing yet.
func New(c Config) (*Agent, error) {
	if !validID(c.Identity.HostID) {
		return nil, errs.Errorf("hostagent.new", errs.Invalid, "The host's id %q cannot be used.", c.Identity.HostID)
	}
	if c.Leases == nil {
		return nil, errs.Errorf("hostagent.new", errs.Invalid, "Nobody is named who carries the renewals of the host's lease.")
	}
	ledger, err := OpenLedger(c.Disk, c.Identity.HostID, c.ClusterID)
	if err != nil {
		return nil, err
	}
	if err := ledger.numberReports(c.Clock.Now()); err != nil {
		return nil, err
	}
	if c.Nodes == nil {
		c.Nodes = func() []string { return nil }
	}
	if c.MaxFetches <= 0 {
		c.MaxFetches = 2
	}
	if c.MaxActs <= 0 {
		c.MaxActs = 4
	}
	heard := &contact{Control: c.Control, clock: c.Clock}
	c.Control = heard
	a := &Agent{identity: c.Identity, driver: c.Driver, network: c.Network, control: c.Control, leases: c.Leases, contact: heard,
		netWake: make(chan struct{}, 1), leaseWake: make(chan struct{}, 1), guests: map[string]*Guest{}, workers: map[string]*worker{}}
	a.host = host{
		rules: c.Rules.filled(), ledger: ledger, clock: c.Clock, counters: &Counters{}, log: c.Log,
		gates: newGates(c.MaxFetches, c.MaxActs), lookAgain: lookAgain,
		lease: newLease(c.Identity.HostID, instance(c.Identity.BootID, ledger), ledger.ClusterID, c.Nodes),
	}
	a.asked.Store(neverAsked)
	a.reporter = newReporter(c.Identity.HostID, a.lease.instance, c.Control, ledger, a.counters, c.Log)
	if c.Images == nil {
		c.Images, err = OpenImageCache(ImageCacheConfig{Dir: c.ImageDir, Limit: c.ImageLimit,
			Open: c.Control.Image, InUse: a.imagesInUse, Log: c.Log})
		if err != nil {
			return nil, err
		}
	}
	a.hands = Hands{Driver: c.Driver, Images: c.Images, Network: c.Network, StopTimeout: a.rules.StopTimeout}
	for _, id := range ledger.IDs() {
		a.guest(id)
	}
	return a, nil
}

// imagesInUse is not sure while there is a guest here whose disks' images were
// never recorded, or the control plane has not been heard yet.
func (a *Agent) imagesInUse() (map[string]bool, bool) {
	for _, g := range a.Guests() {
		if g.Quarantined() && a.ledger.Record(g.id).ID == "" {
			return nil, false
		}
	}
	return a.ledger.Images(), a.ledger.Confirmed()
}

// guest gives the guest's machine, made and set to work if it is new.
func (a *Agent) guest(id string) *Guest {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.guests[id]
	if g == nil {
		g = &Guest{id: id, on: &a.host}
		a.guests[id] = g
	}
	if a.spawn != nil && a.workers[id] == nil {
		w := &worker{guest: g, wake: make(chan struct{}, 1)}
		a.workers[id] = w
		a.spawn(w)
	}
	return g
}

// Guests lists the guests that have turns, by id.
func (a *Agent) Guests() []*Guest {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make([]*Guest, 0, len(a.guests))
	for _, id := range slices.Sorted(maps.Keys(a.guests)) {
		all = append(all, a.guests[id])
	}
	return all
}

// Scan finds the guests that are on the host, wanted or not, and notes whether
// the host's capacity changed.
func (a *Agent) Scan(ctx context.Context) error {
	have, err := a.driver.List(ctx)
	if err != nil {
		return errs.E("hostagent.scan", errs.Internal, "", err)
	}
	for _, h := range have {
		if validID(h.ID) {
			a.guest(h.ID)
		}
	}
	capacity, err := a.fullCapacity(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.registered && !sameCapacity(capacity, a.capacity) {
		a.registered = false
	}
	return nil
}

func sameCapacity(a, b assign.Capacity) bool {
	same := slices.Equal(a.Archs, b.Archs)
	a.Archs, b.Archs = nil, nil
	return same && a.HostID == b.HostID && a.Name == b.Name && a.Address == b.Address && a.Zone == b.Zone && a.Tunnel == b.Tunnel &&
		a.VCPUs == b.VCPUs && a.RAM == b.RAM && a.Disk == b.Disk &&
		a.VCPURatio == b.VCPURatio && a.RAMRatio == b.RAMRatio && a.DiskRatio == b.DiskRatio && a.Hypervisor == b.Hypervisor &&
		a.HypervisorVersion == b.HypervisorVersion && a.CPUInfo == b.CPUInfo
}

// fullCapacity is the driver's with the agent's identity.
func (a *Agent) fullCapacity(ctx context.Context) (assign.Capacity, error) {
	c, err := a.driver.Capacity(ctx)
	if err != nil {
		return c, errs.E("hostagent.capacity", errs.Internal, "", err)
	}
	i := a.identity
	c.HostID, c.Name, c.Address, c.Zone, c.Tunnel = i.HostID, i.Name, i.Address, i.Zone, i.Tunnel
	c.BootID, c.Version = i.BootID, i.Version
	return c, nil
}

// ApplyNetwork makes the host's network what the desired state says, confirmed
// or not: without a control plane it stays as it was.
func (a *Agent) ApplyNetwork(ctx context.Context) error {
	d, ok := a.ledger.Desired()
	if !ok {
		return nil
	}
	err := a.network.Apply(ctx, d.Networks, d.Routers, d.Guests)
	a.unplugged.Store(err != nil)
	if err != nil {
		a.counters.add(func(n *Counts) { n.NetworkFailures++ })
		return errs.E("hostagent.network", errs.Internal, "", err)
	}
	return nil
}

// Sweep gives each guest one turn, by id, in the caller's thread; it is for
// those that do not Run. progress and wakeAfter are as a Turn's.
func (a *Agent) Sweep(ctx context.Context) (progress bool, wakeAfter time.Duration) {
	wakeAfter = lookAgain
	for _, g := range a.Guests() {
		did, after := g.Turn(ctx)
		progress = progress || did
		if !did {
			wakeAfter = min(wakeAfter, after)
		}
		if !did && g.idle.Load() {
			a.mu.Lock()
			delete(a.guests, g.id)
			a.mu.Unlock()
		}
	}
	return progress, wakeAfter
}

// Flush reports what is to be reported; it is for those that do not Run.
func (a *Agent) Flush(ctx context.Context) error { return a.reporter.Flush(ctx) }

// Lease is the host's.
func (a *Agent) Lease() *Lease { return a.lease }

// Ledger is what the agent acts on.
func (a *Agent) Ledger() *Ledger { return a.ledger }

// Console gives the last max bytes of a guest's console log.
func (a *Agent) Console(ctx context.Context, id string, max int) ([]byte, error) {
	return a.driver.Console(ctx, id, max)
}

// Counts reads the agent's counters.
func (a *Agent) Counts() Counts {
	n := a.counters.read()
	n.Lease, n.LeaseHeld = a.lease.Counts(), a.lease.Held(a.clock.Mono())
	for _, g := range a.Guests() {
		n.Guests++
		if g.Quarantined() {
			n.Quarantined++
		}
	}
	return n
}
