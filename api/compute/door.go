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
	// Output gives the end of a server's console log, at most max bytes.
	// errs.NotFound: the guest has no console log; errs.Unavailable: the host
	// cannot be asked now.
	Output(ctx context.Context, host *model.Host, s *model.Server, max int) ([]byte, error)
}

// Door is the front door; make it with its parts filled in.
type Door struct {
	// Seal hides user data before it becomes part of a command; Open gives it
	// back, for administrators.
	Seal, Open func([]byte) ([]byte, error)
	// OpenPassword gives back what a guest posted as its password.
	OpenPassword func([]byte) ([]byte, error)
	Consoles     Consoles
}

// Routes is the whole API as one table. Every versioned route is there with
// and without the project's id in its path.
func (d *Door) Routes() []rest.Route {
	out := []rest.Route{
		{Name: "versions", Method: http.MethodGet, Path: "/", Quiet: true, Handle: listVersions},
		{Name: "versions", Method: http.MethodGet, Path: "", Quiet: true, Handle: listVersions},
		{Name: "version", Method: http.MethodGet, Path: "/v2.1", Quiet: true, Handle: showVersion},
		{Name: "version", Method: http.MethodGet, Path: "/v2.1/", Quiet: true, Handle: showVersion},
	}
	for _, table := range [][]rest.Route{d.serverRoutes(), d.serverPartRoutes(), unofferedRoutes(), catalogRoutes(), projectRoutes(),
		adminRoutes(), aggregateRoutes()} {
		for _, r := range table {
			plain, scoped := r, r
			plain.Path = "/v2.1" + r.Path
			scoped.Path = "/v2.1/{project_id:[0-9a-f-]+}" + r.Path
			scoped.Handle = ownProject(r.Handle)
			out = append(out, plain, scoped)
		}
	}
	return out
}

// ownProject refuses a path that names another project than the token's.
func ownProject(next rest.Handler) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		if p := c.Param("project_id"); p != string(c.Caller.ProjectID()) {
			return rest.Answer{}, errs.Errorf("compute.project", errs.Invalid,
				"Malformed request URL: URL's project_id '%s' doesn't match Context's project_id '%s'", shorten(p), c.Caller.ProjectID())
		}
		return next(c)
	}
}

// since is a microversion of this API.
func since(minor int) rest.Version { return rest.Version{Major: 2, Minor: minor} }

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	del  = http.MethodDelete
)

func (d *Door) serverRoutes() []rest.Route {
	return []rest.Route{
		{Name: "servers:index", Method: get, Path: "/servers", Persona: rest.Reader, Handle: listServers},
		{Name: "servers:detail", Method: get, Path: "/servers/detail", Persona: rest.Reader, Handle: d.detailServers},
		{Name: "servers:create", Method: post, Path: "/servers", Persona: rest.Member, Handle: d.createServer},
		{Name: "servers:show", Method: get, Path: "/servers/{id}", Persona: rest.Reader, Handle: d.showServer},
		{Name: "servers:update", Method: put, Path: "/servers/{id}", Persona: rest.Member, Handle: d.updateServer},
		{Name: "servers:delete", Method: del, Path: "/servers/{id}", Persona: rest.Member, Handle: deleteServer},
		{Name: "servers:action", Method: post, Path: "/servers/{id}/action", Persona: rest.Member, Handle: d.action},
		{Name: "server-metadata:index", Method: get, Path: "/servers/{id}/metadata", Persona: rest.Reader, Handle: listMetadata},
		{Name: "server-metadata:create", Method: post, Path: "/servers/{id}/metadata", Persona: rest.Member, Handle: mergeMetadata},
		{Name: "server-metadata:update_all", Method: put, Path: "/servers/{id}/metadata", Persona: rest.Member, Handle: replaceMetadata},
		{Name: "server-metadata:show", Method: get, Path: "/servers/{id}/metadata/{key}", Persona: rest.Reader, Handle: showMetadata},
		{Name: "server-metadata:update", Method: put, Path: "/servers/{id}/metadata/{key}", Persona: rest.Member, Handle: putMetadata},
		{Name: "server-metadata:delete", Method: del, Path: "/servers/{id}/metadata/{key}", Persona: rest.Member, Handle: deleteMetadata},
		{Name: "os-server-tags:index", Method: get, Path: "/servers/{id}/tags", Min: since(26), Persona: rest.Reader, Handle: listTags},
		{Name: "os-server-tags:update_all", Method: put, Path: "/servers/{id}/tags", Min: since(26), Persona: rest.Member, Handle: replaceTags},
		{Name: "os-server-tags:delete_all", Method: del, Path: "/servers/{id}/tags", Min: since(26), Persona: rest.Member, Handle: deleteTags},
		{Name: "os-server-tags:show", Method: get, Path: "/servers/{id}/tags/{tag}", Min: since(26), Persona: rest.Reader, Handle: showTag},
		{Name: "os-server-tags:update", Method: put, Path: "/servers/{id}/tags/{tag}", Min: since(26), Persona: rest.Member, Handle: putTag},
		{Name: "os-server-tags:delete", Method: del, Path: "/servers/{id}/tags/{tag}", Min: since(26), Persona: rest.Member, Handle: deleteTag},
	}
}

