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
	ServiceID string `json:"service_id,omitempty"`
	Enabled   *bool  `json:"enabled,omitempty"`
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

func (d *Door) listServices(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for _, e := range d.catalog(c) {
		if matches(c, map[string]string{"type": e.Type, "name": e.Name}) {
			out = append(out, map[string]any{"id": e.ID, "type": e.Type, "name": e.Name, "enabled": true,
				"description": "", "links": self(c, "services/"+e.ID)})
		}
	}
	return collection(c, "services", out), nil
}

func (d *Door) listEndpoints(c *rest.Call) (rest.Answer, error) {
	out := []map[string]any{}
	for _, e := range d.catalog(c) {
		for _, p := range e.Endpoints {
			if matches(c, map[string]string{"interface": p.Interface, "service_id": e.ID, "region": p.Region, "region_id": p.RegionID}) {
				out = append(out, map[string]any{"id": p.ID, "interface": p.Interface, "service_id": e.ID, "url": p.URL,
					"region": p.Region, "region_id": p.RegionID, "enabled": true, "links": self(c, "endpoints/"+p.ID)})
			}
		}
	}
	return collection(c, "endpoints", out), nil
}

func (d *Door) listRegions(c *rest.Call) (rest.Answer, error) {
	return collection(c, "regions", []map[string]any{{"id": d.Region, "description": "", "parent_region_id": nil,
		"links": self(c, "regions/"+d.Region)}}), nil
}

// matches tells whether every filter of the query that names a field equals
// it.
func matches(c *rest.Call, fields map[string]string) bool {
	q := c.Request.URL.Query()
	for name, value := range fields {
		if q.Has(name) && q.Get(name) != value {
			return false
		}
	}
	return true
}
