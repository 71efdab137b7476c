package compute

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

// serverQuery is what a list of servers is asked for.
type serverQuery struct {
	everybody   bool
	alive, dead bool
	filters     []filter
	sort        func([]*model.Server)
}

// filter tells whether a server belongs to the list.
type filter func(*model.Server) bool

// everyFilter are the filters that everybody may use, and the minor version
// that each came with.
var everyFilter = map[string]int{"reservation_id": 1, "name": 1, "status": 1, "image": 1, "flavor": 1, "ip": 1, "changes-since": 1,
	"all_tenants": 1, "ip6": 5, "tags": 26, "tags-any": 26, "not-tags": 26, "not-tags-any": 26, "changes-before": 66, "locked": 73,
	"availability_zone": 83, "config_drive": 83, "key_name": 83, "created_at": 83, "launched_at": 83, "terminated_at": 83,
	"power_state": 83, "task_state": 83, "vm_state": 83, "progress": 83, "user_id": 83, "hostname": 90}

// adminFilter are those that administrators may use besides, from 2.1 on.
var adminFilter = []string{"project_id", "tenant_id", "host", "node", "uuid", "deleted", "soft_deleted", "launch_index", "image_ref",
	"kernel_id", "ramdisk_id", "display_name", "description", "display_description", "locked_by", "root_device_name", "access_ip_v4",
	"access_ip_v6", "auto_disk_config", "ip6", "availability_zone", "config_drive", "key_name", "created_at", "launched_at",
	"terminated_at", "power_state", "task_state", "vm_state", "progress", "user_id", "hostname"}

// notFilters are columns of the older implementation that nobody may ask for.
var notFilters = []string{"block_device_mapping", "services", "metadata", "system_metadata", "info_cache", "security_groups", "pci_devices"}

// lateFilters are not known at all before their minor version.
var lateFilters = map[string]int{"tags": 26, "tags-any": 26, "not-tags": 26, "not-tags-any": 26, "changes-before": 66, "locked": 73, "hostname": 90}

// parseServerQuery reads a list's parameters: paging apart, which page reads.
func parseServerQuery(c *rest.Call) (*serverQuery, error) {
	q := c.Request.URL.Query()
	if err := checkFilterNames(c, q); err != nil {
		return nil, err
	}
	q = usable(c, q)
	ask := &serverQuery{alive: true}
	if err := parseWhose(c, q, ask); err != nil {
		return nil, err
	}
	if err := parseTimes(q, ask); err != nil {
		return nil, err
	}
	if err := parseStatus(c, q, ask); err != nil {
		return nil, err
	}
	if err := parseDeleted(q, ask); err != nil {
		return nil, err
	}
	if err := parseColumns(c, q, ask); err != nil {
		return nil, err
	}
	if err := parseSets(c, q, ask); err != nil {
		return nil, err
	}
	order, err := parseSort(c, q)
	ask.sort = order
	return ask, err
}

// checkFilterNames refuses what is never a filter, and from 2.75 on what is
// not known.
func checkFilterNames(c *rest.Call, q url.Values) error {
	known := []string{"limit", "marker", "sort_key", "sort_dir"}
	known = slices.AppendSeq(append(known, adminFilter...), maps.Keys(everyFilter))
	known = slices.DeleteFunc(known, func(k string) bool { return !within(c.Version, lateFilters[k], 0) })
	for _, k := range slices.Sorted(maps.Keys(q)) {
		if slices.Contains(notFilters, k) || strings.HasPrefix(k, "_") {
			return invalid("Invalid filter field: %s.", shorten(k))
		}
	}
	return onlyQuery(c, known...)
}

// usable leaves only the filters that the caller may use at this microversion:
// the others are dropped in silence, as the API wants it.
func usable(c *rest.Call, q url.Values) url.Values {
	out := url.Values{}
	for k, v := range q {
		minor, everybody := everyFilter[k]
		if everybody && c.Version.AtLeast(minor) || strings.HasPrefix(k, "sort_") ||
			c.Caller.Admin() && slices.Contains(adminFilter, k) && within(c.Version, lateFilters[k], 0) {
			out[k] = v
		}
	}
	return out
}

// parseWhose reads all_tenants and, with it, project_id.
func parseWhose(c *rest.Call, q url.Values, ask *serverQuery) error {
	if !q.Has("all_tenants") {
		return nil
	}
	text := q.Get("all_tenants")
	yes, ok := truthOf(text)
	if text != "" && !ok {
		return badQuery("all_tenants", text, "It is not a truth value")
	}
	if text != "" && !yes {
		return nil
	}
	if !c.Caller.Admin() {
		return forbidden("servers:index:get_all_tenants")
	}
	ask.everybody = true
	project := model.ProjectID(q.Get("project_id"))
	if project == "" {
		project = model.ProjectID(q.Get("tenant_id"))
	}
	if project != "" {
		ask.filters = append(ask.filters, func(s *model.Server) bool { return s.ProjectID == project })
	}
	return nil
}

// parseTimes reads changes-since and changes-before, which include deleted
// servers.
func parseTimes(q url.Values, ask *serverQuery) error {
	since, hasSince, err := timeOf(q, "changes-since")
	if err != nil {
		return err
	}
	before, hasBefore, err := timeOf(q, "changes-before")
	if err != nil {
		return err
	}
	if hasSince && hasBefore && since > before {
		return invalid("The value of changes-since must be less than or equal to changes-before.")
	}
	ask.dead = hasSince || hasBefore
	ask.filters = append(ask.filters, func(s *model.Server) bool {
		return (!hasSince || s.UpdatedAt >= since) && (!hasBefore || s.UpdatedAt <= before)
	})
	return nil
}

// timeForms are the forms of a time in a query; without a zone it is UTC.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04", "2006-01-02"}

func timeOf(q url.Values, name string) (at int64, given bool, err error) {
	text := q.Get(name)
	if text == "" {
		return 0, false, nil
	}
	if strings.Contains(text, "T") {
		text = strings.ReplaceAll(text, " ", "+") // an offset's sign that was not encoded
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t.UnixNano(), true, nil
		}
	}
	return 0, false, badQuery(name, text, quoted(text)+" is not a 'date-time'")
}

// parseStatus reads status, which may come more than once. One that the API
// does not have matches nothing before 2.38.
func parseStatus(c *rest.Call, q url.Values, ask *serverQuery) error {
	var words []string
	for _, w := range q["status"] {
		if w == "" {
			continue
		}
		if !isStatus(w) && c.Version.AtLeast(38) {
			return invalid("Invalid status value: %s", shorten(w))
		}
		words = append(words, strings.ToUpper(w))
	}
	if len(words) == 0 {
		return nil
	}
	if slices.Contains(words, "DELETED") {
		if !c.Caller.Admin() {
			return forbidden("servers:index:get_deleted")
		}
		ask.dead = true
	}
	ask.filters = append(ask.filters, func(s *model.Server) bool { return slices.Contains(words, status(s)) })
	return nil
}

// parseDeleted reads deleted and soft_deleted; there are no soft-deleted
// servers.
func parseDeleted(q url.Values, ask *serverQuery) error {
	for _, name := range []string{"deleted", "soft_deleted"} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		yes, ok := truthOf(text)
		if !ok {
			return badQuery(name, text, "It is not a truth value")
		}
		if name == "deleted" {
			ask.dead, ask.alive = yes, !yes
		} else if yes {
			ask.filters = append(ask.filters, func(*model.Server) bool { return false })
		}
	}
	return nil
}