func (d *Door) serverPartRoutes() []rest.Route {
	return []rest.Route{
		{Name: "ips:index", Method: get, Path: "/servers/{id}/ips", Persona: rest.Reader, Handle: listIPs},
		{Name: "ips:show", Method: get, Path: "/servers/{id}/ips/{label}", Persona: rest.Reader, Handle: showIPs},
		{Name: "os-attach-interfaces:list", Method: get, Path: "/servers/{id}/os-interface", Persona: rest.Reader, Handle: listInterfaces},
		{Name: "os-attach-interfaces:show", Method: get, Path: "/servers/{id}/os-interface/{port}", Persona: rest.Reader, Handle: showInterface},
		{Name: "os-volumes-attachments:index", Method: get, Path: "/servers/{id}/os-volume_attachments", Persona: rest.Reader, Handle: emptyList("volumeAttachments")},
		{Name: "os-security-groups:list", Method: get, Path: "/servers/{id}/os-security-groups", Persona: rest.Reader, Handle: emptyList("security_groups")},
		{Name: "servers:migrations:index", Method: get, Path: "/servers/{id}/migrations", Min: since(23), Persona: rest.Admin, Handle: emptyList("migrations")},
		{Name: "os-server-password:show", Method: get, Path: "/servers/{id}/os-server-password", Persona: rest.Reader, Handle: d.showPassword},
		{Name: "os-server-password:clear", Method: del, Path: "/servers/{id}/os-server-password", Persona: rest.Member, Handle: clearPassword},
		{Name: "os-instance-actions:list", Method: get, Path: "/servers/{id}/os-instance-actions", Persona: rest.Reader, Handle: listActions},
		{Name: "os-instance-actions:show", Method: get, Path: "/servers/{id}/os-instance-actions/{request}", Persona: rest.Reader, Handle: showAction},
	}
}

func catalogRoutes() []rest.Route {
	return []rest.Route{
		{Name: "flavors", Method: get, Path: "/flavors", Persona: rest.Anyone, Handle: listFlavors},
		{Name: "flavors:detail", Method: get, Path: "/flavors/detail", Persona: rest.Anyone, Handle: detailFlavors},
		{Name: "flavors:show", Method: get, Path: "/flavors/{id}", Persona: rest.Anyone, Handle: showFlavor},
		{Name: "os-flavor-manage:create", Method: post, Path: "/flavors", Persona: rest.Admin, Handle: createFlavor},
		{Name: "os-flavor-manage:update", Method: put, Path: "/flavors/{id}", Min: since(55), Persona: rest.Admin, Handle: updateFlavor},
		{Name: "os-flavor-manage:delete", Method: del, Path: "/flavors/{id}", Persona: rest.Admin, Handle: deleteFlavor},
		{Name: "os-flavor-access:action", Method: post, Path: "/flavors/{id}/action", Persona: rest.Admin, Handle: flavorAction},
		{Name: "os-flavor-access", Method: get, Path: "/flavors/{id}/os-flavor-access", Persona: rest.Admin, Handle: listFlavorAccess},
		{Name: "os-flavor-extra-specs:index", Method: get, Path: "/flavors/{id}/os-extra_specs", Persona: rest.Anyone, Handle: listSpecs},
		{Name: "os-flavor-extra-specs:show", Method: get, Path: "/flavors/{id}/os-extra_specs/{key}", Persona: rest.Anyone, Handle: showSpec},
		{Name: "os-flavor-extra-specs:create", Method: post, Path: "/flavors/{id}/os-extra_specs", Persona: rest.Admin, Handle: createSpecs},
		{Name: "os-flavor-extra-specs:update", Method: put, Path: "/flavors/{id}/os-extra_specs/{key}", Persona: rest.Admin, Handle: putSpec},
		{Name: "os-flavor-extra-specs:delete", Method: del, Path: "/flavors/{id}/os-extra_specs/{key}", Persona: rest.Admin, Handle: deleteSpec},
		{Name: "os-keypairs:index", Method: get, Path: "/os-keypairs", Persona: rest.Anyone, Handle: listKeyPairs},
		{Name: "os-keypairs:create", Method: post, Path: "/os-keypairs", Persona: rest.Member, Handle: createKeyPair},
		{Name: "os-keypairs:show", Method: get, Path: "/os-keypairs/{name}", Persona: rest.Anyone, Handle: showKeyPair},
		{Name: "os-keypairs:delete", Method: del, Path: "/os-keypairs/{name}", Persona: rest.Member, Handle: deleteKeyPair},
		{Name: "extensions", Method: get, Path: "/extensions", Persona: rest.Anyone, Handle: listExtensions},
		{Name: "extensions:show", Method: get, Path: "/extensions/{alias}", Persona: rest.Anyone, Handle: showExtension},
	}
}

