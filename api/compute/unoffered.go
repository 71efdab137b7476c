package compute

import (
	"net/http"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// unoffered answers for what the API can do with something that is served
// here, and this cloud cannot.
func unoffered(what string) rest.Handler {
	return func(*rest.Call) (rest.Answer, error) {
		return rest.Answer{}, errs.Errorf("compute.route", errs.NotImplemented, "%s not offered by this cloud.", what)
	}
}

// ofServer is unoffered for a part of a server: a foreign server is not there.
func ofServer(what string) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		if _, err := findServer(c); err != nil {
			return rest.Answer{}, err
		}
		return unoffered(what)(c)
	}
}

// noVolume answers for a volume of a server: none is attached to any.
func noVolume(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{}, errs.Errorf("compute.volume", errs.NotFound, "Instance %s is not attached to volume %s", s.ID, shorten(c.Param("volume")))
}

// noMigration answers for a migration of a server that goes on: there is none.
func noMigration(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{}, errs.Errorf("compute.migration", errs.NotFound, "Migration %s for server %s could not be found.", shorten(c.Param("migration")), s.ID)
}

// unofferedRoutes are the API's verbs of resources that are served, which are
// not.
func unofferedRoutes() (out []rest.Route) {
	for _, r := range []struct {
		name, method, path string
		min                int
		persona            rest.Persona
		handle             rest.Handler
	}{
		{"os-attach-interfaces:create", post, "/servers/{id}/os-interface", 1, rest.Member, ofServer("Attaching interfaces is")},
		{"os-attach-interfaces:delete", del, "/servers/{id}/os-interface/{port}", 1, rest.Member, ofServer("Detaching interfaces is")},
		{"os-volumes-attachments:create", post, "/servers/{id}/os-volume_attachments", 1, rest.Member, ofServer("Attaching volumes is")},
		{"os-volumes-attachments:show", get, "/servers/{id}/os-volume_attachments/{volume}", 1, rest.Reader, noVolume},
		{"os-volumes-attachments:update", put, "/servers/{id}/os-volume_attachments/{volume}", 1, rest.Member, noVolume},
		{"os-volumes-attachments:delete", del, "/servers/{id}/os-volume_attachments/{volume}", 1, rest.Member, noVolume},
		{"os-server-diagnostics", get, "/servers/{id}/diagnostics", 1, rest.Admin, ofServer("Diagnostics of servers are")},
		{"os-remote-consoles", post, "/servers/{id}/remote-consoles", 6, rest.Member, ofServer("Consoles other than the log are")},
		{"compute:server:topology:index", get, "/servers/{id}/topology", 78, rest.Reader, ofServer("The topology of servers is")},
		{"servers:migrations:show", get, "/servers/{id}/migrations/{migration}", 23, rest.Admin, noMigration},
		{"servers:migrations:delete", del, "/servers/{id}/migrations/{migration}", 24, rest.Admin, noMigration},
		{"servers:migrations:force_complete", post, "/servers/{id}/migrations/{migration}/action", 22, rest.Admin, noMigration},
		{"os-services:delete", del, "/os-services/{which}", 1, rest.Admin, unoffered("Removing services is")},
	} {
		out = append(out, rest.Route{Name: r.name, Method: r.method, Path: r.path, Min: since(r.min), Persona: r.persona, Handle: r.handle})
	}
	return out
}

// otherVersion answers for what is below the root and in no version: where it
// would be (Compute API, "List All Major Versions": multiple choices).
func otherVersion(c *rest.Call) (rest.Answer, error) {
	path := c.Request.URL.Path[len(c.Root()):]
	if strings.HasPrefix(path+"/", "/v2.1/") {
		return rest.Answer{}, errs.Errorf("compute.route", errs.NotFound, "The resource could not be found.")
	}
	v := describe(c)
	return rest.JSON(http.StatusMultipleChoices, object{"choices": []object{{"id": v["id"], "status": v["status"],
		"links": []object{{"rel": "self", "href": c.Endpoint + "/v2.1" + path}}, "media-types": mediaTypes}}}), nil
}
