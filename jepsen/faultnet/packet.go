package faultnet

import (
	"encoding/binary"
	"net/netip"
)

// The numbers of protocols above IPv4.
const (
	numberTCP = 6
	numberUDP = 17
)

// packet is what the switch reads of an IPv4 packet.
type packet struct {
	src, dst netip.Addr
	number   byte // of the protocol
	// head is where the protocol's header begins, body where its payload does
	// and size where the packet ends. A later fragment is all payload, and has
	// no ports.
	head, body, size int
	later            bool
	srcPort, dstPort uint16
	// flags and seq are TCP's.
	flags byte
	seq   uint32
}

// shape is what a packet's first bytes make of it.
type shape byte

const (
	shapeIPv4 shape = iota
	shapeIPv6
	shapeBad
)

// parse reads a packet; only for shapeIPv4 the rest is set. It never trusts a
// length.
func parse(b []byte) (p packet, s shape) {
	if len(b) > 0 && b[0]>>4 == 6 {
		return p, shapeIPv6
	}
	if len(b) < 20 || b[0]>>4 != 4 {
		return p, shapeBad
	}
	p.head, p.size = int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if p.head < 20 || p.head > p.size || p.size > len(b) {
		return p, shapeBad
	}
	p.number = b[9]
	p.src, p.dst = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
	p.body = p.head
	p.later = binary.BigEndian.Uint16(b[6:])&0x1fff != 0
	if !p.later {
		p.ports(b[p.head:p.size])
	}
	return p, shapeIPv4
}

// ports reads the header of TCP or UDP, as far as it is there.
func (p *packet) ports(b []byte) {
	switch {
	case p.number == numberTCP && len(b) >= 20:
		p.seq, p.flags = binary.BigEndian.Uint32(b[4:]), b[13]
		p.body = min(p.head+max(int(b[12]>>4)*4, 20), p.size)
	case p.number == numberUDP && len(b) >= 8:
		p.body = p.head + 8
	default:
		return
	}
	p.srcPort, p.dstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
}

// corrupt flips the bit that the throw says, and tells whether there was one.
func (p *packet) corrupt(b []byte, throw uint64, forge bool) bool {
	from := p.head
	if forge {
		from = p.body
	}
	if from >= p.size || forge && !p.checked() {
		return false
	}
	bit := throw % (uint64(p.size-from) * 8)
	at := from + int(bit/8)
	before := p.word(b, at)
	b[at] ^= 1 << (bit % 8)
	if forge {
		p.refit(b, before, p.word(b, at))
	}
	return true
}

// checked tells whether the packet has a checksum that can be made to fit.
func (p *packet) checked() bool {
	return !p.later && p.body > p.head && (p.number == numberTCP || p.number == numberUDP)
}

// word is the 16-bit word of the checksum that the byte is in.
func (p *packet) word(b []byte, at int) uint16 {
	at -= (at - p.head) % 2
	if at+1 >= p.size {
		return uint16(b[at]) << 8
	}
	return binary.BigEndian.Uint16(b[at:])
}

// refit changes the checksum by what one word has changed (RFC 1624).
func (p *packet) refit(b []byte, before, after uint16) {
	at := p.head + 16
	if p.number == numberUDP {
		at = p.head + 6
	}
	sum := binary.BigEndian.Uint16(b[at:])
	if p.number == numberUDP && sum == 0 {
		return // the sender has left it out
	}
	total := uint32(^sum) + uint32(^before) + uint32(after)
	total = total&0xffff + total>>16
	total = total&0xffff + total>>16
	sum = ^uint16(total)
	if p.number == numberUDP && sum == 0 {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(b[at:], sum)
}
