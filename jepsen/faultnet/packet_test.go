package faultnet

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

var (
	addrA = netip.MustParseAddr("10.0.0.1")
	addrB = netip.MustParseAddr("10.0.0.2")
)

// ipv4 makes a packet with valid checksums. The header of TCP has no options.
func ipv4(number byte, src, dst netip.AddrPort, payload []byte) []byte {
	head := 20
	switch number {
	case numberTCP:
		head += 20
	case numberUDP:
		head += 8
	}
	b := make([]byte, head, head+len(payload))
	b = append(b, payload...)
	b[0], b[9] = 0x45, number
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	from, to := src.Addr().As4(), dst.Addr().As4()
	copy(b[12:], from[:])
	copy(b[16:], to[:])
	switch number {
	case numberTCP:
		b[20+12] = 5 << 4
	case numberUDP:
		binary.BigEndian.PutUint16(b[24:], uint16(8+len(payload)))
	}
	if number == numberTCP || number == numberUDP {
		binary.BigEndian.PutUint16(b[20:], src.Port())
		binary.BigEndian.PutUint16(b[22:], dst.Port())
		sum := ^sumAbove(b)
		if number == numberUDP && sum == 0 {
			sum = 0xffff
		}
		binary.BigEndian.PutUint16(b[checksumAt(number):], sum)
	}
	return b
}

func checksumAt(number byte) int {
	if number == numberTCP {
		return 20 + 16
	}
	return 20 + 6
}

// sumAbove is the checksum of what is above IP, with the pseudo header: all
// ones if the checksum in the packet fits.
func sumAbove(b []byte) uint16 {
	size := len(b) - 20
	total := uint32(b[9]) + uint32(size)
	add := func(part []byte) {
		for i := 0; i+1 < len(part); i += 2 {
			total += uint32(binary.BigEndian.Uint16(part[i:]))
		}
		if len(part)%2 == 1 {
			total += uint32(part[len(part)-1]) << 8
		}
	}
	add(b[12:20])
	add(b[20:])
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

func at(a netip.Addr, n uint16) netip.AddrPort { return netip.AddrPortFrom(a, n) }

func udp(payload ...byte) []byte { return ipv4(numberUDP, at(addrA, 1000), at(addrB, 8771), payload) }

func tcp(from, to uint16, payload ...byte) []byte {
	return ipv4(numberTCP, at(addrA, from), at(addrB, to), payload)
}

func TestParse(t *testing.T) {
	change := func(b []byte, at int, v ...byte) []byte { copy(b[at:], v); return b }
	for _, row := range []struct {
		name string
		b    []byte
		want shape
		show packet
	}{
		{"nothing", nil, shapeBad, packet{}},
		{"ipv6", []byte{0x60}, shapeIPv6, packet{}},
		{"version 5", change(udp(), 0, 0x55), shapeBad, packet{}},
		{"short", udp()[:19], shapeBad, packet{}},
		{"header beyond the end", change(udp(), 0, 0x4f), shapeBad, packet{}},
		{"header too short", change(udp(), 0, 0x44), shapeBad, packet{}},
		{"longer than it is", change(udp(), 2, 0xff, 0xff), shapeBad, packet{}},
		{"udp", udp(1, 2, 3), shapeIPv4, packet{number: numberUDP, head: 20, body: 28, size: 31, srcPort: 1000, dstPort: 8771}},
		{"udp without payload", udp(), shapeIPv4, packet{number: numberUDP, head: 20, body: 28, size: 28, srcPort: 1000, dstPort: 8771}},
		{"udp without ports", change(udp(), 2, 0, 24), shapeIPv4, packet{number: numberUDP, head: 20, body: 20, size: 24}},
		{"later fragment", change(udp(1, 2), 6, 0, 1), shapeIPv4, packet{number: numberUDP, head: 20, body: 20, size: 30, later: true}},
		{"tcp", change(tcp(7, 8, 9), 33, 0x12), shapeIPv4, packet{number: numberTCP, head: 20, body: 40, size: 41, srcPort: 7, dstPort: 8, flags: 0x12}},
		{"tcp with a header beyond the end", change(tcp(7, 8, 9), 32, 0xf0), shapeIPv4, packet{number: numberTCP, head: 20, body: 41, size: 41, srcPort: 7, dstPort: 8}},
		{"tcp with a header too short", change(tcp(7, 8, 9), 32, 0x10), shapeIPv4, packet{number: numberTCP, head: 20, body: 40, size: 41, srcPort: 7, dstPort: 8}},
		{"icmp", ipv4(1, at(addrA, 0), at(addrB, 0), []byte{8, 0, 0, 0}), shapeIPv4, packet{number: 1, head: 20, body: 20, size: 24}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, s := parse(row.b)
			if s == shapeIPv4 && (got.src != addrA || got.dst != addrB) {
				t.Errorf("from %v to %v", got.src, got.dst)
			}
			got.src, got.dst = netip.Addr{}, netip.Addr{}
			if s != row.want || s == shapeIPv4 && got != row.show {
				t.Errorf("shape %v, %+v, want %v, %+v", s, got, row.want, row.show)
			}
		})
	}
}

