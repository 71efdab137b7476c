package compute

import (
	"fmt"
	"net/http"
	"time"

	"github.com/kvorum/kvorum/api/rest"
)

func describe(c *rest.Call) object {
	return object{"id": "v2.1", "status": "CURRENT", "version": maxVersion.String(), "min_version": minVersion.String(),
		"updated": "2013-07-23T11:33:21Z", "links": []object{{"rel": "self", "href": c.Endpoint + "/v2.1/"}}}
}

func versions(c *rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"versions": []object{describe(c)}}), nil
}

func version(c *rest.Call) (rest.Answer, error) {
	v := describe(c)
	v["media-types"] = []object{{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}}
	return rest.JSON(http.StatusOK, object{"version": v}), nil
}

// links are a resource's self and bookmark links (with the project only if the
// request had it).
func links(c *rest.Call, collection, id string) []object {
	project := ""
	if p := c.Param("project_id"); p != "" {
		project = "/" + p
	}
	return []object{{"rel": "self", "href": fmt.Sprintf("%s/v2.1%s/%s/%s", c.Endpoint, project, collection, id)},
		{"rel": "bookmark", "href": fmt.Sprintf("%s%s/%s/%s", c.Endpoint, project, collection, id)}}
}

// bookmark is the second of links alone.
func bookmark(c *rest.Call, collection, id string) []object { return links(c, collection, id)[1:] }

// next is the link to a list's next page.
func next(c *rest.Call, collection, marker string) []object {
	q := c.Request.URL.Query()
	q.Set("marker", marker)
	return []object{{"rel": "next", "href": c.Endpoint + "/v2.1/" + collection + "?" + q.Encode()}}
}

// whole is a time to the second, as servers show it; micro one with
// microseconds and no zone, as most others do. 0 is null.
func whole(at int64) string { return time.Unix(0, at).UTC().Format("2006-01-02T15:04:05Z") }

func micro(at int64) any {
	if at == 0 {
		return nil
	}
	return time.Unix(0, at).UTC().Format("2006-01-02T15:04:05.000000")
}