func projectRoutes() []rest.Route {
	return []rest.Route{
		{Name: "limits", Method: get, Path: "/limits", Persona: rest.Reader, Handle: showLimits},
		{Name: "os-quota-sets:show", Method: get, Path: "/os-quota-sets/{project}", Persona: rest.Reader, Handle: showQuota},
		{Name: "os-quota-sets:detail", Method: get, Path: "/os-quota-sets/{project}/detail", Persona: rest.Reader, Handle: detailQuota},
		{Name: "os-quota-sets:defaults", Method: get, Path: "/os-quota-sets/{project}/defaults", Persona: rest.Reader, Handle: defaultQuota},
		{Name: "os-quota-sets:update", Method: put, Path: "/os-quota-sets/{project}", Persona: rest.Admin, Handle: setQuota},
		{Name: "os-quota-sets:delete", Method: del, Path: "/os-quota-sets/{project}", Persona: rest.Admin, Handle: resetQuota},
		{Name: "os-availability-zone:list", Method: get, Path: "/os-availability-zone", Persona: rest.Anyone, Handle: listZones},
		{Name: "os-availability-zone:detail", Method: get, Path: "/os-availability-zone/detail", Persona: rest.Admin, Handle: detailZones},
	}
}

func adminRoutes() []rest.Route {
	return []rest.Route{
		{Name: "os-services:list", Method: get, Path: "/os-services", Persona: rest.Admin, Handle: listServices},
		{Name: "os-services:update", Method: put, Path: "/os-services/{which}", Persona: rest.Admin, Handle: updateService},
		{Name: "os-hypervisors:list", Method: get, Path: "/os-hypervisors", Persona: rest.Admin, Handle: listHypervisors},
		{Name: "os-hypervisors:list-detail", Method: get, Path: "/os-hypervisors/detail", Persona: rest.Admin, Handle: detailHypervisors},
		{Name: "os-hypervisors:statistics", Method: get, Path: "/os-hypervisors/statistics", Max: since(87), Persona: rest.Admin, Handle: hypervisorStatistics},
		{Name: "os-hypervisors:show", Method: get, Path: "/os-hypervisors/{id}", Persona: rest.Admin, Handle: showHypervisor},
		{Name: "os-hypervisors:uptime", Method: get, Path: "/os-hypervisors/{id}/uptime", Max: since(87), Persona: rest.Admin, Handle: hypervisorUptime},
		{Name: "os-hypervisors:search", Method: get, Path: "/os-hypervisors/{id}/search", Max: since(52), Persona: rest.Admin, Handle: searchHypervisors},
		{Name: "os-hypervisors:servers", Method: get, Path: "/os-hypervisors/{id}/servers", Max: since(52), Persona: rest.Admin, Handle: searchHypervisors},
		{Name: "os-migrations:index", Method: get, Path: "/os-migrations", Persona: rest.Admin, Handle: listMigrations},
	}
}
