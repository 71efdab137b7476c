package faultnet

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Options say what a switch is like. The zero value is a good choice for all.
type Options struct {
	// Seed is where all chance comes from.
	Seed uint64
	// MTU of the links, in bytes; 576 to 65535, by default 1500.
	MTU int
	// Bound is how many bytes of packets one ordered pair keeps, held or on
	// their way; 64 KiB to 512 MiB, by default 8 MiB. All pairs together keep
	// 512 MiB.
	Bound int
	// Capture is how many decisions of each pair are remembered; at most
	// 65536, by default none.
	Capture int
	// Clock measures delays. Default: the machine's.
	Clock clock.Clock
}

const (
	// maxPorts bounds the ports, and so the pairs; maxName their names, in bytes.
	maxPorts = 256
	maxName  = 64
)

// Switch carries packets between its ports. It lives in this process: its
// links vanish when the process ends. It implements Network, and the Wire of
// one rack.
type Switch struct {
	*shared
	mtu    int
	strays strays
	routes atomic.Pointer[routes]

	// changing serialises what changes ports and rules.
	changing sync.Mutex
	closed   bool
	readers  sync.WaitGroup

	// mu guards the maps. It is never held together with a lane's lock.
	mu    sync.Mutex
	ports map[string]*port
	lanes map[Pair]*lane
}

type strays struct{ ipv6, noRoute, malformed atomic.Uint64 }

// Strays are packets that belong to no pair.
type Strays struct {
	// IPv6 is not carried: links talk of it by themselves.
	IPv6 uint64 `json:"ipv6"`
	// NoRoute were for nobody: multicast, or an address without a port.
	NoRoute uint64 `json:"no_route"`
	// Malformed could not be read.
	Malformed uint64 `json:"malformed"`
}

// New makes a switch without ports. Invalid if an option is out of bounds.
func New(o Options) (*Switch, error) {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	o.MTU, o.Bound = cmp.Or(o.MTU, 1500), cmp.Or(o.Bound, 8<<20)
	if o.MTU < 576 || o.MTU > 65535 || o.Bound < 64<<10 || o.Bound > maxKept || o.Capture < 0 || o.Capture > 1<<16 {
		return nil, errs.Errorf("faultnet.new", errs.Invalid, "an MTU, a bound or a capture is out of bounds: %d, %d, %d", o.MTU, o.Bound, o.Capture)
	}
	s := &Switch{
		shared: &shared{clock: o.Clock, seed: o.Seed, bound: o.Bound, capture: o.Capture, done: make(chan struct{})},
		mtu:    o.MTU, ports: map[string]*port{}, lanes: map[Pair]*lane{},
	}
	s.routes.Store(newRoutes(nil))
	return s, nil
}

