package network

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// rule says what a client may do with an attribute. The zero value is for what
// only the service sets.
type rule struct {
	create, update bool
	// required ones must be there on create.
	required bool
	// null is a value of its own.
	null bool
	// admin ones are set by administrators only.
	admin bool
	// only are the values, as JSON, that would be honoured. They change
	// nothing, so they are taken out before the rest is read.
	only []string
}

// The rules that most attributes have.
var (
	both     = rule{create: true, update: true}
	onCreate = rule{create: true}
	needed   = rule{create: true, required: true}
	readOnly = rule{}
)

func only(values ...string) rule { return rule{create: true, update: true, null: true, only: values} }

func adminOnly(values ...string) rule {
	return rule{create: true, update: true, null: true, admin: true, only: values}
}

// shape is a resource's names and attributes.
type shape struct {
	one, many string
	attrs     map[string]rule
}

// title is the resource's name at the beginning of a sentence.
func (s *shape) title() string { return strings.ToUpper(s.one[:1]) + s.one[1:] }

// newShape adds what every resource has.
func newShape(one string, attrs map[string]rule) *shape {
	for _, name := range []string{"id", "created_at", "updated_at", "revision_number", "tags"} {
		if _, own := attrs[name]; !own {
			attrs[name] = readOnly
		}
	}
	attrs["name"], attrs["description"], attrs["tenant_id"], attrs["project_id"] = both, both, onCreate, onCreate
	return &shape{one: one, many: one + "s", attrs: attrs}
}

// read reads the body of an update: {"network": {...}}.
func read[T any](c *rest.Call, s *shape) (in T, err error) {
	var outer map[string]json.RawMessage
	if err := c.Decode(&outer, false); err != nil {
		return in, err
	}
	inner, there := outer[s.one]
	if !there {
		return in, invalid("Resource '%s' is missing from the body", s.one)
	}
	err = s.readOne(inner, false, c.Caller.Admin(), &in)
	return in, err
}

// readNew reads the body of a create: {"network": {...}}, or {"networks":
// [{...}, ...]}, in which case bulk is set.
func readNew[T any](c *rest.Call, s *shape) (all []T, bulk bool, err error) {
	var outer map[string]json.RawMessage
	if err := c.Decode(&outer, false); err != nil {
		return nil, false, err
	}
	items := []json.RawMessage{outer[s.one]}
	if _, single := outer[s.one]; !single {
		raw, many := outer[s.many]
		if !many {
			return nil, false, invalid("Resource '%s' is missing from the body", s.one)
		}
		bulk, items = true, nil
		if json.Unmarshal(raw, &items) != nil || len(items) == 0 {
			return nil, true, invalid("Resources required")
		}
	}
	if len(items) > command.MaxBulk {
		return nil, bulk, invalid("At most %d %s are made at once.", command.MaxBulk, s.many)
	}
	all = make([]T, len(items))
	for i, item := range items {
		if err := s.readOne(item, true, c.Caller.Admin(), &all[i]); err != nil {
			return nil, bulk, err
		}
	}
	return all, bulk, nil
}

