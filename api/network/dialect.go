package network

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
)

// faults gives the failures that clients tell apart their names in Neutron, by
// status and sentence; the first row that fits holds.
var faults = []struct {
	status int
	says   *regexp.Regexp
	name   string
}{
	{409, regexp.MustCompile(`^Quota exceeded`), "OverQuota"},
	{409, regexp.MustCompile(`^No more IP addresses`), "IpAddressGenerationFailure"},
	{409, regexp.MustCompile(`The IP address \S+ is in use`), "IpAddressInUse"},
	{409, regexp.MustCompile(`The mac address \S+ is in use`), "MacAddressInUse"},
	{409, regexp.MustCompile(`^Unable to complete operation on network`), "NetworkInUse"},
	{409, regexp.MustCompile(`^Unable to complete operation on subnet`), "SubnetInUse"},
	{409, regexp.MustCompile(`^Unable to complete operation on port`), "PortInUse"},
	{409, regexp.MustCompile(`cannot be deleted directly via the port API`), "ServicePortInUse"},
	{409, regexp.MustCompile(`^Router \S+ still has ports`), "RouterInUse"},
	{409, regexp.MustCompile(`^External network`), "ExternalNetworkInUse"},
	{409, regexp.MustCompile(`^Unable to reconfigure sharing settings`), "InvalidSharedSetting"},
	{409, regexp.MustCompile(`^Found overlapping allocation pools`), "OverlappingAllocationPools"},
	{409, regexp.MustCompile(`conflicts with allocation pool`), "GatewayConflictWithAllocationPools"},
	{409, regexp.MustCompile(`ateway ip \S+ .*in use by port`), "GatewayIpInUse"},
	{409, regexp.MustCompile(`No tenant network is available`), "NoNetworkAvailable"},
	{409, regexp.MustCompile(`^Subnet on port`), "SubnetMismatchForPort"},
	{404, regexp.MustCompile(`^Router \S+ has no interface on subnet`), "RouterInterfaceNotFoundForSubnet"},
	{404, regexp.MustCompile(`^Router \S+ does not have an interface with id`), "RouterInterfaceNotFound"},
	{404, regexp.MustCompile(`^Network `), "NetworkNotFound"},
	{404, regexp.MustCompile(`^Subnet `), "SubnetNotFound"},
	{404, regexp.MustCompile(`^Port `), "PortNotFound"},
	{404, regexp.MustCompile(`^Router `), "RouterNotFound"},
	{404, regexp.MustCompile(`^Security group `), "SecurityGroupNotFound"},
	{404, regexp.MustCompile(`^Tag `), "TagNotFound"},
	{404, regexp.MustCompile(`^Agent `), "AgentNotFound"},
	{404, regexp.MustCompile(`^Extension `), "ExtensionNotFound"},
	{400, regexp.MustCompile(`overlaps with another subnet|^Invalid input for operation`), "InvalidInput"},
	{400, regexp.MustCompile(`^Invalid input for|^Unrecognized attribute|^Attribute|^Cannot update read-only|is not a valid MAC`), "HTTPBadRequest"},
	{400, regexp.MustCompile(`for the specified subnet`), "InvalidIpForSubnet"},
	{400, regexp.MustCompile(`for any of the subnets`), "InvalidIpForNetwork"},
	{400, regexp.MustCompile(`spans beyond the subnet`), "OutOfBoundsAllocationPool"},
	{400, regexp.MustCompile(`^The allocation pool`), "InvalidAllocationPool"},
	{400, nil, "BadRequest"},
	{403, nil, "PolicyNotAuthorized"},
	{404, nil, "HTTPNotFound"},
	{405, nil, "HTTPMethodNotAllowed"},
	{409, nil, "Conflict"},
	{413, nil, "HTTPRequestEntityTooLarge"},
	{501, nil, "HTTPNotImplemented"},
	{503, nil, "ServiceUnavailable"},
}

func faultType(status int, message string) string {
	for _, f := range faults {
		if f.status == status && (f.says == nil || f.says.MatchString(message)) {
			return f.name
		}
	}
	return "HTTPInternalServerError"
}

// Dialect is how Network words its faults. Who is not known gets the answer of
// Identity's middleware, as everywhere.
func Dialect(root string) *rest.Dialect {
	return &rest.Dialect{
		Name: "network", Root: root,
		Fault: func(_ *rest.Call, status int, message string, _ http.Header) (any, string) {
			if status == http.StatusUnauthorized {
				return object{"error": object{"code": status, "title": http.StatusText(status), "message": message}}, ""
			}
			return object{"NeutronError": object{"type": faultType(status, message), "message": message, "detail": ""}}, ""
		},
		Unauthorized: func(c *rest.Call) string {
			return `Keystone uri="` + strings.TrimSuffix(c.Endpoint, root) + `/identity"`
		},
		Forbidden: func(r *rest.Route) string { return "(rule:" + r.Name + ") is disallowed by policy" },
		Status: func(err error) int {
			if errs.Is(err, errs.Quota) {
				return http.StatusConflict
			}
			return 0
		},
	}
}

func invalid(format string, args ...any) error {
	return errs.Errorf("network.parse", errs.Invalid, format, args...)
}

func notOffered(format string, args ...any) error {
	return errs.Errorf("network.parse", errs.NotImplemented, format, args...)
}

func forbidden(format string, args ...any) error {
	return errs.Errorf("network.policy", errs.Forbidden, format, args...)
}

// notFound words that something is not there, or not the caller's.
func notFound(what, id string) error {
	return errs.Errorf("network.find", errs.NotFound, "%s %.64s could not be found.", what, id)
}
