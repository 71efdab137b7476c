package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/kvorum/kvorum/internal/errs"
)

// Setting is one field of Config, addressed by its key.
type Setting struct {
	// Key is the setting's in the file, with its tables: "public.listen".
	Key, Usage string
	value      reflect.Value
}

// Env is the setting's environment variable: KVORUM_PUBLIC_LISTEN.
func (s Setting) Env() string {
	return "KVORUM_" + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_"))
}

// Settings lists every setting of c, in the order of its fields.
func (c *Config) Settings() []Setting { return walk("", reflect.ValueOf(c).Elem()) }

func walk(prefix string, v reflect.Value) (out []Setting) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := prefix + f.Tag.Get("toml")
		if f.Type.Kind() == reflect.Struct {
			out = append(out, walk(key+".", v.Field(i))...)
			continue
		}
		out = append(out, Setting{Key: key, Usage: f.Tag.Get("usage"), value: v.Field(i)})
	}
	return out
}

// String is the setting's present value as text; lists are joined by commas.
func (s Setting) String() string {
	if list, ok := s.value.Interface().([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(s.value.Interface())
}

// Set reads the setting from text.
func (s Setting) Set(text string) error {
	var err error
	switch p := s.value.Addr().Interface().(type) {
	case *string:
		*p = text
	case *[]string:
		*p = nil
		if text != "" {
			*p = strings.Split(text, ",")
		}
	case *bool:
		*p, err = strconv.ParseBool(text)
	case *int:
		*p, err = strconv.Atoi(text)
	case *int64:
		*p, err = strconv.ParseInt(text, 10, 64)
	case *Span:
		err = p.UnmarshalText([]byte(text))
	case *Ratio:
		if err := p.UnmarshalText([]byte(text)); err != nil {
			return errs.Errorf("config.set", errs.Invalid, "%s: %v", s.Key, err)
		}
	default:
		return errs.Errorf("config.set", errs.Internal, "%s: the type %s cannot be set", s.Key, s.value.Type())
	}
	if err != nil {
		return errs.Errorf("config.set", errs.Invalid, "%s: %q is not %s", s.Key, text, s.wants())
	}
	return nil
}

// wants says in words what Set takes.
func (s Setting) wants() string {
	switch s.value.Interface().(type) {
	case bool:
		return "true or false"
	case Span:
		return `a time such as "60s"`
	}
	return "a whole number"
}

// Load gives the defaults, overridden by the file (if its name is not empty)
// and then by the environment.
func Load(file string, environ []string) (Config, error) {
	c := Default()
	if file != "" {
		if err := c.read(file); err != nil {
			return c, err
		}
	}
	known := map[string]Setting{}
	for _, s := range c.Settings() {
		known[s.Env()] = s
	}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "KVORUM_") {
			continue
		}
		s, ok := known[name]
		if !ok {
			return c, unknown("environment", name, keysOf(known))
		}
		if err := s.Set(value); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *Config) read(file string) error {
	const op = "config.read"
	b, err := os.ReadFile(file)
	if err != nil {
		return errs.E(op, errs.Invalid, "The configuration cannot be read: "+err.Error(), nil)
	}
	dec := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	err = dec.Decode(c)
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		return unknown(file, strings.Join(strict.Errors[0].Key(), "."), append(c.keys(), c.tables()...))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		row, col := bad.Position()
		return errs.Errorf(op, errs.Invalid, "%s, line %d, column %d: %s", file, row, col, bad.Error())
	}
	if err != nil {
		return errs.E(op, errs.Invalid, file+": "+err.Error(), nil)
	}
	return nil
}

func keysOf(m map[string]Setting) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}
