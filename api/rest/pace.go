package rest

import (
	"io"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// pace is how many bytes a client must move before it gets another Timeout for
// the next ones: a byte a minute must not keep a connection for ever.
const pace = 256 << 10

// conn bounds how long a client may take to send a body and to take an
// answer. What carries no deadlines, as in tests, is left alone; a connection
// that is gone shows at the next read or write.
type conn struct {
	control *http.ResponseController
	clock   clock.Clock
	limit   time.Duration
}

// reading gives the client its time to send; arrived says that all is there,
// so that a wait for the answer does not end by it.
func (c conn) reading() { _ = c.control.SetReadDeadline(clock.Deadline(c.clock, c.limit)) }
func (c conn) arrived() { _ = c.control.SetReadDeadline(time.Time{}) }

// writing gives the client its time to take what is sent; taken sends what is
// still buffered and ends the deadline, which would else hold for the
// connection's next request.
func (c conn) writing() { _ = c.control.SetWriteDeadline(clock.Deadline(c.clock, c.limit)) }

func (c conn) taken() error {
	err := c.control.Flush()
	_ = c.control.SetWriteDeadline(time.Time{})
	return err
}

// pacedBody is a body of any length that must keep the pace.
type pacedBody struct {
	io.ReadCloser
	conn conn
	left int // bytes until the deadline moves on
}

// Read implements io.Reader. os.ErrDeadlineExceeded: the client is too slow.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.left = pace
		b.conn.reading()
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	if err == io.EOF {
		b.conn.arrived()
	}
	return n, err
}

// copyPaced sends a stream to a client that must keep the pace.
func (c conn) copyPaced(to io.Writer, from io.Reader) error {
	for {
		c.writing()
		if _, err := io.CopyN(to, from, pace); err == io.EOF {
			return c.taken()
		} else if err != nil {
			return err
		}
	}
}

// place is where a request is counted: in one bounded set at a time.
type place struct{ in chan struct{} }

// take moves to a set; false if that is full, and then it is in none.
func (p *place) take(set chan struct{}) bool {
	p.leave()
	select {
	case set <- struct{}{}:
		p.in = set
		return true
	default:
		return false
	}
}

func (p *place) leave() {
	if p.in != nil {
		<-p.in
		p.in = nil
	}
}