// TestAnyBytes: whatever comes, nothing reaches beyond it.
func TestAnyBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "bytes")
		if len(b) > 0 && rapid.Bool().Draw(t, "likely") {
			b[0] = 0x45
		}
		p, s := parse(b)
		if s != shapeIPv4 {
			return
		}
		if p.head < 20 || p.body < p.head || p.size < p.body || len(b) < p.size {
			t.Fatalf("%+v of %d bytes", p, len(b))
		}
		helloALPN(b[p.body:p.size])
		p.corrupt(b, rapid.Uint64().Draw(t, "throw"), rapid.Bool().Draw(t, "forge"))
	})
}

// TestCorruptFlipsOneBit: exactly one beyond the IP header, which the checksum
// sees; or, forged, one of the payload, which it does not see.
func TestCorruptFlipsOneBit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "payload")
		number := rapid.SampledFrom([]byte{numberTCP, numberUDP}).Draw(t, "protocol")
		b := ipv4(number, at(addrA, 1), at(addrB, 2), payload)
		before := append([]byte(nil), b...)
		p, _ := parse(b)
		forge := rapid.Bool().Draw(t, "forge")
		done := p.corrupt(b, rapid.Uint64().Draw(t, "throw"), forge)
		if want := !forge || len(payload) > 0; done != want {
			t.Fatalf("done: %t", done)
		}
		flipped, elsewhere := 0, 0
		for i := range b {
			n := bits.OnesCount8(b[i] ^ before[i])
			if forge && i >= checksumAt(number) && i < checksumAt(number)+2 {
				continue
			}
			flipped += n
			if i < p.head || forge && i < p.body {
				elsewhere += n
			}
		}
		if done && flipped != 1 || elsewhere != 0 {
			t.Fatalf("%d bits flipped, %d of them where none should be", flipped, elsewhere)
		}
		if fits := sumAbove(b) == 0xffff; fits != (forge || !done) {
			t.Fatalf("the checksum fits: %t, forged: %t", fits, forge)
		}
	})
}

// TestForgedIsNeverLeftOut: a checksum of UDP that comes out as zero is written
// as ones, because zero would say that there is none.
func TestForgedIsNeverLeftOut(t *testing.T) {
	for v := range 1 << 16 {
		flipped := udp(byte(v>>8), byte(v), 0, 1)
		if flipped[26] != 0xff || flipped[27] != 0xff {
			continue
		}
		b := udp(byte(v>>8), byte(v), 0, 0)
		p, _ := parse(b)
		if !p.corrupt(b, 24, true) || !bytes.Equal(b, flipped) {
			t.Errorf("% x, want % x", b[20:], flipped[20:])
		}
		return
	}
	t.Fatal("no payload has such a checksum")
}

func TestForgeLeavesOutWhatIsLeftOut(t *testing.T) {
	b := udp(1, 2, 3)
	b[26], b[27] = 0, 0
	p, _ := parse(b)
	if !p.corrupt(b, 5, true) || b[26] != 0 || b[27] != 0 {
		t.Errorf("a checksum that the sender left out became %x", b[26:28])
	}
}
