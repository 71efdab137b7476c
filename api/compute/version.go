package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
)

// describe is the one version that is served: v2.0, whose clients sent the same
// calls, is not, and so not listed. Clients append to its self link.
func describe(c *rest.Call) object {
	return object{"id": "v2.1", "status": "CURRENT", "version": maxVersion.String(), "min_version": minVersion.String(),
		"updated": "2013-07-23T11:33:21Z", "links": []object{{"rel": "self", "href": c.Endpoint + "/v2.1/"}}}
}

var mediaTypes = []object{{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}}

func listVersions(c *rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"versions": []object{describe(c)}}), nil
}

func showVersion(c *rest.Call) (rest.Answer, error) {
	v := describe(c)
	v["links"] = append(v["links"].([]object), object{"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"})
	v["media-types"] = mediaTypes
	return rest.JSON(http.StatusOK, object{"version": v}), nil
}
