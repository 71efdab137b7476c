package state

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"github.com/kvorum/kvorum/internal/canon"
)

// Sum is a 128-bit hash that adds up: the sum over a set of rows does not
// depend on their order, and a row can be taken out again.
type Sum struct{ Hi, Lo uint64 }

func (a Sum) plus(b Sum) Sum {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(a.Hi, b.Hi, carry)
	return Sum{hi, lo}
}

func (a Sum) minus(b Sum) Sum {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(a.Hi, b.Hi, borrow)
	return Sum{hi, lo}
}

// String gives 32 hex digits.
func (a Sum) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
	return hex.EncodeToString(b[:])
}

// sumOf is a row's share of the hash.
func sumOf(table string, row any) Sum {
	hi, lo := canon.Hash(table, row)
	return Sum{hi, lo}
}
