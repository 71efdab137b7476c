package state

import (
	"encoding/binary"
	"net/netip"
)

// head64 is the beginning of a string as a number that sorts like it. Of a
// UUID it is 32 random bits, which are enough to tell nearly all rows apart.
func head64[S ~string](s S) uint64 {
	if len(s) >= 8 {
		return uint64(s[7]) | uint64(s[6])<<8 | uint64(s[5])<<16 | uint64(s[4])<<24 |
			uint64(s[3])<<32 | uint64(s[2])<<40 | uint64(s[1])<<48 | uint64(s[0])<<56
	}
	var b [8]byte
	copy(b[:], s)
	return binary.BigEndian.Uint64(b[:])
}

// addressHead is the head of an address of a network: addresses sort as
// numbers, not as text.
func addressHead[S ~string](network S, ip string) uint64 {
	head := head64(network) >> 32 << 32
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return head
	}
	b := addr.As16()
	return head | uint64(binary.BigEndian.Uint32(b[12:]))
}

// millis is a time in Unix nanoseconds in steps of about a millisecond.
func millis(at int64) uint64 { return uint64(at) >> 20 }

// hash32 is a digest of two strings, the same on every node.
func hash32(a, b string) uint32 {
	h := uint64(len(a))
	for _, s := range [...]string{a, b} {
		for len(s) > 8 {
			h = mix(h, head64(s))
			s = s[8:]
		}
		h = mix(h, head64(s))
	}
	return uint32(h >> 32)
}

func mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}
