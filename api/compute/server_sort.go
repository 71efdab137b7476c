package compute

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

type order func(a, b *model.Server) int

// by is an order by one property.
func by[T cmp.Ordered](of func(*model.Server) T) order {
	return func(a, b *model.Server) int { return cmp.Compare(of(a), of(b)) }
}

// noOrder is the order of what is equal for all servers, or cannot be told.
func noOrder(_, _ *model.Server) int { return 0 }

// sortKeys are what a list may be sorted by.
var sortKeys = map[string]order{
	"access_ip_v4":        by(func(s *model.Server) string { return s.AccessIPv4 }),
	"access_ip_v6":        by(func(s *model.Server) string { return s.AccessIPv6 }),
	"auto_disk_config":    by(func(s *model.Server) string { return diskConfig(s) }),
	"availability_zone":   by(func(s *model.Server) string { return s.Zone }),
	"config_drive":        by(func(s *model.Server) string { return either(s.ConfigDrive, "y", "") }),
	"created_at":          by(func(s *model.Server) int64 { return s.CreatedAt }),
	"display_description": by(func(s *model.Server) string { return descriptionOf(nil, s) }),
	"display_name":        by(func(s *model.Server) string { return s.Name }),
	"hostname":            by(func(s *model.Server) string { return s.Hostname }),
	"image_ref":           by(func(s *model.Server) model.ImageID { return s.ImageID }),
	"instance_type_id":    by(func(s *model.Server) model.FlavorID { return s.Size.FlavorID }),
	"key_name":            by(func(s *model.Server) string { return s.KeyName }),
	"launch_index":        by(func(s *model.Server) int { return s.LaunchIndex }),
	"launched_at":         by(func(s *model.Server) int64 { return s.LaunchedAt }),
	"power_state":         by(func(s *model.Server) int { return s.PowerState }),
	"progress":            by(progress),
	"project_id":          by(func(s *model.Server) model.ProjectID { return s.ProjectID }),
	"task_state":          by(func(s *model.Server) string { return s.TaskState }),
	"terminated_at":       by(func(s *model.Server) string { return terminatedOf(nil, s) }),
	"updated_at":          by(func(s *model.Server) int64 { return s.UpdatedAt }),
	"user_id":             by(func(s *model.Server) model.UserID { return s.UserID }),
	"uuid":                by(func(s *model.Server) model.ServerID { return s.ID }),
	"vm_state":            by(func(s *model.Server) string { return s.VMState }),
	"host":                noOrder, "node": noOrder, // see sortOrder
	"kernel_id": noOrder, "ramdisk_id": noOrder, "root_device_name": noOrder, "locked_by": noOrder, "locked": noOrder,
}

// oldSortKeys were columns once: they are ignored before 2.75.
var oldSortKeys = []string{"architecture", "cell_name", "cleaned", "default_ephemeral_device", "default_swap_device", "deleted", "deleted_at",
	"disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "internal_id", "key_data", "launched_on", "memory_mb", "os_type",
	"reservation_id", "root_gb", "shutdown_terminate", "user_data", "vcpus", "vm_mode"}

// bySpec is one key and its direction.
type bySpec struct {
	compare order
	desc    bool
}

// parseSort reads sort_key and sort_dir. The newest server comes first, unless
// the query says otherwise; a key without a direction of its own has the first
// one's.
func parseSort(c *rest.Call, q url.Values) (func([]*model.Server), error) {
	keys, dirs := q["sort_key"], q["sort_dir"]
	if len(dirs) > max(len(keys), 1) {
		return nil, invalid("Sort direction size exceeds sort key size")
	}
	descs := []bool{true}
	for i, d := range dirs {
		desc, err := direction(d)
		if err != nil {
			return nil, err
		}
		descs = append(descs[:i], desc)
	}
	var specs []bySpec
	for i, name := range keys {
		if err := checkSortKey(c, name); err != nil {
			return nil, err
		}
		desc := descs[0]
		if i < len(descs) {
			desc = descs[i]
		}
		if compare := sortOrder(c, name); compare != nil {
			specs = append(specs, bySpec{compare, desc})
		}
	}
	specs = append(specs, bySpec{sortKeys["created_at"], descs[0]}, bySpec{by(func(s *model.Server) uint64 { return s.Num }), descs[0]})
	return func(all []*model.Server) { sortServers(all, specs) }, nil
}

// sortOrder is the order by a key; nil for one that is ignored.
func sortOrder(c *rest.Call, name string) order {
	if name == "host" || name == "node" {
		return by(func(s *model.Server) string { return hostOf(c, s) })
	}
	return sortKeys[name]
}

func checkSortKey(c *rest.Call, name string) error {
	switch {
	case name == "locked" && !c.Version.AtLeast(73), sortKeys[name] == nil && !slices.Contains(oldSortKeys, name),
		sortKeys[name] == nil && c.Version.AtLeast(75):
		return badQuery("sort_key", name, "It is not a key that servers can be sorted by")
	case (name == "host" || name == "node") && !c.Caller.Admin():
		return forbidden("servers:index:sort_by_" + name)
	}
	return nil
}

func sortServers(all []*model.Server, specs []bySpec) {
	slices.SortFunc(all, func(a, b *model.Server) int {
		for _, s := range specs {
			if d := s.compare(a, b); d != 0 && s.desc {
				return -d
			} else if d != 0 {
				return d
			}
		}
		return 0
	})
}
