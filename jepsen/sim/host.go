package sim

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/kvorum/kvorum/hostagent"
	agentclient "github.com/kvorum/kvorum/hostagent/control"
	hostsim "github.com/kvorum/kvorum/hostagent/sim"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
)

// cut is what is wrong with a host's way to the control nodes.
type cut int

// The cuts.
const (
	whole  cut = iota
	cutOff     // nothing passes
	deaf       // requests pass, answers do not
	flaky      // every second call is lost
)

// host is a machine with a hypervisor, and the real agent on it whenever one
// runs. Disk and guests outlive the agent; the disk outlives power, too.
type host struct {
	w        *world
	id, name string
	wire     *wire
	driver   *hypervisor
	disk     *disk
	network  *hostsim.Network
	images   *hostsim.Images
	capacity assign.Capacity

	clock   *watch
	client  *agentclient.Client
	agent   *hostagent.Agent // nil while none runs
	working bool             // the agent is in a call: it may die there
	lives   int              // agents so far: an event of a former one is void
	boots   int
	dark    bool // there is no power
	frozen  bool // the agent stands still; guests do not
	// cuts are what is wrong with the way to each node, by its name.
	cuts map[string]cut
	// told is when it got a desired state that was true then.
	told time.Duration
	// waits are what comes to pass once it stands still no more.
	waits []func()
	seen  map[string]hostagent.Have
}

func newHost(w *world, n int) *host {
	h := &host{w: w, id: w.ids.uuid(), name: fmt.Sprintf("h%d", n), clock: newWatch(w), seen: map[string]hostagent.Have{}, cuts: map[string]cut{}}
	w.film.names[h.id] = h.name
	h.wire = &wire{w: w, h: h}
	h.driver = newHypervisor(h)
	h.disk = &disk{MemDisk: hostagent.NewMemDisk(), h: h}
	h.images = hostsim.NewImages()
	h.images.Fetch = h.fetch
	h.power()
	return h
}

// power switches the host on.
func (h *host) power() {
	h.dark = false
	h.boots++
	h.network = hostsim.NewNetwork()
	h.start()
}

// start starts an agent.
func (h *host) start() {
	if h.dark || h.agent != nil {
		return
	}
	h.lives++
	var urls []string
	for _, n := range h.w.nodes {
		urls = append(urls, "http://"+n.name)
	}
	var err error
	h.client, err = agentclient.New(agentclient.Config{BaseURLs: urls, HostID: h.id, Clock: h.clock, HTTP: h.wire})
	if err != nil {
		panic("sim: " + err.Error())
	}
	a, err := hostagent.New(hostagent.Config{
		Identity: assign.Capacity{HostID: h.id, Name: h.name, Address: h.name + ":8772", Zone: "nova",
			BootID: fmt.Sprintf("boot-%d", h.boots), Version: "sim"},
		Driver: h.driver, Network: h.network, Control: h.client, Disk: h.disk, Images: h.images,
		Leases: h.client, Nodes: func() []string { return urls }, Clock: h.clock, Log: slog.New(slog.DiscardHandler),
		Rules: hostagent.Rules{StopTimeout: h.w.opts.StopTimeout, RebootTimeout: h.w.opts.StopTimeout, BackoffMax: 20 * time.Second},
	})
	if err != nil {
		h.w.film.line(h.name, "!", "no agent", "%v", err)
		h.w.in(h.w.net.span(time.Second, 10*time.Second), h.start)
		return
	}
	h.agent = a
	h.w.film.line(h.name, "*", "agent", "life=%d boot=%d", h.lives, h.boots)
	h.soon(h.w.net.span(time.Millisecond, time.Second))
	h.in(h.w.net.span(time.Millisecond, time.Second), h.renew)
}

// stop ends the agent, whatever it is doing.
func (h *host) stop(why string) {
	if h.agent == nil {
		return
	}
	h.agent = nil
	h.thaw()
	h.w.film.line(h.name, "!", "agent ends", "%s", why)
	h.w.in(h.w.flt.span(100*time.Millisecond, 15*time.Second), h.start)
}

// blackout takes the host's power for a while.
func (h *host) blackout() {
	if h.dark {
		return
	}
	h.dark, h.agent = true, nil
	h.thaw()
	h.driver.CrashHost()
	h.w.film.line(h.name, "!", "power lost", "")
	h.observe()
	h.w.in(h.w.flt.span(time.Second, 40*time.Second), h.power)
}