// Plug makes a TUN link with an address in the network namespace at the path
// ("" for this process's own), up, and carries what it sends and what is for
// its address, or for one of the networks beyond it. Needs root. A name whose
// link has gone may be plugged in again. Conflict if the name or the address
// is in use.
func (s *Switch) Plug(_ context.Context, name, netns, link string, at netip.Prefix, beyond ...netip.Prefix) error {
	const op = "faultnet.plug"
	p, err := newPort(name, link, at, beyond)
	if err != nil {
		return err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.closed {
		return errs.Errorf(op, errs.Conflict, "the switch is closed")
	}
	if other := s.routes.Load().exact[p.at]; other != nil {
		return errs.Errorf(op, errs.Conflict, "port %s has the address %v", other.name, p.at)
	}
	s.mu.Lock()
	old, count := s.ports[name], len(s.ports)
	s.mu.Unlock()
	switch {
	case old != nil && old.device.Load() != nil:
		return errs.Errorf(op, errs.Conflict, "port %s is plugged in", name)
	case old == nil && count >= maxPorts:
		return errs.Errorf(op, errs.Invalid, "a switch has at most %d ports", maxPorts)
	}
	d, err := openDevice(netns, link, at, s.mtu)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if old != nil {
		old.at, old.beyond, p = p.at, p.beyond, old
	}
	p.pulled.Store(false)
	p.device.Store(d)
	s.ports[name] = p
	s.mu.Unlock()
	s.reroute()
	s.readers.Go(func() { s.serve(p, d) })
	return nil
}

// Unplug takes a port's link away: it vanishes from the host. NotFound if
// there is none.
func (s *Switch) Unplug(name string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	p, d := s.plugged(name)
	if d == nil {
		return errs.Errorf("faultnet.unplug", errs.NotFound, "there is no link at port %q", name)
	}
	p.device.CompareAndSwap(d, nil)
	s.reroute()
	return closed(d)
}

// Cable pulls the cable out of a port's link, so that it loses its carrier, or
// puts it back. Packets are lost meanwhile. NotFound if there is no link.
func (s *Switch) Cable(name string, in bool) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	p, d := s.plugged(name)
	if d == nil {
		return errs.Errorf("faultnet.cable", errs.NotFound, "there is no link at port %q", name)
	}
	p.pulled.Store(!in)
	if err := d.setCarrier(in); err != nil {
		return errs.E("faultnet.cable", errs.Internal, "", err)
	}
	return nil
}

func (s *Switch) plugged(name string) (*port, *device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.ports[name]
	if p == nil {
		return nil, nil
	}
	return p, p.device.Load()
}

func (s *Switch) reroute() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes.Store(newRoutes(s.ports))
}

// Close takes all links away. What was kept is lost.
func (s *Switch) Close() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.mu.Lock()
	ports := s.ports
	s.mu.Unlock()
	var failed []error
	for _, p := range ports {
		if d := p.device.Swap(nil); d != nil {
			failed = append(failed, closed(d))
		}
	}
	s.readers.Wait()
	close(s.done)
	s.couriers.Wait()
	return errors.Join(failed...)
}

// closed closes a link; that its namespace was faster is no error.
func closed(d *device) error {
	if err := d.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return errs.E("faultnet.unplug", errs.Internal, "", err)
	}
	return nil
}

// serve reads what a host sends, until its link goes.
func (s *Switch) serve(p *port, d *device) {
	buffer := make([]byte, maxPacket)
	lanes := map[*port]*lane{}
	for {
		n, err := d.Read(buffer)
		if err != nil {
			break
		}
		s.forward(p, buffer[:n], lanes)
	}
	if p.device.CompareAndSwap(d, nil) {
		s.reroute()
	}
	_ = closed(d)
}

// forward puts a packet on the lane to the port that has its destination.
func (s *Switch) forward(from *port, b []byte, lanes map[*port]*lane) {
	p, shape := parse(b)
	switch shape {
	case shapeIPv6:
		s.strays.ipv6.Add(1)
		return
	case shapeBad:
		s.strays.malformed.Add(1)
		return
	}
	to := s.routes.Load().find(p.dst)
	if to == nil || to == from {
		s.strays.noRoute.Add(1)
		return
	}
	l := lanes[to]
	if l == nil {
		l = s.lane(from, to)
		lanes[to] = l
	}
	if from.pulled.Load() {
		l.lose()
		return
	}
	b = b[:p.size]
	s.flows.watch(&p, b)
	l.carry(b, &p)
}

func (s *Switch) lane(from, to *port) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	pair := Pair{from.name, to.name}
	if s.lanes[pair] == nil {
		s.lanes[pair] = newLane(s.shared, pair, to.send)
	}
	return s.lanes[pair]
}

// all gives the lanes there are, by pair.
func (s *Switch) all() []*lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*lane
	for _, l := range s.lanes {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *lane) int {
		return cmp.Or(cmp.Compare(a.pair.From, b.pair.From), cmp.Compare(a.pair.To, b.pair.To))
	})
	return all
}
