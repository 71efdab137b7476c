package gossip

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

const (
	// maxFresh bounds the streams of which it is not known yet which pool they
	// are for. One more, and the oldest goes: whoever opens many and says nothing
	// keeps nobody out.
	maxFresh = 64
	// greeting is how long a stream may take to say its pool.
	greeting = 10 * time.Second
)

// Port is where a node gossips, UDP and TCP. Any number of pools share it:
// each packet and each stream begins with its pool's label, and one that has
// none of them goes no further. It is safe for concurrent use.
type Port struct {
	net  *memberlist.NetTransport
	addr netip.AddrPort

	closing context.Context // ends first: nothing comes in any more
	cut     context.CancelFunc
	done    chan struct{} // closed when the listeners are gone
	pumps   sync.WaitGroup

	mu    sync.Mutex
	pools map[string]*transport // by the head of their packets
	fresh []net.Conn            // the oldest first

	rejected atomic.Uint64 // packets and streams of no pool
}

// Listen opens the port at an address and port, UDP and TCP; port 0 takes a
// free one. It gives Invalid for what is no address, and Unavailable if the
// port can't be had. What the listeners have to say goes to log.
func Listen(bind string, log *slog.Logger) (*Port, error) {
	at, err := netip.ParseAddrPort(bind)
	if err != nil || at.Addr().Zone() != "" {
		return nil, errs.E("gossip.listen", errs.Invalid, "The gossip port is an address and a port without a zone, not "+bind+".", err)
	}
	return listen(netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), &memberlist.NetTransportConfig{Logger: newLogger(orQuiet(log), clock.Real{}, nil)})
}

func listen(bind netip.AddrPort, nc *memberlist.NetTransportConfig) (*Port, error) {
	nc.BindAddrs = []string{bind.Addr().String()}
	nc.BindPort = int(bind.Port())
	nt, err := memberlist.NewNetTransport(nc)
	// With port 0, the one that was free for TCP may be taken for UDP.
	for try := 1; err != nil && bind.Port() == 0 && try < 10 && strings.Contains(err.Error(), "address already in use"); try++ {
		nt, err = memberlist.NewNetTransport(nc)
	}
	if err != nil {
		return nil, errs.E("gossip.listen", errs.Unavailable, "The gossip port "+bind.String()+" (UDP and TCP) can't be had.", err)
	}
	p := &Port{net: nt, addr: netip.AddrPortFrom(bind.Addr(), uint16(nt.GetAutoBindPort())), done: make(chan struct{}), pools: map[string]*transport{}}
	p.closing, p.cut = context.WithCancel(context.Background())
	p.pumps.Add(2)
	go p.pumpPackets()
	go p.pumpConns()
	return p, nil
}

// Addr is where the port listens.
func (p *Port) Addr() netip.AddrPort { return p.addr }

// attach gives a pool its part of the port.
func (p *Port) attach(t *transport) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closing.Err() != nil:
		return errs.Errorf("gossip.attach", errs.Unavailable, "the gossip port is closed")
	case p.pools[string(t.head)] != nil:
		return errs.Errorf("gossip.attach", errs.Conflict, "this node is in that pool already, at the same port")
	}
	p.pools[string(t.head)] = t
	return nil
}

func (p *Port) detach(t *transport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pools, string(t.head))
}

// pool finds the pool that a packet or the beginning of a stream is for, if
// any.
func (p *Port) pool(b []byte) *transport {
	if len(b) < 2 || b[0] != labelMark || len(b) < 2+int(b[1]) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pools[string(b[:2+int(b[1])])]
}

// pumpPackets goes on while the port closes, because the listeners end only
// when they got rid of what they have.
func (p *Port) pumpPackets() {
	defer p.pumps.Done()
	for {
		select {
		case <-p.done:
			return
		case b := <-p.net.PacketCh():
			if t := p.pool(b.Buf); t != nil {
				t.take(b)
			} else {
				p.rejected.Add(1)
			}
		}
	}
}

func (p *Port) pumpConns() {
	defer p.pumps.Done()
	for {
		select {
		case <-p.done:
			return
		case c := <-p.net.StreamCh():
			if p.admit(c) {
				go p.greet(c)
			} else {
				_ = c.Close() // nothing was written
			}
		}
	}
}

// admit puts a stream on the list of those whose pool is not known.
func (p *Port) admit(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing.Err() != nil {
		return false
	}
	if len(p.fresh) >= maxFresh {
		p.rejected.Add(1)
		_ = p.fresh[0].Close() // nothing was written; whoever reads from it sees that
		p.fresh = p.fresh[1:]
	}
	p.fresh = append(p.fresh, c)
	p.pumps.Add(1)
	return true
}

func (p *Port) known(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fresh = slices.DeleteFunc(p.fresh, func(x net.Conn) bool { return x == c })
}

// greet reads which pool a stream is for, and gives it to that.
func (p *Port) greet(c net.Conn) {
	defer p.pumps.Done()
	head, err := readHead(c)
	p.known(c)
	t := p.pool(head)
	switch {
	case t != nil:
		t.accept(c, head)
		return
	case err == nil: // one that ended before it said anything was nobody's
		p.rejected.Add(1)
	}
	_ = c.Close() // nothing was written
}

// readHead reads the label of a stream, with what it is marked by; less, if it
// has no such mark.
func readHead(c net.Conn) ([]byte, error) {
	if err := c.SetReadDeadline(clock.Deadline(clock.Real{}, greeting)); err != nil {
		return nil, err
	}
	b := make([]byte, 2+255)
	if _, err := io.ReadFull(c, b[:2]); err != nil {
		return nil, err
	}
	if b[0] != labelMark {
		return b[:2], nil
	}
	b = b[:2+int(b[1])]
	if _, err := io.ReadFull(c, b[2:]); err != nil {
		return nil, err
	}
	return b, c.SetReadDeadline(time.Time{})
}

// Close ends the port. Pools that are still open on it hear nothing more; close
// them first. Again is fine.
func (p *Port) Close() error {
	p.mu.Lock()
	first := p.closing.Err() == nil
	p.cut()
	fresh := p.fresh
	p.mu.Unlock()
	if !first {
		return nil
	}
	for _, c := range fresh {
		_ = c.Close() // nothing was written; whoever reads from it sees that
	}
	err := p.net.Shutdown()
	close(p.done)
	p.pumps.Wait()
	return err
}
