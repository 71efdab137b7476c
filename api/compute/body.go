package compute

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// decode gives the request's body as it is, with json.Number for numbers.
func decode(c *rest.Call) (any, error) {
	if err := mediaType(c.Request.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(c.Body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, errs.E("compute.decode", errs.Invalid, "Malformed request body", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, invalid("Malformed request body")
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, invalid("Malformed request body")
	}
	return v, nil
}

// mediaType refuses bodies that are not JSON by their own word.
func mediaType(header string) error {
	if header == "" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(header)
	switch kind {
	case "", "text/plain", "application/json", "application/vnd.openstack.compute+json":
		if err == nil {
			return nil
		}
	}
	return errs.Errorf("compute.decode", errs.Unsupported, "Unsupported Content-Type")
}

// parse checks the request's body by a rule and decodes it.
func parse(c *rest.Call, r rule, into any) error {
	v, err := decode(c)
	if err != nil {
		return err
	}
	if err := r("", v, c.Version); err != nil {
		return err
	}
	if err := json.Unmarshal(c.Body, into); err != nil {
		return errs.E("compute.decode", errs.Invalid, "Malformed request body", err)
	}
	return nil
}

// number takes a JSON integer, or a string of its digits.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	v, ok := wholeNumber(string(bytes.Trim(b, `"`)))
	if !ok && string(b) != "null" {
		return badInput("number", string(b), "it is not of type 'integer'")
	}
	*n = number(v)
	return nil
}

// truth takes what boolish allows.
type truth bool

// UnmarshalJSON implements json.Unmarshaler.
func (t *truth) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	yes, _ := truthOf(v)
	*t = truth(yes)
	return nil
}

// word takes a text, or a number as its digits.
type word string

// UnmarshalJSON implements json.Unmarshaler.
func (w *word) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*w = word(s)
		return nil
	}
	*w = word(b)
	return nil
}
