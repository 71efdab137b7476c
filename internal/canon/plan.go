package canon

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// plan is how values of one type are written and read.
type plan struct {
	// write appends v's encoding.
	write func(b []byte, v reflect.Value) []byte
	// read sets v, which is zero, from what comes next. False means that it is
	// not in the form that write gives, whatever else it may be.
	read func(r *reader, v reflect.Value) bool
	// hash gives m after it took v in.
	hash func(m mixer, v reflect.Value) mixer
	// empty is what omitempty leaves out.
	empty func(v reflect.Value) bool
}

// field is one field of a struct.
type field struct {
	index int
	// label is the quoted name with its colon.
	label string
	// mark is the name's in the hash.
	mark uint64
	// omit tells whether the field is left out; nil: never.
	omit func(v reflect.Value) bool
	*plan
}

var plans sync.Map // reflect.Type -> *plan

// planFor gives the plan of a type. Records are plain data; a type that
// cannot be one is a programmer's mistake and panics.
func planFor(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := plans.LoadOrStore(t, newPlan(t))
	return p.(*plan)
}

var (
	marshaler   = reflect.TypeFor[interface{ MarshalJSON() ([]byte, error) }]()
	texter      = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
	unmarshaler = reflect.TypeFor[interface{ UnmarshalJSON([]byte) error }]()
	untexter    = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()
	zeroer      = reflect.TypeFor[interface{ IsZero() bool }]()
)

func newPlan(t reflect.Type) *plan {
	for _, own := range []reflect.Type{marshaler, texter, unmarshaler, untexter, zeroer} {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			panic(fmt.Sprintf("canon: %v has a form of its own", t))
		}
	}
	switch t.Kind() {
	case reflect.String:
		return &plan{writeString, readString, hashString, func(v reflect.Value) bool { return v.Len() == 0 }}
	case reflect.Bool:
		return &plan{writeBool, readBool, hashBool, reflect.Value.IsZero}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &plan{writeInt, readInt, hashInt, reflect.Value.IsZero}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &plan{writeUint, readUint, hashUint, reflect.Value.IsZero}
	case reflect.Pointer:
		return pointerPlan(planFor(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &plan{writeBytes, readBytes, hashBytes, noElements}
		}
		return slicePlan(planFor(t.Elem()))
	case reflect.Map:
		if t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String {
			return &plan{writeMap, readMap, hashMap, noElements}
		}
	case reflect.Struct:
		return structPlan(t)
	}
	panic(fmt.Sprintf("canon: %v cannot be part of a record", t))
}

func markOf(name string) uint64 {
	hi, _ := mixText(mixer{}, name).sum()
	return hi
}

func noElements(v reflect.Value) bool { return v.Len() == 0 }

func structPlan(t reflect.Type) *plan {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" {
			continue
		}
		if !tagged || name == "" || !f.IsExported() || f.Anonymous || !plainText(name) {
			panic(fmt.Sprintf("canon: field %s of %v needs a plain name of its own in its tag", f.Name, t))
		}
		x := field{index: i, label: `"` + name + `":`, mark: markOf(name), plan: planFor(f.Type)}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "omitzero":
				x.omit = reflect.Value.IsZero
			case "omitempty":
				x.omit = x.empty
			case "":
			default:
				panic(fmt.Sprintf("canon: field %s of %v has the option %q", f.Name, t, option))
			}
		}
		fields = append(fields, x)
	}
	return &plan{
		write: func(b []byte, v reflect.Value) []byte { return writeStruct(b, v, fields) },
		read:  func(r *reader, v reflect.Value) bool { return readStruct(r, v, fields) },
		hash:  func(m mixer, v reflect.Value) mixer { return hashStruct(m, v, fields) },
		empty: func(reflect.Value) bool { return false },
	}
}

func pointerPlan(to *plan) *plan {
	return &plan{
		write: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, "null"...)
			}
			return to.write(b, v.Elem())
		},
		read: func(r *reader, v reflect.Value) bool {
			x := reflect.New(v.Type().Elem())
			v.Set(x)
			return to.read(r, x.Elem())
		},
		hash: func(m mixer, v reflect.Value) mixer {
			if v.IsNil() {
				return m.add(markNil)
			}
			return to.hash(m.add(markSome), v.Elem())
		},
		empty: reflect.Value.IsNil,
	}
}

func slicePlan(of *plan) *plan {
	return &plan{
		write: func(b []byte, v reflect.Value) []byte {
			if v.IsNil() {
				return append(b, "null"...)
			}
			b = append(b, '[')
			for i := range v.Len() {
				if i > 0 {
					b = append(b, ',')
				}
				b = of.write(b, v.Index(i))
			}
			return append(b, ']')
		},
		read: func(r *reader, v reflect.Value) bool { return readSlice(r, v, of) },
		hash: func(m mixer, v reflect.Value) mixer {
			if v.IsNil() {
				return m.add(markNil)
			}
			m = m.add(markSome).add(uint64(v.Len()))
			for i := range v.Len() {
				m = of.hash(m, v.Index(i))
			}
			return m
		},
		empty: noElements,
	}
}