// readOne checks a body against the shape and reads the rest into v.
func (s *shape) readOne(raw []byte, create, admin bool, v any) error {
	var attrs map[string]json.RawMessage
	if json.Unmarshal(raw, &attrs) != nil || attrs == nil {
		return invalid("Invalid input for %s. Reason: it is not an object.", s.one)
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		if _, known := s.attrs[name]; !known {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return invalid("Unrecognized attribute(s) '%.255s'", strings.Join(unknown, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		if err := s.check(name, attrs[name], create, admin); err != nil {
			return err
		}
		if s.attrs[name].only != nil {
			delete(attrs, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.attrs)) {
		if _, there := attrs[name]; create && s.attrs[name].required && !there {
			return invalid("Invalid input for operation: Failed to parse request. Required attribute '%s' not specified.", name)
		}
	}
	return decode(attrs, v)
}

// check tells whether an attribute may be set to a value.
func (s *shape) check(name string, value json.RawMessage, create, admin bool) error {
	r := s.attrs[name]
	switch {
	case create && !r.create:
		return invalid("Attribute '%s' not allowed in POST", name)
	case !create && !r.update:
		return invalid("Cannot update read-only attribute %s", name)
	case r.admin && !admin:
		return forbidden("(rule:%s:%s) is disallowed by policy", s.one, name)
	case string(value) == "null" && !r.null:
		return invalid("Invalid input for %s. Reason: 'None' is not a valid value.", name)
	case r.only == nil:
		return nil
	}
	var text bytes.Buffer
	if json.Compact(&text, value) == nil && slices.Contains(r.only, text.String()) {
		return nil
	}
	var groups []string
	if name == "security_groups" && json.Unmarshal(value, &groups) == nil && len(groups) > 0 {
		return errs.Errorf("network.groups", errs.NotFound, "Security group %.64s does not exist", groups[0])
	}
	return notOffered("The attribute '%s' is offered only as %s.", name, strings.Join(r.only, " or "))
}

// decode reads attributes that a shape allows, each of the right type.
func decode(attrs map[string]json.RawMessage, v any) error {
	raw, err := json.Marshal(attrs)
	if err != nil {
		return invalid("Malformed request body")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err = dec.Decode(v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		field := cmp.Or(strings.TrimPrefix(wrong.Field, "owned."), "operation")
		return invalid("Invalid input for %s. Reason: %s is not a valid type.", field, wrong.Value)
	}
	if err != nil {
		if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
			return invalid("Unrecognized attribute(s) '%.64s'", strings.Trim(field, `"`))
		}
		return invalid("Malformed request body")
	}
	return nil
}

// owned is the part of a body that names the project.
type owned struct {
	Tenant  string `json:"tenant_id"`
	Project string `json:"project_id"`
}

// owner is the project that a new resource belongs to: the caller's, or any
// for administrators.
func (o owned) owner(who rest.Caller) (model.ProjectID, error) {
	if o.Tenant != "" && o.Project != "" && o.Tenant != o.Project {
		return "", invalid("'project_id' and 'tenant_id' do not match")
	}
	p := model.ProjectID(o.Tenant + o.Project)
	if o.Tenant == o.Project {
		p = model.ProjectID(o.Project)
	}
	if p == "" || p == who.ProjectID() {
		return who.ProjectID(), nil
	}
	if !who.Admin() {
		return "", forbidden("Specifying 'project_id' or 'tenant_id' other than authenticated project in request requires admin privileges: it is disallowed by policy")
	}
	return p, nil
}

// render is a resource as a caller sees it.
type render[T any] func(v state.View, who rest.Caller, row *T) object

// changed answers with a resource after a change. Somebody may have deleted it
// right after: that is missing.
func changed[T any](c *rest.Call, s *shape, row *T, r render[T], missing error) (rest.Answer, error) {
	if row == nil {
		return rest.Answer{}, missing
	}
	return rest.JSON(http.StatusOK, object{s.one: r(c.View, c.Caller, row)}), nil
}

// one answers with one resource, cut to the fields that the query names.
func one(c *rest.Call, s *shape, o object) (rest.Answer, error) {
	return rest.JSON(200, object{s.one: cut(o, c.Request.URL.Query()["fields"])}), nil
}

// or gives what is given, or a default.
func or[T any](given *T, def T) T {
	if given == nil {
		return def
	}
	return *given
}

// not is the opposite for commands that change only what is given.
func not(b *boolean) *bool {
	if b == nil {
		return nil
	}
	n := !bool(*b)
	return &n
}

func word(down bool) string {
	if down {
		return "DOWN"
	}
	return "ACTIVE"
}

// text is a scalar as queries name it.
func text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	return fmt.Sprint(v)
}
