package compute

import (
	"net/http"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// The microversions that are served.
var (
	minVersion = since(1)
	maxVersion = since(93)
)

// The two headers that carry the microversion; the second is the older one.
const (
	newHeader = "OpenStack-API-Version"
	oldHeader = "X-OpenStack-Nova-API-Version"
)

// faults are the names of fault bodies by status; any other is computeFault.
var faults = map[int]string{400: "badRequest", 403: "forbidden", 404: "itemNotFound", 405: "badMethod", 409: "conflictingRequest",
	413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented", 503: "serviceUnavailable"}

// Dialect is how Compute words its faults and versions (Compute API guide,
// "Faults" and "Microversions"). With the empty root it also answers for what
// is not there below /v2.1.
func Dialect(root string) *rest.Dialect {
	d := &rest.Dialect{
		Name: "compute", Root: root, Fault: fault, Negotiate: negotiate, Headers: headers,
		Unauthorized: func(c *rest.Call) string {
			return `Keystone uri="` + strings.TrimSuffix(c.Endpoint, root) + `/identity"`
		},
		Forbidden: func(r *rest.Route) string { return notAllowed(r.Name) },
		Missing:   otherVersion,
	}
	if root == "" {
		d.Below = "/v2.1"
	}
	return d
}

// notAllowed is the refusal of who may not do something.
func notAllowed(policy string) string {
	return "Policy doesn't allow os_compute_api:" + policy + " to be performed."
}

func forbidden(policy string) error {
	return errs.E("compute.policy", errs.Forbidden, notAllowed(policy), nil)
}

func fault(_ *rest.Call, status int, message string, h http.Header) (any, string) {
	if status == http.StatusUnauthorized {
		return object{"error": object{"code": status, "title": "Unauthorized", "message": message}}, ""
	}
	name := faults[status]
	if name == "" {
		name = "computeFault"
	}
	body := object{"code": status, "message": message}
	if after := h.Get("Retry-After"); after != "" {
		body["retryAfter"] = after
	}
	return object{name: body}, ""
}

func headers(c *rest.Call, h http.Header) {
	h.Set("X-Compute-Request-Id", c.RequestID)
	if c.Version == (rest.Version{}) {
		return
	}
	h.Set(newHeader, "compute "+c.Version.String())
	h.Set(oldHeader, c.Version.String())
	if !slices.Contains(h.Values("Vary"), newHeader) {
		h.Add("Vary", newHeader)
		h.Add("Vary", oldHeader)
	}
}

// negotiate reads the microversion that a request asks for; 2.1 without one.
// The newer header wins. With an error it gives the version that the answer
// says: the one asked for, or 2.1 for what is none.
func negotiate(r *http.Request) (rest.Version, error) {
	want := strings.TrimSpace(r.Header.Get(oldHeader))
	for _, part := range strings.Split(strings.Join(r.Header.Values(newHeader), ","), ",") {
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
		return minVersion, errs.Errorf("compute.version", errs.Invalid,
			"API Version String %s is of invalid format. Must be of format MajorNum.MinorNum.", shorten(want))
	}
	if v.Less(minVersion) || maxVersion.Less(v) {
		return v, errs.Errorf("compute.version", errs.NotAcceptable,
			"Version %s is not supported by the API. Minimum is %s and maximum is %s.", v, minVersion, maxVersion)
	}
	return v, nil
}
