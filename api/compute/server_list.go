package compute

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// filter tells whether a server belongs into a list.
type filter func(*model.Server) bool

// filters reads a list's query. What is no filter of Nova's is ignored, as
// Nova does below 2.75.
func filters(c *rest.Call, q url.Values) ([]filter, error) {
	var out []filter
	pattern := func(name string, of func(*model.Server) string) error {
		if q.Get(name) == "" {
			return nil
		}
		re, err := regexp.Compile(q.Get(name))
		if err != nil {
			return invalid("Invalid input for query parameters %s. Value: %s. It is not a regular expression", name, q.Get(name))
		}
		out = append(out, func(s *model.Server) bool { return re.MatchString(of(s)) })
		return nil
	}
	exact := func(name string, of func(*model.Server) string) {
		if q.Has(name) {
			out = append(out, func(s *model.Server) bool { return slices.Contains(q[name], of(s)) })
		}
	}
	if err := pattern("name", func(s *model.Server) string { return s.Name }); err != nil {
		return nil, err
	}
	if err := pattern("reservation_id", func(s *model.Server) string { return s.ReservationID }); err != nil {
		return nil, err
	}
	if q.Has("status") {
		out = append(out, func(s *model.Server) bool {
			return slices.ContainsFunc(q["status"], func(w string) bool { return strings.EqualFold(w, status(s)) })
		})
	}
	exact("image", func(s *model.Server) string { return string(s.ImageID) })
	exact("flavor", func(s *model.Server) string { return string(s.Size.FlavorID) })
	if c.Caller.Admin() {
		exact("uuid", func(s *model.Server) string { return string(s.ID) })
		exact("user_id", func(s *model.Server) string { return string(s.UserID) })
		exact("host", func(s *model.Server) string {
			if h := c.View.Host(s.HostID); h != nil {
				return h.Name
			}
			return ""
		})
	}
	if q.Get("ip") != "" {
		re, err := regexp.Compile(q.Get("ip"))
		if err != nil {
			return nil, invalid("Invalid input for query parameters ip. Value: %s. It is not a regular expression", q.Get("ip"))
		}
		out = append(out, func(s *model.Server) bool {
			for p := range c.View.PortsOfDevice(string(s.ID)) {
				for a := range c.View.FixedAddressesOf(p.ID) {
					if re.MatchString(a.IP) {
						return true
					}
				}
			}
			return false
		})
	}
	return out, nil
}

// listed gives the servers that a list is made from.
func listed(c *rest.Call, q url.Values) ([]*model.Server, error) {
	everyone := false
	if q.Has("all_tenants") && q.Get("all_tenants") != "0" && !strings.EqualFold(q.Get("all_tenants"), "false") {
		if _, err := strconv.ParseBool(q.Get("all_tenants")); err != nil && q.Get("all_tenants") != "" {
			return nil, invalid("Invalid input for query parameters all_tenants. Value: %s.", q.Get("all_tenants"))
		}
		if !c.Caller.Admin() {
			return nil, errs.Errorf("compute.list", errs.Forbidden, "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed.")
		}
		everyone = true
	}
	var all []*model.Server
	project := c.Caller.ProjectID()
	if everyone {
		for s := range c.View.Servers() {
			if p := cmp.Or(q.Get("project_id"), q.Get("tenant_id")); p == "" || p == string(s.ProjectID) {
				all = append(all, s)
			}
		}
	} else {
		for s := range c.View.ServersOf(project) {
			all = append(all, s)
		}
	}
	if q.Get("changes-since") == "" {
		return all, nil
	}
	since, err := time.Parse(time.RFC3339, q.Get("changes-since"))
	if err != nil {
		return nil, invalid("Invalid filter field: changes-since.")
	}
	for t := range c.View.TombstonesOf(project) {
		gone := t.Server
		gone.VMState = "deleted"
		all = append(all, &gone)
	}
	return slices.DeleteFunc(all, func(s *model.Server) bool { return s.UpdatedAt < since.UnixNano() }), nil
}

