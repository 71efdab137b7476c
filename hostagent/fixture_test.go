package hostagent_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// plane is a control plane in memory: it answers what the test put there.
type plane struct {
	mu       sync.Mutex
	desired  assign.Desired
	down     bool
	seen     map[string]assign.Observed
	reports  int
	lastSeq  uint64
	refuse   map[string]bool
	register []assign.Capacity
	changed  chan struct{} // closed when desired changes
	images   map[string][]byte
	opened   int
	hold     bool // answer an unchanged question only when there is news
	life     time.Duration
	dead     bool // the host is called dead
	renewals []assign.LeaseRequest
	asked    []string // the digests that were asked with
}

func newPlane(hold bool) *plane {
	return &plane{seen: map[string]assign.Observed{}, refuse: map[string]bool{}, changed: make(chan struct{}),
		images: map[string][]byte{}, hold: hold, life: time.Hour}
}

// put makes a new generation of the desired state with these guests.
func (p *plane) put(guests ...assign.Guest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.desired = desired(p.desired.Index+1, guests...)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *plane) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

func (p *plane) away() error {
	if p.down {
		return errs.Errorf("test.plane", errs.Unavailable, "The control plane is away.")
	}
	return nil
}

func (p *plane) Register(_ context.Context, c assign.Capacity) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.away(); err != nil {
		return err
	}
	p.register = append(p.register, c)
	return nil
}

func (p *plane) Desired(ctx context.Context, digest string) (assign.Desired, error) {
	p.mu.Lock()
	p.asked = append(p.asked, digest)
	p.mu.Unlock()
	for {
		p.mu.Lock()
		d, err, changed := p.desired, p.away(), p.changed
		p.mu.Unlock()
		if err != nil || d.Digest != digest || !p.hold {
			return d, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return assign.Desired{}, ctx.Err()
		}
	}
}

func (p *plane) Report(_ context.Context, r assign.Report) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.away(); err != nil {
		return err
	}
	for _, o := range r.Guests {
		if p.refuse[o.ID] {
			return errs.Errorf("test.plane", errs.Invalid, "Not this one.")
		}
	}
	p.reports++
	p.lastSeq = r.Seq
	for _, o := range r.Guests {
		p.seen[o.ID] = o
	}
	return nil
}

func (p *plane) Image(_ context.Context, sum string) (io.ReadCloser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.away(); err != nil {
		return nil, err
	}
	p.opened++
	b, ok := p.images[sum]
	if !ok {
		return nil, errs.Errorf("test.plane", errs.NotFound, "There is no such image.")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Renew implements hostagent.LeaseTransport: this plane is the one voter, c1, and
// grants what it is asked for, unless it is away or the host is dead to it.
func (p *plane) Renew(_ context.Context, address string, r assign.LeaseRequest) (assign.LeaseAnswer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renewals = append(p.renewals, r)
	if err := p.away(); err != nil {
		return assign.LeaseAnswer{}, err
	}
	a := assign.LeaseAnswer{ClusterID: theCluster, Incarnation: 1, NodeID: "c1", Granted: !p.dead, Life: int64(p.life),
		Electorate: assign.Electorate{Index: 1, Nodes: []assign.Node{{ID: "c1", Voter: true}}}}
	if p.dead {
		a.Reason = assign.LeaseDown
	}
	return a, nil
}

// saw gives what was last reported of the guest.
func (p *plane) saw(id string) assign.Observed {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[id]
}

const theHost, theCluster = "host-1", "cluster-1"

func desired(index uint64, guests ...assign.Guest) assign.Desired {
	d := assign.Desired{ClusterID: theCluster, Incarnation: 1, Index: index, HostID: theHost, Guests: guests,
		Networks: []assign.Network{{ID: "net", Segment: 1, MTU: 1450}}}
	d.Digest = d.Sum()
	return d
}

func guest(n int) assign.Guest {
	id := fmt.Sprintf("guest-%d", n)
	return assign.Guest{ID: id, Num: uint64(n), Permit: 10, Power: assign.On, PowerEpoch: 1, Name: id, Hostname: id,
		VCPUs: 1, RAM: 64, Image: assign.Image{ID: "image", SHA256: "aa", Size: 1, Format: "raw"},
		NICs: []assign.NIC{{PortID: "port-" + id, NetworkID: "net", MAC: "fa:16:3e:00:00:01", Addresses: []string{"10.0.0.5"}}}}
}

// rig is a simulated host with all around it. Its agent can be restarted: disk
// and driver stay.
type rig struct {
	t      *testing.T
	clock  *clock.Fake
	plane  *plane
	driver *sim.Driver
	net    *sim.Network
	images *sim.Images
	disk   *hostagent.MemDisk
	agent  *hostagent.Agent
	calls  map[string]int
	mu     sync.Mutex
}

func newRig(t *testing.T, hold bool, change func(*sim.Options)) *rig {
	r := &rig{t: t, clock: clock.NewFake(noon), plane: newPlane(hold), net: sim.NewNetwork(),
		images: sim.NewImages(), disk: hostagent.NewMemDisk(), calls: map[string]int{}}
	o := sim.Options{Clock: r.clock, Seed: 1, Latency: sim.Latency{GuestStop: 3 * time.Second}, Trace: r.trace}
	if change != nil {
		change(&o)
	}
	r.driver = sim.New(o)
	r.restart()
	return r
}

func (r *rig) trace(op, _ string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.calls[op]++
	}
}

// acts copies how often each act succeeded.
func (r *rig) acts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := maps.Clone(r.calls)
	delete(c, "look")
	delete(c, "list")
	return c
}

func (r *rig) restart() {
	a, err := hostagent.New(hostagent.Config{Identity: assign.Capacity{HostID: theHost, Name: "h1", Address: "h1:8772"},
		Driver: r.driver, Network: r.net, Control: r.plane, Disk: r.disk, Images: r.images, Clock: r.clock,
		Leases: r.plane, Nodes: func() []string { return []string{"http://c1"} },
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.agent = a
}

// round is one round of a single-threaded host.
func (r *rig) round() (bool, time.Duration) {
	ctx := context.Background()
	_ = r.agent.Scan(ctx)
	r.agent.Renew(ctx)
	_, _ = r.agent.Poll(ctx)
	_ = r.agent.ApplyNetwork(ctx)
	progress, wake := r.agent.Sweep(ctx)
	_ = r.agent.Flush(ctx)
	return progress, wake
}

// until takes rounds, and moves the clock between them, until ok.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	for range 500 {
		if ok() {
			return
		}
		if progress, wake := r.round(); !progress {
			r.clock.Advance(max(wake, time.Millisecond))
		}
	}
	r.t.Fatalf("never: %s; guests %+v, seen %+v", what, r.driver.Snapshot(), r.plane.seen)
}

// rest takes rounds at one instant until there is no progress.
func (r *rig) rest() {
	r.t.Helper()
	for range 100 {
		if progress, _ := r.round(); !progress {
			return
		}
	}
	r.t.Fatal("no rest")
}

func (r *rig) state(id string) assign.State {
	all := r.driver.Snapshot()
	if i := slices.IndexFunc(all, func(h hostagent.Have) bool { return h.ID == id }); i >= 0 {
		return all[i].State
	}
	return assign.Missing
}

func (r *rig) wantSeen(id string, state assign.State) {
	r.t.Helper()
	r.until(fmt.Sprintf("%s seen %s", id, state), func() bool { return r.plane.saw(id).State == state })
}
