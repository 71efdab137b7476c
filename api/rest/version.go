package rest

import (
	"fmt"
	"regexp"
	"strconv"
)

// Version is a microversion, such as 2.93. The zero value stands for "none".
type Version struct{ Major, Minor int }

// String gives "2.93".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// Less orders versions.
func (v Version) Less(than Version) bool {
	if v.Major != than.Major {
		return v.Major < than.Major
	}
	return v.Minor < than.Minor
}

// AtLeast tells whether v is 2.minor or newer.
func (v Version) AtLeast(minor int) bool { return !v.Less(Version{2, minor}) }

var versionForm = regexp.MustCompile(`^([1-9]\d{0,3})\.([1-9]\d{0,3}|0)$`)

// ParseVersion reads "2.93".
func ParseVersion(s string) (Version, bool) {
	m := versionForm.FindStringSubmatch(s)
	if m == nil {
		return Version{}, false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return Version{major, minor}, true
}
