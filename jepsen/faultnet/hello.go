package faultnet

import "encoding/binary"

// helloALPN finds the first protocol that a TLS client asks for, in the
// first bytes that it sends; "" if they are something else, or name none. The
// hello may go on in packets to come: what is here is read as far as it goes.
func helloALPN(b []byte) string {
	const record, version, client = 22, 3, 1
	if len(b) < 9 || b[0] != record || b[1] != version || b[5] != client {
		return ""
	}
	// Record and handshake headers, version and random.
	r := reader(b)
	r.skip(5 + 4 + 2 + 32)
	r.skip(r.uint8())  // the session
	r.skip(r.uint16()) // the ciphers
	r.skip(r.uint8())  // the compressions
	r.skip(2)          // the length of all extensions
	for len(r) > 4 {
		const alpn = 16
		kind, size := r.uint16(), r.uint16()
		if kind != alpn {
			r.skip(size)
			continue
		}
		r.skip(2)
		n := r.uint8()
		if n == 0 || n > len(r) {
			return ""
		}
		return string(r[:n])
	}
	return ""
}

// reader reads numbers off bytes; beyond the end there are zeros.
type reader []byte

func (r *reader) skip(n int) { *r = (*r)[min(n, len(*r)):] }

func (r *reader) uint8() int {
	if len(*r) < 1 {
		return 0
	}
	n := int((*r)[0])
	r.skip(1)
	return n
}

func (r *reader) uint16() int {
	if len(*r) < 2 {
		r.skip(2)
		return 0
	}
	n := int(binary.BigEndian.Uint16(*r))
	r.skip(2)
	return n
}