func (d *Door) listServers(c *rest.Call) (rest.Answer, error) {
	q := c.Request.URL.Query()
	limit, err := c.Limit(rest.MaxLimit, rest.MaxLimit)
	if err != nil {
		return rest.Answer{}, err
	}
	all, err := listed(c, q)
	if err != nil {
		return rest.Answer{}, err
	}
	fs, err := filters(c, q)
	if err != nil {
		return rest.Answer{}, err
	}
	all = slices.DeleteFunc(all, func(s *model.Server) bool {
		return slices.ContainsFunc(fs, func(f filter) bool { return !f(s) })
	})
	if err := order(all, q); err != nil {
		return rest.Answer{}, err
	}
	page, more, found := rest.Page(all, func(s *model.Server) string { return string(s.ID) }, q.Get("marker"), limit)
	if !found {
		return rest.Answer{}, invalid("marker [%s] not found", q.Get("marker"))
	}
	detail := strings.HasSuffix(c.Request.URL.Path, "/detail")
	out := []object{}
	for _, s := range page {
		o := object{"id": s.ID, "name": s.Name, "links": links(c, "servers", string(s.ID))}
		if detail {
			o = renderServer(c, s)
		}
		if s.VMState == "deleted" && detail {
			o["status"] = "DELETED"
		}
		out = append(out, o)
	}
	body := object{"servers": out}
	if more {
		body["servers_links"] = next(c, strings.TrimPrefix(c.Request.URL.Path[strings.Index(c.Request.URL.Path, "/servers"):], "/"), string(page[len(page)-1].ID))
	}
	return rest.JSON(http.StatusOK, body), nil
}

// keys are what a list may be sorted by.
var keys = map[string]func(a, b *model.Server) int{
	"created_at":   func(a, b *model.Server) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) },
	"updated_at":   func(a, b *model.Server) int { return cmp.Compare(a.UpdatedAt, b.UpdatedAt) },
	"launched_at":  func(a, b *model.Server) int { return cmp.Compare(a.LaunchedAt, b.LaunchedAt) },
	"display_name": func(a, b *model.Server) int { return cmp.Compare(a.Name, b.Name) },
	"uuid":         func(a, b *model.Server) int { return cmp.Compare(a.ID, b.ID) },
	"vm_state":     func(a, b *model.Server) int { return cmp.Compare(a.VMState, b.VMState) },
	"task_state":   func(a, b *model.Server) int { return cmp.Compare(a.TaskState, b.TaskState) },
	"power_state":  func(a, b *model.Server) int { return cmp.Compare(a.PowerState, b.PowerState) },
	"image_ref":    func(a, b *model.Server) int { return cmp.Compare(a.ImageID, b.ImageID) },
	"key_name":     func(a, b *model.Server) int { return cmp.Compare(a.KeyName, b.KeyName) },
	"project_id":   func(a, b *model.Server) int { return cmp.Compare(a.ProjectID, b.ProjectID) },
	"user_id":      func(a, b *model.Server) int { return cmp.Compare(a.UserID, b.UserID) },
}

// order sorts a list: the newest first, unless the query says otherwise.
func order(all []*model.Server, q url.Values) error {
	names, dirs := q["sort_key"], q["sort_dir"]
	if len(names) == 0 {
		names, dirs = []string{"created_at"}, []string{"desc"}
	}
	for _, n := range names {
		if keys[n] == nil {
			return invalid("Invalid input for query parameters sort_key. Value: %s.", n)
		}
	}
	slices.SortFunc(all, func(a, b *model.Server) int {
		for i, n := range names {
			c := keys[n](a, b)
			if i >= len(dirs) || dirs[i] != "asc" {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return nil
}

func (d *Door) showServer(c *rest.Call) (rest.Answer, error) {
	s, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"server": renderServer(c, s)}), nil
}

func (d *Door) showIPs(c *rest.Call) (rest.Answer, error) {
	s, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"addresses": addresses(c, s, false)}), nil
}

func (d *Door) listInterfaces(c *rest.Call) (rest.Answer, error) {
	s, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for p := range c.View.PortsOfDevice(string(s.ID)) {
		ips := []object{}
		for a := range c.View.FixedAddressesOf(p.ID) {
			ips = append(ips, object{"subnet_id": a.SubnetID, "ip_address": a.IP})
		}
		out = append(out, object{"net_id": p.NetworkID, "port_id": p.ID, "mac_addr": p.MAC,
			"port_state": map[bool]string{true: "ACTIVE", false: "DOWN"}[p.Active], "fixed_ips": ips})
	}
	return rest.JSON(http.StatusOK, object{"interfaceAttachments": out}), nil
}

// listAttachments is always empty: there are no volumes.
func (d *Door) listAttachments(c *rest.Call) (rest.Answer, error) {
	if _, err := find(c); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"volumeAttachments": []object{}}), nil
}

func (d *Door) listActions(c *rest.Call) (rest.Answer, error) {
	s, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for a := range c.View.ServerActions(s.ID) {
		out = append(out, object{"action": a.Action, "instance_uuid": s.ID, "message": map[bool]any{true: "Error", false: nil}[a.Failed],
			"project_id": a.ProjectID, "request_id": a.RequestID, "start_time": micro(a.StartedAt), "user_id": a.UserID})
	}
	slices.Reverse(out)
	return rest.JSON(http.StatusOK, object{"instanceActions": out}), nil
}
