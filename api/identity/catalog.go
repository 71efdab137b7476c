package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
)

// Service is a row of the catalog. Path comes behind the cloud's own URL.
type Service struct{ Type, Name, Path string }

type endpoint struct {
	ID        string `json:"id"`
	Interface string `json:"interface"`
	Region    string `json:"region"`
	RegionID  string `json:"region_id"`
	URL       string `json:"url"`
}

type entry struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Name      string     `json:"name"`
	Endpoints []endpoint `json:"endpoints"`
}

// interfaces are those that clients ask for; all lead to the same place.
var interfaces = []string{"public", "internal", "admin"}

// fixedID makes an id that is the same on every node.
func fixedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// catalog lists the services under the URL that the client used.
func (d *Door) catalog(c *rest.Call) []entry {
	base := strings.TrimSuffix(c.Endpoint, "/identity")
	var out []entry
	for _, s := range d.Services {
		e := entry{ID: fixedID("service", s.Type), Type: s.Type, Name: s.Name}
		for _, i := range interfaces {
			e.Endpoints = append(e.Endpoints, endpoint{ID: fixedID("endpoint", s.Type, i), Interface: i,
				Region: d.Region, RegionID: d.Region, URL: base + s.Path})
		}
		out = append(out, e)
	}
	return out
}

func (d *Door) authCatalog(c *rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, map[string]any{"catalog": d.catalog(c), "links": self(c, "auth/catalog")}), nil
}

// object is a thing as Identity's JSON has it.
type object = map[string]any

// services, endpoints and regions are what the catalog is made of, as things
// of their own: they come from the node's configuration and cannot be changed.
func (d *Door) services(c *rest.Call) (out []object) {
	for _, e := range d.catalog(c) {
		out = append(out, object{"id": e.ID, "type": e.Type, "name": e.Name, "enabled": true, "description": "",
			"links": self(c, "services/"+e.ID)})
	}
	return out
}

func (d *Door) endpoints(c *rest.Call) (out []object) {
	for _, e := range d.catalog(c) {
		for _, p := range e.Endpoints {
			out = append(out, object{"id": p.ID, "interface": p.Interface, "service_id": e.ID, "url": p.URL, "region": p.Region,
				"region_id": p.RegionID, "enabled": true, "links": self(c, "endpoints/"+p.ID)})
		}
	}
	return out
}

func (d *Door) regions(c *rest.Call) []object {
	return []object{{"id": d.Region, "description": "", "parent_region_id": nil, "links": self(c, "regions/"+d.Region)}}
}

func (d *Door) listServices(c *rest.Call) (rest.Answer, error) {
	return collection(c, "services", chosen(c, d.services(c), "type", "name", "enabled")), nil
}

func (d *Door) listEndpoints(c *rest.Call) (rest.Answer, error) {
	return collection(c, "endpoints", chosen(c, d.endpoints(c), "interface", "service_id", "region", "region_id", "enabled")), nil
}

func (d *Door) listRegions(c *rest.Call) (rest.Answer, error) {
	return collection(c, "regions", chosen(c, d.regions(c), "parent_region_id")), nil
}

func (d *Door) showService(c *rest.Call) (rest.Answer, error) {
	return showOf(c, "service", d.services(c))
}

func (d *Door) showEndpoint(c *rest.Call) (rest.Answer, error) {
	return showOf(c, "endpoint", d.endpoints(c))
}

func (d *Door) showRegion(c *rest.Call) (rest.Answer, error) {
	return showOf(c, "region", d.regions(c))
}

// showOf answers with the thing whose id the path names.
func showOf(c *rest.Call, what string, all []object) (rest.Answer, error) {
	for _, o := range all {
		if o["id"] == c.Param("id") {
			return rest.JSON(http.StatusOK, object{what: o}), nil
		}
	}
	return rest.Answer{}, notFound(what, c.Param("id"))
}
