package identity

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
)

// shape is what a body may say of one sort of thing.
type shape struct {
	// one is the thing's name, and known are the attributes that its handler
	// reads.
	one   string
	known []string
	// unoffered are attributes that Identity has and this cloud has not, and what
	// is said to who wants them. Clients send them empty, too: that asks for
	// nothing.
	unoffered map[string]string
	// extra says that all others are kept, as Keystone does.
	extra bool
}

// The shapes of what can be made and changed.
var (
	projectShape = shape{one: "project", extra: true, known: []string{"name", "domain_id", "parent_id", "description", "enabled"}, unoffered: map[string]string{
		"is_domain": "A project that is a domain is not offered.",
		"tags":      "Tags of projects are not offered.",
		"options":   "Options of projects are not offered.",
	}}
	userShape = shape{one: "user", extra: true, known: []string{"name", "domain_id", "email", "password", "default_project_id", "enabled"}, unoffered: map[string]string{
		"options":             "Options of users are not offered.",
		"password_expires_at": "Passwords do not expire.",
		"federated":           "Users of other identity providers are not offered.",
		"original_password":   "Who knows the present password changes it by POST /v3/users/{user_id}/password.",
	}}
	roleShape = shape{one: "role", known: []string{"name", "description"}, unoffered: map[string]string{
		"domain_id": "Roles of a domain are not offered.",
		"options":   "Options of roles are not offered.",
	}}
)

// decode reads a body of the shape into v, and gives the further attributes
// that it names: JSON texts, empty where they are null. What is not kept is
// refused in words; links are not looked at, and id, which may be empty, must be
// what the body says it is.
func (s shape) decode(c *rest.Call, v any, id string) (map[string]string, error) {
	if err := c.Decode(v, false); err != nil {
		return nil, err
	}
	var body map[string]map[string]json.RawMessage
	if err := json.Unmarshal(c.Body, &body); err != nil {
		return nil, invalid("The body is an object with one member, '%s', which is an object.", s.one)
	}
	for member := range body {
		if member != s.one {
			return nil, invalid("The body has one member, '%s'; '%.64s' is unexpected.", s.one, member)
		}
	}
	extra := map[string]string{}
	all := body[s.one]
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := s.take(extra, id, name, all[name]); err != nil {
			return nil, err
		}
	}
	return extra, nil
}

// take looks at one attribute.
func (s shape) take(extra map[string]string, id, name string, value json.RawMessage) error {
	for _, known := range s.known {
		if known == name {
			return nil
		}
		if strings.EqualFold(known, name) {
			return invalid("%s: '%s' is written '%s'.", s.one, name, known)
		}
	}
	why, unoffered := s.unoffered[name]
	switch {
	case name == "links":
		return nil
	case name == "id":
		if asked := ""; !asksNothing(value) && (json.Unmarshal(value, &asked) != nil || asked != id) {
			return invalid("%s: 'id' is given by the cloud and stays what it is.", s.one)
		}
		return nil
	case unoffered && !asksNothing(value):
		return invalid("%s: '%s' is not taken. %s", s.one, name, why)
	case unoffered:
		return nil
	case !s.extra:
		return invalid("%s: there is no attribute '%.64s'.", s.one, name)
	}
	var text bytes.Buffer
	if err := json.Compact(&text, value); err != nil {
		return invalid("%s: '%.64s' is not JSON.", s.one, name)
	}
	extra[name] = text.String()
	if extra[name] == "null" {
		extra[name] = ""
	}
	return nil
}

// asksNothing tells whether a value is how clients say that they want none.
func asksNothing(value json.RawMessage) bool {
	var v any
	if json.Unmarshal(value, &v) != nil {
		return false
	}
	switch x := v.(type) {
	case nil:
		return true
	case bool:
		return !x
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any:
		for _, set := range x {
			if set != nil && set != false {
				return false
			}
		}
		return true
	}
	return false
}

// showExtra adds a thing's further attributes to its others.
func showExtra(out map[string]any, extra map[string]string) map[string]any {
	for name, text := range extra {
		if _, taken := out[name]; !taken {
			out[name] = json.RawMessage(text)
		}
	}
	return out
}
