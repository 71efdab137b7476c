package canon

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"reflect"
	"sync"
)

// Decode sets a record, given by pointer, from its whole encoding. Unknown
// fields, and anything behind the record, are errors. It keeps nothing of b.
func Decode(b []byte, record any) error {
	v := reflect.ValueOf(record).Elem()
	r := readers.Get().(*reader)
	r.rest = b
	v.SetZero()
	ok := planFor(v.Type()).read(r, v) && len(r.rest) == 0
	r.rest = nil
	readers.Put(r)
	if ok {
		return nil
	}
	// It is not as Append would have written it: a person may have, or it is
	// wrong. The standard library knows.
	v.SetZero()
	return strict(b, record)
}

func strict(b []byte, record any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(record); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("more stands behind the record")
	}
	return nil
}

// reader is at one place of an encoding.
type reader struct {
	rest  []byte
	known known
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// known holds strings that were read lately, so that the ids that stand in
// nearly every record are not stored once more for each.
type known [512]string

const maxKnown = 64 // bytes; longer ones seldom come twice

var seed = maphash.MakeSeed() // decides only what known forgets

func (k *known) str(b []byte) string {
	if len(b) > maxKnown {
		return string(b)
	}
	slot := &k[maphash.Bytes(seed, b)%uint64(len(k))]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// eat takes prefix away, if it comes next.
func (r *reader) eat(prefix string) bool {
	if len(r.rest) < len(prefix) || string(r.rest[:len(prefix)]) != prefix {
		return false
	}
	r.rest = r.rest[len(prefix):]
	return true
}

// text takes a quoted string of plain bytes away and gives what is inside.
func (r *reader) text() ([]byte, bool) {
	b := r.rest
	if len(b) < 2 || b[0] != '"' {
		return nil, false
	}
	for i := 1; i < len(b); i++ {
		if !plain[b[i]] {
			if b[i] != '"' {
				return nil, false
			}
			r.rest = b[i+1:]
			return b[1:i], true
		}
	}
	return nil, false
}

// digits takes a number without sign or leading zeros away.
func (r *reader) digits() (n uint64, ok bool) {
	b := r.rest
	i := 0
	for ; i < len(b) && b[i]-'0' < 10; i++ {
		n = n*10 + uint64(b[i]-'0')
	}
	if i == 0 || i > 19 || b[0] == '0' && i > 1 { // 19 digits always fit
		return 0, false
	}
	r.rest = b[i:]
	return n, true
}

func readStruct(r *reader, v reflect.Value, fields []field) bool {
	if !r.eat("{") {
		return false
	}
	if r.eat("}") {
		return true
	}
	for i := range fields {
		f := &fields[i]
		if !r.eat(f.label) {
			continue
		}
		if !f.read(r, v.Field(f.index)) {
			return false
		}
		if r.eat("}") {
			return true
		}
		if !r.eat(",") {
			return false
		}
	}
	return false
}

func readString(r *reader, v reflect.Value) bool {
	b, ok := r.text()
	if ok {
		v.SetString(r.known.str(b))
	}
	return ok
}

func readBool(r *reader, v reflect.Value) bool {
	if r.eat("true") {
		v.SetBool(true)
		return true
	}
	return r.eat("false")
}

func readInt(r *reader, v reflect.Value) bool {
	negative := r.eat("-")
	n, ok := r.digits()
	if !ok || n > 1<<63-1 || negative && n == 0 {
		return false
	}
	x := int64(n)
	if negative {
		x = -x
	}
	v.SetInt(x)
	return !v.OverflowInt(x)
}

func readUint(r *reader, v reflect.Value) bool {
	n, ok := r.digits()
	v.SetUint(n)
	return ok && !v.OverflowUint(n)
}

func readBytes(r *reader, v reflect.Value) bool {
	b, ok := r.text()
	if !ok {
		return false
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Decode(out, b)
	v.SetBytes(out[:n])
	return err == nil
}

func readMap(r *reader, v reflect.Value) bool {
	if !r.eat("{") {
		return false
	}
	v.Set(reflect.MakeMap(v.Type()))
	if r.eat("}") {
		return true
	}
	key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	for {
		if !readString(r, key) || !r.eat(":") || !readString(r, value) {
			return false
		}
		v.SetMapIndex(key, value)
		if r.eat("}") {
			return true
		}
		if !r.eat(",") {
			return false
		}
	}
}

func readSlice(r *reader, v reflect.Value, of *plan) bool {
	if !r.eat("[") {
		return false
	}
	if r.eat("]") {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return true
	}
	for {
		n := v.Len()
		if n == v.Cap() {
			v.Grow(max(1, n))
		}
		v.SetLen(n + 1)
		if !of.read(r, v.Index(n)) {
			return false
		}
		if r.eat("]") {
			return true
		}
		if !r.eat(",") {
			return false
		}
	}
}
