package identity

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// Dialect is how Identity words its faults (Identity API v3, "Errors").
func Dialect(root string) *rest.Dialect {
	return &rest.Dialect{
		Name: "identity", Root: root,
		Fault: func(_ *rest.Call, status int, message string, _ http.Header) (any, string) {
			return map[string]any{"error": map[string]any{
				"code": status, "title": http.StatusText(status), "message": message}}, ""
		},
		Headers:      func(_ *rest.Call, h http.Header) { h.Set("Vary", "X-Auth-Token") },
		Unauthorized: func(c *rest.Call) string { return `Keystone uri="` + c.Endpoint + `/v3"` },
		Forbidden: func(r *rest.Route) string {
			return "You are not authorized to perform the requested action: " + r.Name + "."
		},
		Status: func(err error) int {
			if errs.Is(err, errs.Quota) {
				return http.StatusForbidden
			}
			return 0
		},
	}
}
