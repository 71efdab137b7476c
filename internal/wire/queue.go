package wire

import (
	"net"
	"sync"
)

// queue is the Listener of one protocol.
type queue struct {
	addr  net.Addr
	conns chan *Conn
	done  chan struct{}

	mu     sync.Mutex
	closed bool
}

func newQueue(addr net.Addr, size int) *queue {
	return &queue{addr: addr, conns: make(chan *Conn, size), done: make(chan struct{})}
}

// put hands a connection over; false if there is no room, or nobody.
func (q *queue) put(c *Conn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	select {
	case q.conns <- c:
		return true
	default:
		return false
	}
}

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case <-q.done: // first, so that nothing is accepted after Close
		return nil, net.ErrClosed
	default:
	}
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener; what waits is closed.
func (q *queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	q.closed = true
	close(q.done)
	for {
		select {
		case c := <-q.conns:
			c.NetConn().Close() // without a farewell, which could block
		default:
			return nil
		}
	}
}

// Addr implements net.Listener.
func (q *queue) Addr() net.Addr { return q.addr }

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}
