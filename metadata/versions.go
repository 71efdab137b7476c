package metadata

import "slices"

// The versions of the EC2 tree. "latest" comes last, so a later place in the list always means more keys.
var ec2Versions = []string{
	"1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15",
	"2008-02-01", "2008-09-01", "2009-04-04", latest,
}

// The versions of the OpenStack tree. OpenStack hides versions that are dated in the future from the list. This package
// has no clock: a version joins the list only once its day has passed.
var openstackVersions = []string{
	"2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06",
	"2017-02-22", "2018-08-27", "2020-10-14", "2025-04-04", latest,
}

// latest names the newest version of both trees.
const latest = "latest"

// The OpenStack versions that brought something new, by their dates.
const (
	sincePassword    = "2013-04-04" // also random_seed
	sinceVendorData  = "2013-10-17"
	sinceNetworkData = "2015-10-15" // also project_id
	sinceDevices     = "2016-06-30"
	sinceVendorData2 = "2016-10-06"
	sinceDedicated   = "2020-10-14"
)

// reaches tells whether a version of the list is the wanted one or a later one. Both must be members: callers check
// the requested version first. The place in the list decides, not the text, because "1.0" and "latest" are no dates.
func reaches(list []string, version, since string) bool {
	return slices.Index(list, version) >= slices.Index(list, since)
}
