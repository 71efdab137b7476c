package compute

import (
	"context"
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// Consoles reads guests' console logs from their hosts.
type Consoles interface {
	Output(ctx context.Context, host *model.Host, s *model.Server, max int) ([]byte, error)
}

// Door is the front door; make it with its parts filled in.
type Door struct {
	// Seal hides user data before it becomes part of a command.
	Seal     func([]byte) ([]byte, error)
	Consoles Consoles
}

// Routes is the whole API as one table. Every versioned route is there with
// and without the project's id in its path.
func (d *Door) Routes() []rest.Route {
	out := []rest.Route{
		{Name: "versions", Method: http.MethodGet, Path: "/", Quiet: true, Handle: versions},
		{Name: "versions", Method: http.MethodGet, Path: "", Quiet: true, Handle: versions},
		{Name: "version", Method: http.MethodGet, Path: "/v2.1", Quiet: true, Handle: version},
		{Name: "version", Method: http.MethodGet, Path: "/v2.1/", Quiet: true, Handle: version},
	}
	for _, r := range d.table() {
		plain, scoped := r, r
		plain.Path = "/v2.1" + r.Path
		scoped.Path = "/v2.1/{project_id:[0-9a-f]{32}}" + r.Path
		scoped.Handle = ownProject(r.Handle)
		out = append(out, plain, scoped)
	}
	return out
}

// ownProject refuses a path that names another project than the token's.
func ownProject(next rest.Handler) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		if p := c.Param("project_id"); p != string(c.Caller.ProjectID()) {
			return rest.Answer{}, errs.Errorf("compute.project", errs.Invalid,
				"Malformed request URL: URL's project_id '%s' doesn't match Context's project_id '%s'", p, c.Caller.ProjectID())
		}
		return next(c)
	}
}

func (d *Door) table() []rest.Route {
	get, post, put, del := http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	return []rest.Route{
		{Name: "servers:index", Method: get, Path: "/servers", Persona: rest.Reader, Handle: d.listServers},
		{Name: "servers:detail", Method: get, Path: "/servers/detail", Persona: rest.Reader, Handle: d.listServers},
		{Name: "servers:create", Method: post, Path: "/servers", Persona: rest.Member, Handle: d.createServer},
		{Name: "servers:show", Method: get, Path: "/servers/{id}", Persona: rest.Reader, Handle: d.showServer},
		{Name: "servers:update", Method: put, Path: "/servers/{id}", Persona: rest.Member, Handle: d.updateServer},
		{Name: "servers:delete", Method: del, Path: "/servers/{id}", Persona: rest.Member, Handle: d.deleteServer},
		{Name: "servers:action", Method: post, Path: "/servers/{id}/action", Persona: rest.Member, Handle: d.action},
		{Name: "server-metadata:index", Method: get, Path: "/servers/{id}/metadata", Persona: rest.Reader, Handle: d.showMetadata},
		{Name: "server-metadata:create", Method: post, Path: "/servers/{id}/metadata", Persona: rest.Member, Handle: d.writeMetadata},
		{Name: "server-metadata:update_all", Method: put, Path: "/servers/{id}/metadata", Persona: rest.Member, Handle: d.writeMetadata},
		{Name: "ips:index", Method: get, Path: "/servers/{id}/ips", Persona: rest.Reader, Handle: d.showIPs},
		{Name: "os-attach-interfaces:list", Method: get, Path: "/servers/{id}/os-interface", Persona: rest.Reader, Handle: d.listInterfaces},
		{Name: "os-volumes-attachments:index", Method: get, Path: "/servers/{id}/os-volume_attachments", Persona: rest.Reader, Handle: d.listAttachments},
		{Name: "os-instance-actions:list", Method: get, Path: "/servers/{id}/os-instance-actions", Persona: rest.Reader, Handle: d.listActions},

		{Name: "flavors", Method: get, Path: "/flavors", Persona: rest.Anyone, Handle: listFlavors},
		{Name: "flavors:detail", Method: get, Path: "/flavors/detail", Persona: rest.Anyone, Handle: listFlavors},
		{Name: "flavors:show", Method: get, Path: "/flavors/{id}", Persona: rest.Anyone, Handle: showFlavor},
		{Name: "os-flavor-manage:create", Method: post, Path: "/flavors", Persona: rest.Admin, Handle: createFlavor},
		{Name: "os-flavor-manage:delete", Method: del, Path: "/flavors/{id}", Persona: rest.Admin, Handle: deleteFlavor},
		{Name: "os-flavor-extra-specs:index", Method: get, Path: "/flavors/{id}/os-extra_specs", Persona: rest.Anyone, Handle: flavorSpecs},

		{Name: "os-keypairs:index", Method: get, Path: "/os-keypairs", Persona: rest.Anyone, Handle: listKeyPairs},
		{Name: "os-keypairs:create", Method: post, Path: "/os-keypairs", Persona: rest.Member, Handle: createKeyPair},
		{Name: "os-keypairs:show", Method: get, Path: "/os-keypairs/{name}", Persona: rest.Anyone, Handle: showKeyPair},
		{Name: "os-keypairs:delete", Method: del, Path: "/os-keypairs/{name}", Persona: rest.Member, Handle: deleteKeyPair},

		{Name: "limits", Method: get, Path: "/limits", Persona: rest.Reader, Handle: showLimits},
		{Name: "os-quota-sets:show", Method: get, Path: "/os-quota-sets/{project}", Persona: rest.Reader, Handle: showQuota},
		{Name: "os-quota-sets:defaults", Method: get, Path: "/os-quota-sets/{project}/defaults", Persona: rest.Reader, Handle: defaultQuota},
		{Name: "os-quota-sets:update", Method: put, Path: "/os-quota-sets/{project}", Persona: rest.Admin, Handle: setQuota},
		{Name: "os-quota-sets:delete", Method: del, Path: "/os-quota-sets/{project}", Persona: rest.Admin, Handle: resetQuota},
		{Name: "os-availability-zone:list", Method: get, Path: "/os-availability-zone", Persona: rest.Anyone, Handle: listZones},
		{Name: "os-availability-zone:detail", Method: get, Path: "/os-availability-zone/detail", Persona: rest.Admin, Handle: listZones},
		{Name: "os-services:list", Method: get, Path: "/os-services", Persona: rest.Admin, Handle: listServices},
		{Name: "os-services:update", Method: put, Path: "/os-services/{verb}", Persona: rest.Admin, Handle: updateService},
		{Name: "os-hypervisors:list", Method: get, Path: "/os-hypervisors", Persona: rest.Admin, Handle: listHypervisors},
		{Name: "os-hypervisors:detail", Method: get, Path: "/os-hypervisors/detail", Persona: rest.Admin, Handle: listHypervisors},
		{Name: "os-hypervisors:statistics", Method: get, Path: "/os-hypervisors/statistics", Persona: rest.Admin, Handle: hypervisorStatistics},
		{Name: "os-hypervisors:show", Method: get, Path: "/os-hypervisors/{id}", Persona: rest.Admin, Handle: showHypervisor},
	}
}

type object = map[string]any

func invalid(format string, args ...any) error {
	return errs.Errorf("compute.parse", errs.Invalid, format, args...)
}

// badInput is Nova's sentence for a field that does not fit its schema.
func badInput(field string, value any, why string) error {
	return invalid("Invalid input for field/attribute %s. Value: %v. %s", field, value, why)
}
