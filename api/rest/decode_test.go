package rest

import (
	"strings"
	"testing"

	"github.com/kvorum/kvorum/internal/errs"
)

type owner struct {
	ID   string `json:"id"`
	Home *struct {
		Number int `json:"number"`
	} `json:"home"`
}

// TestDecodeSpeaksJSON: what does not fit is told in words of the API.
func TestDecodeSpeaksJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"auth":5}`:                                 "Invalid input for field/attribute auth. It is a number, and must be an object.",
		`{"auth":{"list":true}}`:                     "Invalid input for field/attribute auth.list. It is a boolean, and must be an array.",
		`{"auth":{"list":[7]}}`:                      "Invalid input for field/attribute auth.list. It is a number, and must be a string.",
		`{"auth":{"user":{"id":7}}}`:                 "Invalid input for field/attribute auth.user.id. It is a number, and must be a string.",
		`{"auth":{"user":{"home":{"number":"x"}}}}`:  "Invalid input for field/attribute auth.user.home.number. It is a string, and must be a number.",
		`{"auth":{"user":{"home":{"number":1e99}}}}`: "Invalid input for field/attribute auth.user.home.number. It is a number, and must be a number.",
		`{"auth":{"map":{"a":{}}}}`:                  "Invalid input for field/attribute auth.map. It is an object, and must be a boolean.",
		`5`:                                          "The request body is a number, and must be an object.",
		`[]`:                                         "The request body is an array, and must be an object.",
		`{"colour":1}`:                               "Additional properties are not allowed ('colour' was unexpected)",
		`{"auth":`:                                   "Malformed request body",
		`{}x`:                                        "Malformed request body",
		``:                                           "Malformed request body",
		`{"auth":{"list":["` + "\x01" + `"]}}`:       "Malformed request body",
	} {
		var in struct {
			Auth struct {
				List []string        `json:"list"`
				Map  map[string]bool `json:"map"`
				User *struct {
					owner
					Name string `json:"name"`
				} `json:"user"`
			} `json:"auth"`
		}
		err := (&Call{Body: []byte(body)}).Decode(&in, true)
		got := errs.Message(err)
		if strings.HasPrefix(got, "Invalid input for field/attribute auth.map.") {
			got = strings.Replace(got, "auth.map.a.", "auth.map.", 1)
		}
		if !errs.Is(err, errs.Invalid) || got != want {
			t.Errorf("%s: %v %q, want %q", body, errs.KindOf(err), got, want)
		}
	}
	var in struct{ A int }
	if err := (&Call{Body: []byte(`{"A":1,"b":2}`)}).Decode(&in, false); err != nil || in.A != 1 {
		t.Errorf("%v %+v", err, in)
	}
}
