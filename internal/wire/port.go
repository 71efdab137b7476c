package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
	"github.com/kvorum/kvorum/internal/errs"
)

// Port is the internal port: it shakes hands and gives each connection to the
// Listener of its protocol. It is safe for concurrent use.
type Port struct {
	cfg     Config
	tcp     net.Listener
	crowd   *crowd
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	queues map[string]*queue
	closed bool
}

// acceptPause is how long a port waits when it cannot accept: when there are no
// file descriptors left, say.
const acceptPause = 50 * time.Millisecond

// Listen opens a port at a TCP address, host:port.
func Listen(address string, cfg Config) (*Port, error) {
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return nil, errs.E("wire.listen", errs.Internal, "the internal port cannot be opened", err)
	}
	return Serve(tcp, cfg), nil
}

// Serve makes a port of a listener, which it closes in the end.
func Serve(tcp net.Listener, cfg Config) *Port {
	cfg = cfg.filled()
	p := &Port{cfg: cfg, tcp: tcp, crowd: newCrowd(cfg), queues: map[string]*queue{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.running.Go(p.accept)
	return p
}

// Addr is where the port listens.
func (p *Port) Addr() net.Addr { return p.tcp.Addr() }

// Stats say who is connected.
func (p *Port) Stats() Stats { return p.crowd.now() }

// Listener gives the connections of a protocol. Without one they are refused.
// Asked again, it gives the same one, unless that was closed. What it accepts
// are *Conn.
func (p *Port) Listener(protocol string) net.Listener {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.queues[protocol]
	if q == nil || q.isClosed() {
		q = newQueue(p.tcp.Addr(), p.cfg.Queue)
		p.queues[protocol] = q
	}
	if p.closed {
		q.Close()
	}
	return q
}

// Close ends the port, its listeners and all connections, and waits until
// nothing of it runs any more.
func (p *Port) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, q := range p.queues {
		q.Close()
	}
	p.mu.Unlock()
	p.cancel()
	err := p.tcp.Close()
	p.crowd.close()
	p.running.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return errs.E("wire.close", errs.Internal, "", err)
	}
	return nil
}

func (p *Port) accept() {
	for p.ctx.Err() == nil {
		raw, err := p.tcp.Accept()
		if err != nil {
			if p.ctx.Err() == nil {
				p.cfg.Log.Warn("the internal port cannot accept", "error", err)
			}
			if clock.Sleep(p.ctx, p.cfg.Clock, acceptPause) != nil {
				return
			}
			continue
		}
		g := p.crowd.enter(raw)
		if g == nil {
			p.cfg.Log.Debug("connection refused", "from", raw.RemoteAddr())
			raw.Close() // it was never ours
			continue
		}
		p.running.Go(func() { p.admit(g) })
	}
}

// admit shakes hands, and gives the connection to its protocol.
func (p *Port) admit(g *guest) {
	c, err := p.shake(g)
	if err != nil {
		p.crowd.count(&p.crowd.stats.Failed)
		p.cfg.Log.Debug("handshake failed", "from", g.RemoteAddr(), "error", err)
		g.Close()
		return
	}
	s := c.ConnectionState()
	member := len(s.PeerCertificates) > 0
	if member && !p.crowd.known(g) {
		g.Close()
		return
	}
	if !p.deliver(s.NegotiatedProtocol, &Conn{c}) {
		p.crowd.count(&p.crowd.stats.Refused)
		level := slog.LevelWarn
		if !p.claimed(s.NegotiatedProtocol) {
			level = slog.LevelInfo // whoever takes it is on the way: this node has just started
		}
		p.cfg.Log.Log(p.ctx, level, "connection refused: nobody takes it", "from", g.RemoteAddr(), "protocol", s.NegotiatedProtocol)
		g.Close()
		return
	}
	if member {
		return
	}
	select {
	case <-p.cfg.Clock.After(p.cfg.StrangerLife):
		g.Close()
	case <-g.gone:
	}
}

// shake does the TLS handshake within its time.
func (p *Port) shake(g *guest) (*tls.Conn, error) {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	p.running.Go(func() {
		select {
		case <-p.cfg.Clock.After(p.cfg.HandshakeTimeout):
			g.Close()
		case <-ctx.Done():
		}
	})
	c := tls.Server(g, p.cfg.TLS)
	return c, c.HandshakeContext(ctx)
}

// claimed tells whether there is a Listener of the protocol, or was.
func (p *Port) claimed(protocol string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queues[protocol] != nil
}

func (p *Port) deliver(protocol string, c *Conn) bool {
	p.mu.Lock()
	q := p.queues[protocol]
	p.mu.Unlock()
	return q != nil && q.put(c)
}
