package canon

import (
	"math/bits"
	"reflect"
	"slices"
	"strings"
)

// Hash gives 128 bits that are equal for equal records, on every machine, and
// different for different ones but by an accident that nobody will live to
// see. What the tags leave out of the encoding is left out here too, so a new
// field that is zero changes nothing. It is no defence against somebody who
// looks for two records with the same hash.
//
// It walks the record itself, because encoding it first costs four times as
// much.
func Hash(name string, record any) (hi, lo uint64) {
	v := reflect.ValueOf(record).Elem()
	m := mixer{0x243f6a8885a308d3, 0x13198a2e03707344} // digits of pi
	return planFor(v.Type()).hash(mixText(m, name), v).sum()
}

// mixer takes in numbers. Each of the two lanes is a bijection of its state for
// any number that comes in, so nothing is ever forgotten; they differ, so that
// what is a weak input for one is not for the other.
type mixer struct{ a, b uint64 }

func (m mixer) add(x uint64) mixer {
	m.a = (m.a ^ x) * 0x9e3779b97f4a7c15
	m.a ^= m.a >> 32
	m.b = (bits.RotateLeft64(m.b, 29) + x) * 0xc2b2ae3d27d4eb4f
	m.b ^= m.b >> 31
	return m
}

// mixText takes in a string with its length, so that two of them one after the
// other are not taken for two others.
func mixText[S string | []byte](m mixer, s S) mixer {
	m = m.add(uint64(len(s)))
	for ; len(s) >= 8; s = s[8:] {
		m = m.add(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
	}
	if len(s) > 0 {
		var x uint64
		for i := range len(s) {
			x |= uint64(s[i]) << (8 * i)
		}
		m = m.add(x)
	}
	return m
}

// sum spreads every bit over both halves.
func (m mixer) sum() (hi, lo uint64) {
	a, b := m.a, m.b
	a += b
	b += finish(a)
	a += finish(b)
	return finish(a), finish(b)
}

func finish(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// The marks between values.
const (
	markEnd  = 0xe7037ed1a0b428db // a struct's last field is past
	markNil  = 0x8ebc6af09c88c6e3
	markSome = 0x589965cc75374cc3
)

func hashStruct(m mixer, v reflect.Value, fields []field) mixer {
	for i := range fields {
		f := &fields[i]
		x := v.Field(f.index)
		if f.omit != nil && f.omit(x) {
			continue
		}
		m = f.hash(m.add(f.mark), x)
	}
	return m.add(markEnd)
}

func hashString(m mixer, v reflect.Value) mixer { return mixText(m, v.String()) }

func hashBool(m mixer, v reflect.Value) mixer {
	if v.Bool() {
		return m.add(1)
	}
	return m.add(0)
}

func hashInt(m mixer, v reflect.Value) mixer { return m.add(uint64(v.Int())) }

func hashUint(m mixer, v reflect.Value) mixer { return m.add(v.Uint()) }

func hashBytes(m mixer, v reflect.Value) mixer {
	if v.IsNil() {
		return m.add(markNil)
	}
	return mixText(m.add(markSome), v.Bytes())
}

func hashMap(m mixer, v reflect.Value) mixer {
	if v.IsNil() {
		return m.add(markNil)
	}
	m = m.add(markSome).add(uint64(v.Len()))
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	for _, k := range keys {
		m = mixText(m, k.String())
		m = mixText(m, v.MapIndex(k).String())
	}
	return m
}
