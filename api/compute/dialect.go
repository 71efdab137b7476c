package compute

import (
	"net/http"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// The microversions that are served.
var (
	minVersion = rest.Version{Major: 2, Minor: 1}
	maxVersion = rest.Version{Major: 2, Minor: 19}
)

// The two headers that carry the microversion; the second is the older one.
const (
	newHeader = "OpenStack-API-Version"
	oldHeader = "X-OpenStack-Nova-API-Version"
)

var faults = map[int]string{400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
	409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented", 503: "serviceUnavailable"}

// Dialect is how Compute words its faults and versions (Compute API guide,
// "Faults" and "Microversions").
func Dialect(root string) *rest.Dialect {
	return &rest.Dialect{
		Name: "compute", Root: root,
		Fault: func(_ *rest.Call, status int, message string, _ http.Header) (any, string) {
			name := faults[status]
			if name == "" {
				name = "computeFault"
			}
			return map[string]any{name: map[string]any{"code": status, "message": message}}, ""
		},
		Negotiate: negotiate,
		Headers: func(c *rest.Call, h http.Header) {
			h.Set("X-Compute-Request-Id", c.RequestID)
			if c.Version != (rest.Version{}) {
				h.Set(newHeader, "compute "+c.Version.String())
				h.Set(oldHeader, c.Version.String())
				h["Vary"] = []string{newHeader, oldHeader}
			}
		},
		Unauthorized: func(c *rest.Call) string {
			return `Keystone uri="` + strings.TrimSuffix(c.Endpoint, "/compute") + `/identity"`
		},
		Forbidden: func(r *rest.Route) string {
			return "Policy doesn't allow os_compute_api:" + r.Name + " to be performed."
		},
	}
}

// negotiate reads the microversion that a request asks for; 2.1 without one.
func negotiate(r *http.Request) (rest.Version, error) {
	want := r.Header.Get(oldHeader)
	for _, part := range strings.Split(r.Header.Get(newHeader), ",") {
		if f := strings.Fields(part); len(f) == 2 && f[0] == "compute" {
			want = f[1]
		}
	}
	switch want {
	case "":
		return minVersion, nil
	case "latest":
		return maxVersion, nil
	}
	v, ok := rest.ParseVersion(want)
	if !ok {
		return rest.Version{}, errs.Errorf("compute.version", errs.Invalid,
			"API Version String %s is of invalid format. Must be of format MajorNum.MinorNum.", want)
	}
	if v.Less(minVersion) || maxVersion.Less(v) {
		return rest.Version{}, errs.Errorf("compute.version", errs.NotAcceptable,
			"Version %s is not supported by the API. Minimum is %s and maximum is %s.", v, minVersion, maxVersion)
	}
	return v, nil
}
