package gossip

import (
	"context"
	"log"
	"net"
	"net/netip"
	"sync"

	"github.com/hashicorp/go-metrics"
	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"

	"github.com/kvorum/kvorum/internal/errs"
)

// Pool is one node's part in a pool. All methods may be called concurrently,
// and after Close too: then the list stays as it was.
type Pool struct {
	cfg     Config
	addr    netip.AddrPort
	serf    *serf.Serf
	wire    *transport
	filter  *filter
	alarms  *alarmBook
	roster  *roster
	keys    *keyring
	changed wake

	events  chan serf.Event
	poked   chan struct{} // of size one: an alarm wants to be looked at
	joining chan struct{} // of size one: the right to join
	joins   sync.WaitGroup

	life    context.Context // ends when the pool closes
	end     context.CancelFunc
	loops   sync.WaitGroup // watch and seek
	goodbye sync.Mutex     // held to leave or to shut down: the library does not bear both
	mu      sync.Mutex
	closed  bool // no join begins any more; guarded by mu
}

// maxEvents is how many of Serf's events may wait for watch, which does
// nothing but note that there was one.
const maxEvents = 256

// Open makes the node a member of a pool, at first alone. It gives Invalid or
// TooLarge for a bad Config, above all for one without a key, and Unavailable
// if the port can't be had.
func Open(cfg Config) (*Pool, error) {
	cfg.fill()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	bind, advertise, err := cfg.addresses()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		cfg:     cfg,
		changed: wake{ch: make(chan struct{})},
		roster:  newRoster(cfg.MaxMembers),
		events:  make(chan serf.Event, maxEvents),
		poked:   make(chan struct{}, 1),
		joining: make(chan struct{}, 1),
	}
	p.alarms = &alarmBook{clock: cfg.Clock, self: cfg.Name, book: map[alarmKey]*entry{}, poke: p.poke}
	p.filter = &filter{alarmBook: p.alarms, roster: p.roster}
	p.life, p.end = context.WithCancel(context.Background())
	if p.keys, err = newKeyring(cfg.Key, cfg.SecondKey); err != nil {
		return nil, err
	}
	if err := p.start(bind, advertise); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

func (p *Pool) start(bind, advertise netip.AddrPort) (err error) {
	logger := newLogger(p.cfg.Log, p.cfg.Clock, p.alarms.line)
	labels := []metrics.Label{{Name: "pool", Value: p.cfg.Pool}}
	port, own := p.cfg.Port, p.cfg.Port == nil
	if own {
		if port, err = listen(bind, &memberlist.NetTransportConfig{Logger: logger, MetricLabels: labels}); err != nil {
			return err
		}
	}
	if p.wire, err = newTransport(&p.cfg, port, own); err != nil {
		return err
	}
	mc := p.cfg.memberlist(logger, labels)
	mc.Transport, mc.Keyring = p.wire, p.keys.ring
	p.addr = port.Addr()
	mc.BindAddr, mc.BindPort = p.addr.Addr().String(), int(p.addr.Port())
	if advertise.IsValid() {
		mc.AdvertiseAddr, mc.AdvertisePort = advertise.Addr().String(), int(advertise.Port())
		p.addr = advertise
	}
	p.wire.final = func() { p.filter.wrap(mc) }
	sc := p.cfg.serf(logger, labels)
	sc.MemberlistConfig, sc.EventCh, sc.Merge = mc, p.events, p.filter
	if p.serf, err = serf.Create(sc); err != nil {
		_ = p.wire.Shutdown() // the first error is the one to tell
		return errs.E("gossip.open", errs.Internal, "Serf does not start", err)
	}
	p.loops.Add(2)
	go p.watch()
	go p.seek()
	return nil
}

