package identity

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
)

// v3 is the description of the one version that is served.
func v3(c *rest.Call) map[string]any {
	return map[string]any{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []any{map[string]string{"rel": "self", "href": c.Endpoint + "/v3/"}},
		"media-types": []any{map[string]string{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

func (d *Door) versions(c *rest.Call) (rest.Answer, error) {
	body := map[string]any{"versions": map[string]any{"values": []any{v3(c)}}}
	return rest.JSON(http.StatusMultipleChoices, body).With("Location", c.Endpoint+"/v3/"), nil
}

func (d *Door) version(c *rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, map[string]any{"version": v3(c)}), nil
}
