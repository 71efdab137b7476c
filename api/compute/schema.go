package compute

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// rule checks a decoded JSON value, whose numbers are json.Number. name is the
// field that has it, for the sentence.
type rule func(name string, v any, at rest.Version) error

// field is one property of a record, and the microversions that have it.
type field struct {
	name      string
	rule      rule
	min, max  int // minor versions; 0 is open
	mandatory int // the minor version from which it must be there; 0 is never
}

func has(name string, r rule) field        { return field{name: name, rule: r} }
func (f field) from(minor int) field       { f.min = minor; return f }
func (f field) until(minor int) field      { f.max = minor; return f }
func (f field) must() field                { return f.mustFrom(1) }
func (f field) mustFrom(minor int) field   { f.mandatory = minor; return f }
func (f field) known(at rest.Version) bool { return within(at, f.min, f.max) }

// within tells whether a microversion is one of min to max; 0 is open.
func within(at rest.Version, min, max int) bool {
	return at.AtLeast(min) && (max == 0 || !at.AtLeast(max+1))
}

func invalid(format string, args ...any) error {
	return errs.Errorf("compute.parse", errs.Invalid, format, args...)
}

// badInput is the API's sentence for a value that does not fit its rule.
func badInput(name string, v any, why string) error {
	if name == "" {
		return invalid("%s", why)
	}
	return invalid("Invalid input for field/attribute %s. Value: %s. %s", name, shown(v), why)
}

// shown is a value as the API's sentences repeat it.
func shown(v any) string {
	switch x := v.(type) {
	case nil:
		return "None"
	case bool:
		return either(x, "True", "False")
	case string:
		return shorten(x)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return shorten(string(b))
}

// quoted is shown with quotes around a text.
func quoted(v any) string {
	if s, ok := v.(string); ok {
		return "'" + shorten(s) + "'"
	}
	return shown(v)
}

func wrongType(name string, v any, want string) error {
	return badInput(name, v, fmt.Sprintf("%s is not of type '%s'", quoted(v), want))
}

// record is an object with these properties and no others.
func record(fields ...field) rule {
	return func(name string, v any, at rest.Version) error {
		m, ok := v.(map[string]any)
		if !ok {
			return wrongType(name, v, "object")
		}
		names := map[string]bool{}
		for _, f := range fields {
			if !f.known(at) {
				continue
			}
			names[f.name] = true
			x, there := m[f.name]
			if !there && f.mandatory > 0 && at.AtLeast(f.mandatory) {
				return badInput(name, v, fmt.Sprintf("'%s' is a required property", f.name))
			}
			if !there {
				continue
			}
			if err := f.rule(f.name, x, at); err != nil {
				return err
			}
		}
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !names[k] {
				return badInput(name, v, fmt.Sprintf("Additional properties are not allowed ('%s' was unexpected)", shorten(k)))
			}
		}
		return nil
	}
}

// text has min to max characters and, if form is given, its form.
func text(min, max int, form *regexp.Regexp) rule {
	return func(name string, v any, _ rest.Version) error {
		s, ok := v.(string)
		if !ok {
			return wrongType(name, v, "string")
		}
		switch n := utf8.RuneCountInString(s); {
		case n < min:
			return badInput(name, v, quoted(s)+" is too short")
		case n > max:
			return badInput(name, v, fmt.Sprintf("%s is too long: the limit is %d", quoted(s), max))
		case form != nil && !form.MatchString(s):
			return badInput(name, v, fmt.Sprintf("%s does not match '%s'", quoted(s), form))
		}
		return nil
	}
}

// title is a name: 1 to 255 printable characters without blanks at its ends.
func title(name string, v any, at rest.Version) error {
	if err := text(1, model.MaxName, nil)(name, v, at); err != nil {
		return err
	}
	s := v.(string)
	if strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return badInput(name, v, fmt.Sprintf("%s has unprintable characters, or blanks at its ends", quoted(s)))
	}
	return nil
}

// printable is a text that may be empty: up to max characters, all printable.
func printable(max int) rule {
	return func(name string, v any, at rest.Version) error {
		if err := text(0, max, nil)(name, v, at); err != nil {
			return err
		}
		if err := model.CheckText(name, v.(string), max); err != nil {
			return badInput(name, v, err.Error())
		}
		return nil
	}
}

// integer is a whole number from min to max, or a string of its digits.
func integer(min, max int64) rule {
	return func(name string, v any, _ rest.Version) error {
		n, ok := wholeNumber(v)
		switch {
		case !ok:
			return wrongType(name, v, "integer")
		case n < min:
			return badInput(name, v, fmt.Sprintf("%d is less than the minimum of %d", n, min))
		case n > max:
			return badInput(name, v, fmt.Sprintf("%d is greater than the maximum of %d", n, max))
		}
		return nil
	}
}

// wholeNumber reads an integer or a string of digits. What does not fit 64
// bits is the nearest that does.
func wholeNumber(v any) (int64, bool) {
	var digits string
	switch x := v.(type) {
	case json.Number:
		digits = x.String()
	case string:
		digits = x
	}
	if !integerForm.MatchString(digits) {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil && strings.HasPrefix(digits, "-") {
		return math.MinInt64, true
	}
	return n, true
}

var integerForm = regexp.MustCompile(`^-?\d+$`)

// boolish is a truth value in any of the forms that the API takes.
func boolish(name string, v any, _ rest.Version) error {
	if _, ok := truthOf(v); !ok {
		return badInput(name, v, quoted(v)+" is not one of [True, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', False, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no']")
	}
	return nil
}

func truthOf(v any) (yes, ok bool) {
	switch x := v.(type) {
	case bool:
		return x, true
	case string:
		switch x {
		case "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes":
			return true, true
		case "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no":
			return false, true
		}
	}
	return false, false
}

// oneOf is one of some words.
func oneOf(words ...string) rule {
	return func(name string, v any, _ rest.Version) error {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			return badInput(name, v, fmt.Sprintf("%s is not one of ['%s']", quoted(v), strings.Join(words, "', '")))
		}
		return nil
	}
}

// list has at most max elements.
func list(max int, each rule) rule {
	return func(name string, v any, at rest.Version) error {
		l, ok := v.([]any)
		if !ok {
			return wrongType(name, v, "array")
		}
		if len(l) > max {
			return badInput(name, v, fmt.Sprintf("it has %d elements, which is too long: at most %d", len(l), max))
		}
		for i, x := range l {
			if err := each(strconv.Itoa(i), x, at); err != nil {
				return err
			}
		}
		return nil
	}
}

// nullable is null, or what the rule says.
func nullable(r rule) rule {
	return func(name string, v any, at rest.Version) error {
		if v == nil {
			return nil
		}
		return r(name, v, at)
	}
}

// anyOf is what one of the rules says; the sentence is the first one's.
func anyOf(rules ...rule) rule {
	return func(name string, v any, at rest.Version) error {
		var first error
		for _, r := range rules {
			err := r(name, v, at)
			if err == nil {
				return nil
			}
			if first == nil {
				first = err
			}
		}
		return first
	}
}

// anything is every value.
func anything(string, any, rest.Version) error { return nil }

// null is nothing but null.
func null(name string, v any, _ rest.Version) error {
	if v != nil {
		return wrongType(name, v, "null")
	}
	return nil
}

// isUUID is a UUID with dashes, in either case.
func isUUID(name string, v any, _ rest.Version) error {
	if s, ok := v.(string); !ok || !model.IsUUID(strings.ToLower(s)) {
		return badInput(name, v, quoted(v)+" is not a 'uuid'")
	}
	return nil
}