// memberlist says all that matters to the library's lower half; what it
// leaves out stays off.
func (c *Config) memberlist(logger *log.Logger, labels []metrics.Label) *memberlist.Config {
	t := c.Timing
	m := &memberlist.Config{
		Label:                   c.label(),
		GossipVerifyIncoming:    true,
		GossipVerifyOutgoing:    true,
		EnableCompression:       true,
		TCPTimeout:              t.Stream,
		IndirectChecks:          3,
		RetransmitMult:          4,
		SuspicionMult:           t.Suspicion,
		SuspicionMaxTimeoutMult: 6,
		PushPullInterval:        t.Sync,
		ProbeInterval:           t.Probe,
		ProbeTimeout:            t.ProbeTimeout,
		AwarenessMaxMultiplier:  8,
		GossipNodes:             3,
		GossipInterval:          t.Gossip,
		GossipToTheDeadTime:     max(t.Reclaim, t.Sync),
		DeadNodeReclaimTime:     t.Reclaim,
		HandoffQueueDepth:       1024,
		QueueCheckInterval:      t.Sync,
		UDPBufferSize:           packetBytes,
		Logger:                  logger,
		MetricLabels:            labels,
	}
	for _, n := range c.Allowed {
		m.CIDRsAllowed = append(m.CIDRsAllowed, net.IPNet{
			IP: n.Masked().Addr().AsSlice(), Mask: net.CIDRMask(n.Bits(), n.Addr().BitLen())})
	}
	return m
}

// serf says all that matters to the library's upper half. There is no
// snapshot file: what it would know, the addresses of others, the control
// plane knows better (docs/decisions/0010-serf.md). Events are not coalesced
// by Serf, which loses the second of two joins of one node at two addresses.
func (c *Config) serf(logger *log.Logger, labels []metrics.Label) *serf.Config {
	t := c.Timing
	return &serf.Config{
		NodeName:                     c.Name,
		Tags:                         c.tags(),
		ProtocolVersion:              4,
		BroadcastTimeout:             t.Leave,
		LeavePropagateDelay:          t.Linger,
		ReapInterval:                 15 * t.Probe,
		RecentIntentTimeout:          5 * t.Reconnect,
		ReconnectInterval:            t.Reconnect,
		ReconnectTimeout:             t.KeepGone,
		TombstoneTimeout:             t.KeepGone,
		FlapTimeout:                  t.Reclaim,
		QueueCheckInterval:           t.Sync,
		QueueDepthWarning:            128,
		MaxQueueDepth:                4096,
		DisableCoordinates:           true,
		EnableNameConflictResolution: false,
		ValidateNodeNames:            true,
		// Neither events nor queries are used, and the filter drops those of
		// others; these are the smallest sizes that Serf bears.
		EventBuffer:            1,
		QueryBuffer:            1,
		QueryTimeoutMult:       1,
		QuerySizeLimit:         1,
		QueryResponseSizeLimit: 1,
		UserEventSizeLimit:     1,
		Logger:                 logger,
		MetricLabels:           labels,
	}
}

// Addr is where this node gossips, as the others see it.
func (p *Pool) Addr() netip.AddrPort { return p.addr }

// Alarms gives what is wrong in the pool, sorted by kind and name; see Alarm. The oldest are forgotten beyond 256.
func (p *Pool) Alarms() []Alarm { return p.alarms.list() }

// Leave says farewell, so that the others show this node as left and not as
// failed, and closes the pool. It gives Unavailable if ctx ends first; the
// pool closes all the same then, some seconds later. A node whose name another
// has claimed of late goes without a word: its farewell would be believed of
// the other.
func (p *Pool) Leave(ctx context.Context) error {
	left := make(chan error, 1)
	go func() {
		p.farewell()
		left <- p.Close()
	}()
	select {
	case err := <-left:
		return err
	case <-ctx.Done():
		return errs.E("gossip.leave", errs.Unavailable, "The farewell takes longer.", ctx.Err())
	}
}

func (p *Pool) farewell() {
	p.goodbye.Lock()
	defer p.goodbye.Unlock()
	if p.life.Err() != nil {
		return
	}
	if _, alive := p.known(); alive < 2 {
		return // nobody is there to hear it
	}
	if p.alarms.contested() {
		p.cfg.Log.Warn("leaving without a farewell: another node has the same name")
		return
	}
	if err := p.serf.Leave(); err != nil {
		p.cfg.Log.Warn("could not say farewell", "error", err)
	}
}

// Close stops at once, as if the node had died: the others will take it for
// failed. Again is fine. Only probes that are under way end a little later, by
// themselves, in no more than a few Timing.Probe.
func (p *Pool) Close() error {
	p.goodbye.Lock()
	defer p.goodbye.Unlock()
	p.mu.Lock()
	first := !p.closed
	p.closed = true
	p.mu.Unlock()
	if !first {
		return nil
	}
	p.end()
	p.filter.closed.Store(true)
	err := p.serf.Shutdown()
	p.joins.Wait()
	p.loops.Wait()
	if err != nil {
		return errs.E("gossip.close", errs.Internal, "", err)
	}
	return nil
}
