package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/kvorum/kvorum/internal/errs"
)

// Decode reads the body as JSON into v: unknown fields are refused when strict
// is set, and so is anything behind the value. errs.Invalid names the field
// that does not fit, and what it must be.
func (c *Call) Decode(v any, strict bool) error {
	const op = "rest.decode"
	dec := json.NewDecoder(bytes.NewReader(c.Body))
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(v); err != nil {
		return errs.E(op, errs.Invalid, misfit(err, reflect.TypeOf(v)), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errs.E(op, errs.Invalid, "Malformed request body", err)
	}
	return nil
}

// misfit words what is wrong with JSON that was read into a type, in JSON's
// own terms: the names of Go's types are nobody's business.
func misfit(err error, into reflect.Type) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		is, _, _ := strings.Cut(wrong.Value, " ")
		if is == "bool" {
			is = "boolean"
		}
		where := "The request body"
		if path := jsonPath(into, wrong.Field); path != "" {
			where = "Invalid input for field/attribute " + path + ". It"
		}
		return where + " is " + article(is) + ", and must be " + article(jsonType(wrong.Type)) + "."
	}
	if _, name, unknown := strings.Cut(err.Error(), "json: unknown field "); unknown {
		return "Additional properties are not allowed (" + strings.ReplaceAll(name, `"`, "'") + " was unexpected)"
	}
	return "Malformed request body"
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// jsonType is what JSON calls a value of a type.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Struct, reflect.Map, reflect.Interface:
		return "object"
	}
	return "number"
}

// jsonPath takes the names of embedded structs out of a path: they are not in
// the JSON.
func jsonPath(t reflect.Type, path string) string {
	var out []string
	for part := range strings.SplitSeq(path, ".") {
		for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map) {
			t = t.Elem()
		}
		f, embedded := field(t, part)
		if !embedded && part != "" {
			out = append(out, part)
		}
		t = f
	}
	return strings.Join(out, ".")
}

// field finds the type of a struct's field by its name in JSON, or by its own
// if it is embedded.
func field(t reflect.Type, name string) (of reflect.Type, embedded bool) {
	if t == nil || t.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == name && tag != "" {
			return f.Type, false
		}
		if f.Anonymous && tag == "" && f.Name == name {
			return f.Type, true
		}
	}
	return nil, false
}
