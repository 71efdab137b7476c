package command

import (
	"bytes"
	"reflect"
	"regexp"
	"testing"
)

func TestEveryKindIsWhole(t *testing.T) {
	form := regexp.MustCompile(`^([a-z_]+\.)?[a-z_]+/[0-9]+$`)
	for _, name := range Kinds() {
		t.Run(name, func(t *testing.T) {
			c := Example(name)
			if c == nil || c.Kind() != name || !form.MatchString(name) {
				t.Fatalf("the example is of another kind, or the kind's name has no form")
			}
			if registry[name].workload == nil {
				t.Fatalf("there is no workload")
			}
			first, err := Encode(Envelope{ID: "req-1", By: By{System: Leader, Term: 1}, Command: c})
			if err != nil {
				t.Fatal(err)
			}
			e, err := Decode(first)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(e.Command, c) {
				t.Errorf("decoded to %+v, want %+v", e.Command, c)
			}
			second, err := Encode(e)
			if err != nil || !bytes.Equal(first, second) {
				t.Errorf("encoded again to\n%s\nwant\n%s (%v)", second, first, err)
			}
		})
	}
}

func TestDecodeRefusesWhatItDoesNotKnow(t *testing.T) {
	good, err := Encode(Envelope{By: By{System: Leader}, Command: exampleExpire()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(good); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, b := range map[string]string{
		"an unknown kind":           `{"kind":"expire/9","by":{}}` + "\n{}",
		"an unknown field":          `{"kind":"expire/1","by":{}}` + "\n" + `{"x":1}`,
		"an unknown envelope field": `{"kind":"expire/1","by":{},"x":1}` + "\n{}",
		"no body":                   `{"kind":"expire/1","by":{}}`,
		"an empty body":             `{"kind":"expire/1","by":{}}` + "\n",
	} {
		if _, err := Decode([]byte(b)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestEncodeBoundsTheSize(t *testing.T) {
	c := exampleServerCreate()
	c.UserData = make([]byte, MaxBytes)
	if _, err := Encode(Envelope{Command: c}); err == nil {
		t.Error("a command larger than MaxBytes was encoded")
	}
}
