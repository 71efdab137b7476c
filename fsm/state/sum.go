package state

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/bits"
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

// encode is the canonical encoding of a row: JSON with fields in declared
// order, map keys sorted and zero values left out.
func encode(row any) []byte {
	b, err := json.Marshal(row)
	if err != nil {
		// Rows are plain records; only a programmer's mistake ends here.
		panic("state: row does not encode: " + err.Error())
	}
	return b
}

// sumOf is a row's share of the hash.
func sumOf(table string, row any) Sum {
	h := sha256.New()
	h.Write([]byte(table))
	h.Write([]byte{0})
	h.Write(encode(row))
	var out [sha256.Size]byte
	b := h.Sum(out[:0])
	return Sum{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:16])}
}
