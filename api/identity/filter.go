package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
)

// comparisons are the filters besides equality, by what stands behind a name:
// name__contains, say. The i forms do not look at case.
var comparisons = map[string]func(have, want string) bool{
	"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix,
	"icontains":   func(have, want string) bool { return strings.Contains(strings.ToLower(have), strings.ToLower(want)) },
	"istartswith": func(have, want string) bool { return strings.HasPrefix(strings.ToLower(have), strings.ToLower(want)) },
	"iendswith":   func(have, want string) bool { return strings.HasSuffix(strings.ToLower(have), strings.ToLower(want)) },
}

// chosen keeps what the query asks for: of the fields that may be filtered by,
// those that it names must fit. Others filter nothing.
func chosen(c *rest.Call, all []object, fields ...string) []object {
	out := []object{}
	for _, o := range all {
		if fits(c, o, fields) {
			out = append(out, o)
		}
	}
	return out
}

func fits(c *rest.Call, o object, fields []string) bool {
	for name, values := range c.Request.URL.Query() {
		field, how, _ := strings.Cut(name, "__")
		if !slices.Contains(fields, field) {
			continue
		}
		want := values[len(values)-1]
		switch have := o[field].(type) {
		case bool:
			if have == strings.Contains(" false 0 no off ", " "+strings.ToLower(want)+" ") {
				return false
			}
		default:
			text := ""
			if have != nil {
				text = fmt.Sprint(have)
			}
			compare := comparisons[how]
			if compare == nil {
				compare = func(have, want string) bool { return have == want }
			}
			if !compare(text, want) {
				return false
			}
		}
	}
	return true
}
