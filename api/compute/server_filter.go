package compute

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

// column is a property of a server that a list may be filtered by: equal to
// what is asked for, or (pattern) matched by it as a regular expression.
type column struct {
	pattern bool
	of      func(c *rest.Call, s *model.Server) string
}

func equal(of func(c *rest.Call, s *model.Server) string) column { return column{of: of} }
func like(of func(c *rest.Call, s *model.Server) string) column  { return column{true, of} }

func hostOf(c *rest.Call, s *model.Server) string {
	if h := c.View.Host(s.HostID); h != nil {
		return h.Name
	}
	return ""
}

func nameOf(_ *rest.Call, s *model.Server) string  { return s.Name }
func imageOf(_ *rest.Call, s *model.Server) string { return string(s.ImageID) }

func descriptionOf(_ *rest.Call, s *model.Server) string {
	if s.Description == nil {
		return ""
	}
	return *s.Description
}

func timeText(at int64) string {
	text, _ := micro(at).(string)
	return text
}

var columns = map[string]column{
	"name":                like(nameOf),
	"display_name":        like(nameOf),
	"description":         like(descriptionOf),
	"display_description": like(descriptionOf),
	"reservation_id":      like(func(_ *rest.Call, s *model.Server) string { return s.ReservationID }),
	"key_name":            like(func(_ *rest.Call, s *model.Server) string { return s.KeyName }),
	"availability_zone":   like(func(_ *rest.Call, s *model.Server) string { return s.Zone }),
	"hostname":            like(func(_ *rest.Call, s *model.Server) string { return s.Hostname }),
	"access_ip_v4":        like(func(_ *rest.Call, s *model.Server) string { return s.AccessIPv4 }),
	"access_ip_v6":        like(func(_ *rest.Call, s *model.Server) string { return s.AccessIPv6 }),
	"root_device_name":    like(func(*rest.Call, *model.Server) string { return rootDevice }),
	"created_at":          like(func(_ *rest.Call, s *model.Server) string { return timeText(s.CreatedAt) }),
	"launched_at":         like(func(_ *rest.Call, s *model.Server) string { return timeText(s.LaunchedAt) }),
	"terminated_at":       like(terminatedOf),
	"image":               equal(imageOf),
	"image_ref":           equal(imageOf),
	"flavor":              equal(func(_ *rest.Call, s *model.Server) string { return string(s.Size.FlavorID) }),
	"uuid":                equal(func(_ *rest.Call, s *model.Server) string { return string(s.ID) }),
	"user_id":             equal(func(_ *rest.Call, s *model.Server) string { return string(s.UserID) }),
	"host":                equal(hostOf),
	"node":                equal(hostOf),
	"vm_state":            equal(func(_ *rest.Call, s *model.Server) string { return s.VMState }),
	"task_state":          equal(func(_ *rest.Call, s *model.Server) string { return s.TaskState }),
	"power_state":         equal(func(_ *rest.Call, s *model.Server) string { return strconv.Itoa(s.PowerState) }),
	"launch_index":        equal(func(_ *rest.Call, s *model.Server) string { return strconv.Itoa(s.LaunchIndex) }),
	"progress":            equal(func(_ *rest.Call, s *model.Server) string { return strconv.Itoa(progress(s)) }),
	"locked_by":           equal(func(*rest.Call, *model.Server) string { return "" }),
	"kernel_id":           equal(func(c *rest.Call, s *model.Server) string { return bootPart(c, s, "kernel_id") }),
	"ramdisk_id":          equal(func(c *rest.Call, s *model.Server) string { return bootPart(c, s, "ramdisk_id") }),
}

func terminatedOf(_ *rest.Call, s *model.Server) string {
	if s.VMState != deleted {
		return ""
	}
	return timeText(s.UpdatedAt)
}

// truths are the filters that ask for yes or no.
var truths = map[string]func(*model.Server) bool{
	"config_drive":     func(s *model.Server) bool { return s.ConfigDrive },
	"auto_disk_config": func(s *model.Server) bool { return !s.DiskManual },
	"locked":           func(*model.Server) bool { return false },
}

// maxPattern bounds a regular expression of a query, in bytes.
const maxPattern = 255

// parseColumns reads the filters of the tables above.
func parseColumns(c *rest.Call, q url.Values, ask *serverQuery) error {
	for name, values := range q {
		col, known := columns[name]
		if !known || !slices.ContainsFunc(values, func(v string) bool { return v != "" }) {
			continue
		}
		if !col.pattern {
			ask.filters = append(ask.filters, func(s *model.Server) bool { return slices.Contains(values, col.of(c, s)) })
			continue
		}
		form, err := pattern(name, values[0])
		if err != nil {
			return err
		}
		ask.filters = append(ask.filters, func(s *model.Server) bool { return form.MatchString(col.of(c, s)) })
	}
	for name, of := range truths {
		text := q.Get(name)
		if text == "" {
			continue
		}
		want, ok := truthOf(text)
		if !ok {
			return badQuery(name, text, "It is not a truth value")
		}
		ask.filters = append(ask.filters, func(s *model.Server) bool { return of(s) == want })
	}
	return nil
}

func pattern(name, text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, badQuery(name, text, fmt.Sprintf("It is longer than %d bytes", maxPattern))
	}
	form, err := regexp.Compile(text)
	if err != nil {
		return nil, badQuery(name, text, quoted(text)+" is not a 'regex'")
	}
	return form, nil
}

// parseSets reads the filters by addresses and by tags.
func parseSets(c *rest.Call, q url.Values, ask *serverQuery) error {
	for name, version := range map[string]int{"ip": 4, "ip6": 6} {
		if q.Get(name) == "" {
			continue
		}
		form, err := pattern(name, q.Get(name))
		if err != nil {
			return err
		}
		ask.filters = append(ask.filters, func(s *model.Server) bool { return hasAddress(c, s, version, form) })
	}
	if tagged := rest.TagFilter(q); tagged != nil {
		ask.filters = append(ask.filters, func(s *model.Server) bool { return tagged(s.Tags) })
	}
	return nil
}

func hasAddress(c *rest.Call, s *model.Server, version int, form *regexp.Regexp) bool {
	for p := range c.View.PortsOfDevice(string(s.ID)) {
		for a := range c.View.FixedAddressesOf(p.ID) {
			if ipVersion(a.IP) == version && form.MatchString(a.IP) {
				return true
			}
		}
	}
	return false
}