// soon lets the present agent work after a while.
func (h *host) soon(after time.Duration) { h.in(after, h.round) }

// in lets something happen to the present agent after a while; when it stands
// still then, once it goes on.
func (h *host) in(after time.Duration, do func()) {
	life := h.lives
	h.w.in(after, func() { h.run(life, do) })
}

func (h *host) run(life int, do func()) {
	switch {
	case h.agent == nil || h.lives != life:
	case h.frozen:
		h.waits = append(h.waits, func() { h.run(life, do) })
	default:
		do()
	}
}

// freeze makes the agent stand still, and thaw lets it go on.
func (h *host) freeze() {
	h.frozen = true
	h.w.film.line(h.name, "!", "frozen", "")
	if h.w.broken == StandStill {
		h.clock.stop()
	}
}

func (h *host) freezeFor(d time.Duration) {
	h.freeze()
	life := h.lives
	h.w.in(d, func() {
		if h.lives == life {
			h.thaw()
		}
	})
}

func (h *host) thaw() {
	if !h.frozen {
		return
	}
	h.frozen = false
	h.w.film.line(h.name, "*", "goes on", "")
	h.clock.start()
	waits := h.waits
	h.waits = nil
	for _, do := range waits {
		h.w.in(h.w.net.span(0, 100*time.Millisecond), do)
	}
}

// died ends an agent in the middle of a call.
type died struct{ where string }

// mayDie ends the agent here, as the seed says.
func (h *host) mayDie(where string) {
	if h.working && h.w.fault("death", h.w.flt.permille(h.w.opts.Death)) {
		panic(died{where})
	}
}

// fetch is the transfer of an image.
func (h *host) fetch(context.Context, assign.Image) error {
	h.mayDie("fetch")
	if h.w.fault("fetch", h.w.flt.permille(3*h.w.opts.Call)) {
		return errs.Errorf("sim.fetch", errs.Unavailable, "The image's bytes did not come.")
	}
	return nil
}

// round lets the agent work a little: what its loops do at once elsewhere, it
// does here in any order and number.
func (h *host) round() {
	h.working = true
	defer func() {
		h.working = false
		if p := recover(); p != nil {
			d, ok := p.(died)
			if !ok {
				panic(p)
			}
			h.stop("in the middle of " + d.where)
		}
		h.observe()
	}()
	ctx, c := context.Background(), h.w.net
	if c.IntN(4) == 0 {
		_ = h.agent.Scan(ctx) // tried again in a while, as by its loop
	}
	if c.IntN(5) > 0 || h.w.healed {
		_, _ = h.agent.Poll(ctx)
		h.w.adopted(h)
	}
	if c.IntN(5) > 0 {
		if h.w.fault("network", h.w.flt.permille(h.w.opts.Call)) {
			h.network.FailNext(1)
		}
		_ = h.agent.ApplyNetwork(ctx)
	}
	next := c.span(300*time.Millisecond, 4*time.Second)
	for range 1 + c.IntN(4) {
		progress, wake := h.agent.Sweep(ctx)
		if !progress {
			next = min(next, max(wake, 10*time.Millisecond))
			break
		}
		next = min(next, c.span(5*time.Millisecond, time.Second))
	}
	if c.IntN(5) > 0 {
		_ = h.agent.Flush(ctx)
	}
	h.soon(next)
}

// observe is the observer that the cloud knows nothing of: it sees what really
// runs on the host.
func (h *host) observe() {
	now := map[string]hostagent.Have{}
	for _, have := range h.driver.Snapshot() {
		now[have.ID] = have
		if was := h.seen[have.ID]; was.State != have.State || was.Boot != have.Boot {
			h.film(have)
			h.w.observed(h, was, have)
		}
	}
	for _, id := range sortedKeys(h.seen) {
		if _, ok := now[id]; !ok {
			gone := hostagent.Have{ID: id, State: assign.Missing}
			h.film(gone)
			h.w.observed(h, h.seen[id], gone)
		}
	}
	h.seen = now
}

func (h *host) film(g hostagent.Have) {
	h.w.film.line(h.name, "guest", string(g.State), "%s permit=%d %s", h.w.film.name("s", g.ID), g.Permit, g.Boot)
}

// runs tells whether a guest executes on the host, or could go on at any
// moment.
func (h *host) runs(id string) bool { return up(h.seen[id]) }

func up(g hostagent.Have) bool { return g.State == assign.Running || g.State == assign.Paused }
