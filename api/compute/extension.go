package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// extensions are the parts of the API that are served here, by the names that
// they had before microversions.
var extensions = []struct{ alias, name, what string }{
	{"OS-DCF", "DiskConfig", "Disk management extension."},
	{"OS-EXT-AZ", "ExtendedAvailabilityZone", "Extended availability zone support."},
	{"OS-EXT-IPS", "ExtendedIps", "Adds type parameter to the ip list."},
	{"OS-EXT-IPS-MAC", "ExtendedIpsMac", "Adds mac address parameter to the ip list."},
	{"OS-EXT-SRV-ATTR", "ExtendedServerAttributes", "Extended server attributes support."},
	{"OS-EXT-STS", "ExtendedStatus", "Extended status support."},
	{"OS-FLV-DISABLED", "FlavorDisabled", "Shows whether a flavor is disabled."},
	{"OS-FLV-EXT-DATA", "FlavorExtraData", "Provides additional data for flavors."},
	{"OS-SRV-USG", "ServerUsage", "Adds launched_at and terminated_at to servers."},
	{"os-availability-zone", "AvailabilityZone", "Adds availability zones."},
	{"os-console-output", "ConsoleOutput", "Console log output support."},
	{"os-aggregates", "Aggregates", "Admin-only aggregate administration."},
	{"os-flavor-access", "FlavorAccess", "Flavor access support."},
	{"os-flavor-extra-specs", "FlavorExtraSpecs", "Flavors extra specs support."},
	{"os-flavor-manage", "FlavorManage", "Flavor create and delete support."},
	{"os-hypervisors", "Hypervisors", "Administrators' view of hypervisors."},
	{"os-instance-actions", "InstanceActions", "Shows what was done to a server."},
	{"os-keypairs", "Keypairs", "Keypair support."},
	{"os-quota-sets", "Quotas", "Quotas management support."},
	{"os-services", "Services", "Services support."},
	{"os-user-data", "UserData", "Adds user_data to the server create request."},
}

func renderExtension(i int) object {
	e := extensions[i]
	return object{"alias": e.alias, "name": e.name, "description": e.what, "links": []object{},
		"namespace": "http://docs.openstack.org/compute/ext/fake_xml", "updated": "2014-12-03T00:00:00Z"}
}

func listExtensions(*rest.Call) (rest.Answer, error) {
	out := []object{}
	for i := range extensions {
		out = append(out, renderExtension(i))
	}
	return rest.JSON(http.StatusOK, object{"extensions": out}), nil
}

func showExtension(c *rest.Call) (rest.Answer, error) {
	for i, e := range extensions {
		if e.alias == c.Param("alias") {
			return rest.JSON(http.StatusOK, object{"extension": renderExtension(i)}), nil
		}
	}
	return rest.Answer{}, errs.Errorf("compute.extension", errs.NotFound, "Extension %s could not be found.", shorten(c.Param("alias")))
}

// listMigrations is always empty: servers stay where they are.
func listMigrations(*rest.Call) (rest.Answer, error) {
	return rest.JSON(http.StatusOK, object{"migrations": []object{}}), nil
}

// emptyList answers for a part of servers that no server here has.
func emptyList(name string) rest.Handler {
	return func(c *rest.Call) (rest.Answer, error) {
		if _, err := findServer(c); err != nil {
			return rest.Answer{}, err
		}
		return rest.JSON(http.StatusOK, object{name: []object{}}), nil
	}
}
