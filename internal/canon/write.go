package canon

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
)

// Append adds the encoding of a record, given by pointer, to b.
func Append(b []byte, record any) []byte {
	v := reflect.ValueOf(record).Elem()
	return planFor(v.Type()).write(b, v)
}

func writeStruct(b []byte, v reflect.Value, fields []field) []byte {
	b = append(b, '{')
	start := len(b)
	for i := range fields {
		f := &fields[i]
		x := v.Field(f.index)
		if f.omit != nil && f.omit(x) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = f.write(append(b, f.label...), x)
	}
	return append(b, '}')
}

func writeString(b []byte, v reflect.Value) []byte { return appendString(b, v.String()) }

func writeBool(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }

func writeInt(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }

func writeUint(b []byte, v reflect.Value) []byte { return strconv.AppendUint(b, v.Uint(), 10) }

func writeBytes(b []byte, v reflect.Value) []byte {
	if v.IsNil() {
		return append(b, "null"...)
	}
	b = base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes())
	return append(b, '"')
}

func writeMap(b []byte, v reflect.Value) []byte {
	if v.IsNil() {
		return append(b, "null"...)
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int {
		if x.String() < y.String() {
			return -1
		}
		return 1
	})
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k.String()), ':')
		b = appendString(b, v.MapIndex(k).String())
	}
	return append(b, '}')
}

// appendString quotes s. What needs more than quotes is left to the standard
// library, whose escapes are to be the same.
func appendString(b []byte, s string) []byte {
	if plainText(s) {
		b = append(append(b, '"'), s...)
		return append(b, '"')
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("canon: a string does not encode: " + err.Error()) // it always does
	}
	return append(b, quoted...)
}

// plain marks the bytes that stand for themselves in a string.
var plain = func() (t [256]bool) {
	for c := ' '; c <= '~'; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()

func plainText(s string) bool {
	for i := range len(s) {
		if !plain[s[i]] {
			return false
		}
	}
	return true
}
