package gossip

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxStreams bounds the exchanges that others have with this node at once, in
// one pool. Further ones are cut off; they are tried again by themselves.
const maxStreams = 64

// transport is one pool's part of a port, and a guard before memberlist:
// packets and streams that can't be ours never reach the code that parses
// them, the number and length of streams is bounded, and closing leaves
// nothing open.
type transport struct {
	*memberlist.NetTransport // the port's
	port                     *Port
	own                      bool // the port goes with the pool
	// head is what each packet and each incoming stream begins with.
	head    []byte
	allowed []netip.Prefix
	// final is called when memberlist asks for its address the first time.
	final func()
	once  sync.Once

	packets chan *memberlist.Packet
	conns   chan net.Conn

	closing context.Context // ends first: nothing goes in or out any more
	cut     context.CancelFunc

	mu   sync.Mutex
	open map[*stream]struct{}
	in   int // how many of the open ones are incoming

	rejected atomic.Uint64
}

// newTransport attaches a pool to a port. own says that the port is for this
// pool alone.
func newTransport(c *Config, p *Port, own bool) (*transport, error) {
	t := &transport{
		NetTransport: p.net, port: p, own: own,
		head:    labelHead(c.label()),
		allowed: c.Allowed,
		packets: make(chan *memberlist.Packet),
		conns:   make(chan net.Conn),
		open:    map[*stream]struct{}{},
	}
	t.closing, t.cut = context.WithCancel(context.Background())
	if err := p.attach(t); err != nil {
		t.cut()
		return nil, err
	}
	return t, nil
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (t *transport) FinalAdvertiseAddr(ip string, port int) (net.IP, int, error) {
	t.once.Do(t.final)
	return t.NetTransport.FinalAdvertiseAddr(ip, port)
}

// PacketCh implements memberlist.Transport.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh implements memberlist.Transport.
func (t *transport) StreamCh() <-chan net.Conn { return t.conns }

// take hands a packet with the pool's label to memberlist, if it can be ours.
func (t *transport) take(b *memberlist.Packet) {
	if !t.welcome(b.From) || !packetFits(t.head, b.Buf) {
		t.rejected.Add(1)
		return
	}
	select {
	case t.packets <- b:
	case <-t.closing.Done():
	}
}

// accept hands a stream with the pool's label, which was read, to memberlist.
func (t *transport) accept(c net.Conn, head []byte) {
	s := &stream{Conn: c, t: t, incoming: true, first: head}
	if !t.welcome(c.RemoteAddr()) || !t.admit(s) {
		t.rejected.Add(1)
		_ = c.Close() // nothing was written
		return
	}
	select {
	case t.conns <- s:
	case <-t.closing.Done():
		_ = s.Close() // nothing was written
	case <-t.port.closing.Done():
		_ = s.Close() // nothing was written
	}
}

// welcome tells whether the sender's address is in the allowed networks.
func (t *transport) welcome(from net.Addr) bool {
	if len(t.allowed) == 0 {
		return true
	}
	a, err := netip.ParseAddrPort(from.String())
	return err == nil && allowed(t.allowed, a.Addr())
}

// admit puts a stream on the list of open ones, if there is room.
func (t *transport) admit(s *stream) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing.Err() != nil || s.incoming && t.in >= maxStreams {
		return false
	}
	if s.incoming {
		t.in++
	}
	t.open[s] = struct{}{}
	return true
}

func (t *transport) forget(s *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.open[s]; !ok {
		return
	}
	delete(t.open, s)
	if s.incoming {
		t.in--
	}
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	c, err := d.DialContext(t.closing, "tcp", a.Addr)
	if err != nil {
		return nil, err
	}
	s := &stream{Conn: c, t: t}
	if !t.admit(s) {
		_ = c.Close() // nothing was written
		return nil, net.ErrClosed
	}
	return s, nil
}

// DialTimeout implements memberlist.Transport.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// WriteToAddress implements memberlist.NodeAwareTransport. A pool that is
// closed says nothing more at a port that others go on to use.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	if t.closing.Err() != nil {
		return time.Time{}, errs.E("gossip.write", errs.Unavailable, "", net.ErrClosed)
	}
	return t.NetTransport.WriteToAddress(b, a)
}

// WriteTo implements memberlist.Transport.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// Shutdown implements memberlist.Transport. Again is fine.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	first := t.closing.Err() == nil
	t.cut()
	streams := make([]*stream, 0, len(t.open))
	for s := range t.open {
		streams = append(streams, s)
	}
	t.mu.Unlock()
	if !first {
		return nil
	}
	t.port.detach(t)
	for _, s := range streams {
		_ = s.Close() // who waits at its other end sees that it is closed
	}
	if t.own {
		return t.port.Close()
	}
	return nil
}
