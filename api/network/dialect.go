package network

import (
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Door is the front door.
type Door struct{}

type object = map[string]any

// faultType is Neutron's name for a failure, as far as clients tell them apart.
func faultType(status int, message string) string {
	for _, row := range []struct{ part, name string }{
		{"Quota exceeded", "OverQuota"}, {"No more IP addresses", "IpAddressGenerationFailure"}, {"The IP address", "IpAddressInUse"},
		{"mac address", "MacAddressInUse"}, {"Network ", "NetworkNotFound"}, {"Subnet ", "SubnetNotFound"}, {"Port ", "PortNotFound"}, {"Router ", "RouterNotFound"},
	} {
		if strings.Contains(message, row.part) && (status == 404 || status == 409 || row.name == "OverQuota") {
			if status == 409 {
				return strings.ReplaceAll(row.name, "NotFound", "InUse")
			}
			return row.name
		}
	}
	switch status {
	case 400:
		return "BadRequest"
	case 403:
		return "PolicyNotAuthorized"
	case 404:
		return "HTTPNotFound"
	case 409:
		return "Conflict"
	}
	return "HTTPError"
}

// Dialect is how Network words its faults.
func Dialect(root string) *rest.Dialect {
	return &rest.Dialect{
		Name: "network", Root: root,
		Fault: func(_ *rest.Call, status int, message string, _ http.Header) (any, string) {
			return object{"NeutronError": object{"type": faultType(status, message), "message": message, "detail": ""}}, ""
		},
		Unauthorized: func(c *rest.Call) string { return `Keystone uri="` + c.Endpoint + `"` },
		Forbidden:    func(r *rest.Route) string { return "(rule:" + r.Name + ") is disallowed by policy" },
		Status: func(err error) int {
			if errs.Is(err, errs.Quota) {
				return http.StatusConflict
			}
			return 0
		},
	}
}

func invalid(format string, args ...any) error {
	return errs.Errorf("network.parse", errs.Invalid, format, args...)
}

func notFound(what, id string) error {
	return errs.Errorf("network.find", errs.NotFound, "%s %s could not be found", what, id)
}

func at(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format("2006-01-02T15:04:05Z") }

// body reads {"<name>": {...}} strictly into v.
func body(c *rest.Call, name string, v any) error {
	var outer map[string]json.RawMessage
	if err := c.Decode(&outer, false); err != nil {
		return err
	}
	inner, ok := outer[name]
	if !ok {
		if _, bulk := outer[name+"s"]; bulk {
			return errs.Errorf("network.bulk", errs.NotImplemented, "Making several at once is not offered: make them one by one.")
		}
		return invalid("Resource '%s' is missing from the body", name)
	}
	sub := *c
	sub.Body = inner
	err := sub.Decode(v, true)
	if err != nil {
		if _, field, ok := strings.Cut(errs.Message(err), "unknown field "); ok {
			return invalid("Unrecognized attribute(s) '%s'", strings.Trim(field, `"`))
		}
	}
	return err
}

// owner is the project that a new resource belongs to: the caller's, or any
// for administrators.
func owner(c *rest.Call, given ...string) (model.ProjectID, error) {
	for _, g := range given {
		if g != "" && g != string(c.Caller.ProjectID()) {
			if !c.Caller.Admin() {
				return "", errs.Errorf("network.owner", errs.Forbidden, "The specified project is not yours: it is disallowed by policy")
			}
			return model.ProjectID(g), nil
		}
	}
	return c.Caller.ProjectID(), nil
}

// answer gives one resource.
func answer(status int, name string, o object) (rest.Answer, error) {
	return rest.JSON(status, object{name: o}), nil
}

// list answers a collection: filtered by every visible attribute that the
// query names, sorted, cut into pages and into fields.
func list(c *rest.Call, plural string, all []object) (rest.Answer, error) {
	q := c.Request.URL.Query()
	all = slices.DeleteFunc(all, func(o object) bool { return !matches(o, q) })
	if k := q.Get("sort_key"); k != "" {
		sort.SliceStable(all, func(i, j int) bool {
			a, b := text(all[i][k]), text(all[j][k])
			return (a < b) != (q.Get("sort_dir") == "desc") && a != b
		})
	}
	limit, err := c.Limit(rest.MaxLimit, rest.MaxLimit)
	if err != nil {
		return rest.Answer{}, err
	}
	page, more, found := rest.Page(all, func(o object) string { return text(o["id"]) }, q.Get("marker"), limit)
	if !found {
		return rest.Answer{}, invalid("The marker %s is not in this list", q.Get("marker"))
	}
	out := object{}
	if more && q.Has("limit") {
		q.Set("marker", text(page[len(page)-1]["id"]))
		out[plural+"_links"] = []object{{"rel": "next", "href": c.Endpoint + "/v2.0/" + plural + "?" + q.Encode()}}
		q = c.Request.URL.Query()
	}
	items := []object{}
	for _, o := range page {
		if fields := q["fields"]; len(fields) > 0 {
			cut := object{}
			for _, f := range fields {
				if v, ok := o[f]; ok {
					cut[f] = v
				}
			}
			o = cut
		}
		items = append(items, o)
	}
	out[plural] = items
	return rest.JSON(http.StatusOK, out), nil
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.Trim(string(b), `"`)
}

func matches(o object, q map[string][]string) bool {
	for name, values := range q {
		have, visible := o[name]
		if name == "fixed_ips" {
			if !matchesFixed(text(have), values) {
				return false
			}
			continue
		}
		if !visible || name == "fields" {
			continue
		}
		if !slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, text(have)) }) {
			return false
		}
	}
	return true
}

// matchesFixed looks for subnet_id=... and ip_address=... in a port's addresses.
func matchesFixed(have string, values []string) bool {
	for _, v := range values {
		key, value, _ := strings.Cut(v, "=")
		if !strings.Contains(have, `"`+key+`":"`+value+`"`) {
			return false
		}
	}
	return true
}
