package gossip

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/kvorum/kvorum/internal/errs"
)

// maxStreams bounds the exchanges that others have with this node at once.
// Further ones are cut off; they are tried again by themselves.
const maxStreams = 64

// transport is memberlist's own with a guard before it: packets and streams
// that can't be ours never reach the code that parses them, the number and
// length of streams is bounded, and closing leaves nothing open.
type transport struct {
	*memberlist.NetTransport
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
	done    chan struct{} // closed when the listeners are gone
	pumps   sync.WaitGroup

	mu   sync.Mutex
	open map[*stream]struct{}
	in   int // how many of the open ones are incoming

	rejected atomic.Uint64
}

// listen binds the port, UDP and TCP. It gives Unavailable if it can't.
func listen(c *Config, bind netip.AddrPort, nc *memberlist.NetTransportConfig) (*transport, error) {
	nc.BindAddrs = []string{bind.Addr().String()}
	nc.BindPort = int(bind.Port())
	nt, err := memberlist.NewNetTransport(nc)
	// With port 0, the one that was free for TCP may be taken for UDP.
	for try := 1; err != nil && bind.Port() == 0 && try < 10 && strings.Contains(err.Error(), "address already in use"); try++ {
		nt, err = memberlist.NewNetTransport(nc)
	}
	if err != nil {
		return nil, errs.E("gossip.listen", errs.Unavailable, "The gossip port can't be had.", err)
	}
	t := &transport{
		NetTransport: nt,
		head:         labelHead(c.label()),
		allowed:      c.Allowed,
		packets:      make(chan *memberlist.Packet),
		conns:        make(chan net.Conn),
		done:         make(chan struct{}),
		open:         map[*stream]struct{}{},
	}
	t.closing, t.cut = context.WithCancel(context.Background())
	t.pumps.Add(2)
	go t.pumpPackets()
	go t.pumpConns()
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

// pumpPackets goes on while the transport closes, because the listeners end
// only when they got rid of what they have.
func (t *transport) pumpPackets() {
	defer t.pumps.Done()
	for {
		select {
		case <-t.done:
			return
		case p := <-t.NetTransport.PacketCh():
			if !t.welcome(p.From) || !packetFits(t.head, p.Buf) {
				t.rejected.Add(1)
				continue
			}
			select {
			case t.packets <- p:
			case <-t.closing.Done():
			}
		}
	}
}

func (t *transport) pumpConns() {
	defer t.pumps.Done()
	for {
		select {
		case <-t.done:
			return
		case c := <-t.NetTransport.StreamCh():
			s := &stream{Conn: c, t: t, head: t.head, incoming: true}
			if !t.welcome(c.RemoteAddr()) || !t.admit(s) {
				t.rejected.Add(1)
				_ = c.Close() // nothing was written
				continue
			}
			select {
			case t.conns <- s:
			case <-t.closing.Done():
				_ = s.Close() // nothing was written
			}
		}
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
	for _, s := range streams {
		_ = s.Close() // who waits at its other end sees that it is closed
	}
	err := t.NetTransport.Shutdown()
	close(t.done)
	t.pumps.Wait()
	return err
}
