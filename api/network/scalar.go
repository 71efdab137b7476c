package network

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// number is a whole number that may come as text: the openstack command sends
// "1400" for an MTU.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	i, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	if err != nil {
		return &json.UnmarshalTypeError{Value: kindOf(b), Type: reflect.TypeFor[number]()}
	}
	*n = number(i)
	return nil
}

// boolean is true or false, and may come as text or as 0 and 1.
type boolean bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *boolean) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(string(bytes.Trim(b, `"`))) {
	case "true", "1":
		*f = true
	case "false", "0":
		*f = false
	default:
		return &json.UnmarshalTypeError{Value: kindOf(b), Type: reflect.TypeFor[boolean]()}
	}
	return nil
}

// kindOf names what JSON is, for a refusal.
func kindOf(b []byte) string {
	switch b[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "bool"
	}
	return "number"
}

// whole is a number for commands that change only what is given. What does not
// fit an int stays out of every range that is checked.
func (n *number) whole() *int {
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}
