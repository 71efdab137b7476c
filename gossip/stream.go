package gossip

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"

	"github.com/kvorum/kvorum/internal/errs"
)

// What packets and streams look like before they are decrypted.
const (
	labelMark   = 244 // then the label's length and the label
	cipherMark  = 10  // a stream's: then 4 bytes of length
	cipherKind  = 1   // AES-GCM without padding: the only kind that we send
	cipherExtra = 1 + 12 + 16
	// packetBytes is the most that a node puts into a packet: small enough for
	// any network that IPv6 runs on. What is longer than maxPacket was not
	// sent by one of us; so short, a bomb unpacks to less than 1 MiB.
	packetBytes = 1200
	maxPacket   = 1400
	// maxStream bounds one exchange. The list of a full pool takes about a
	// quarter of it.
	maxStream = 4 << 20
)

func labelHead(label string) []byte {
	return append([]byte{labelMark, byte(len(label))}, label...)
}

// packetFits tells whether a packet can be of our pool. Of another kind of
// cipher, or with nothing in it, it could only be made to hurt: memberlist
// trusts the padding of what was encrypted with the right key.
func packetFits(head, b []byte) bool {
	return len(b) <= maxPacket && bytes.HasPrefix(b, head) && cipherFits(b[len(head):])
}

func cipherFits(b []byte) bool { return len(b) > cipherExtra && b[0] == cipherKind }

// stream is a connection whose first bytes are looked at before anything else
// reads them: behind the label, which the port has read of an incoming one,
// comes a cipher of a sane length and of our kind. An encrypted nothing would
// make memberlist panic.
type stream struct {
	net.Conn
	t        *transport
	incoming bool

	// checked and first belong to the one reader.
	checked bool
	first   []byte // what was looked at and not yet read
}

// Read implements net.Conn.
func (s *stream) Read(b []byte) (int, error) {
	if !s.checked {
		if err := s.check(); err != nil {
			return 0, err
		}
	}
	if len(s.first) > 0 {
		n := copy(b, s.first)
		s.first = s.first[n:]
		return n, nil
	}
	return s.Conn.Read(b)
}

func (s *stream) check() error {
	b := make([]byte, 6)
	if _, err := io.ReadFull(s.Conn, b); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(b[1:])
	if b[0] != cipherMark || b[5] != cipherKind || length <= cipherExtra || length > maxStream {
		s.t.rejected.Add(1)
		return errs.Errorf("gossip.stream", errs.Forbidden, "a stream from %v is not of this pool", s.RemoteAddr())
	}
	s.checked, s.first = true, append(s.first, b...)
	return nil
}

// Close implements net.Conn.
func (s *stream) Close() error {
	s.t.forget(s)
	return s.Conn.Close()
}
