package compute

import (
	"maps"
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/model"
)

// up tells whether a host is up, as far as users are concerned.
func up(h *model.Host) bool { return !h.Down && !h.ForcedDown }

// zoneAnswer lists the zones that hosts are in. A zone is available while a
// host in it is.
func zoneAnswer(c *rest.Call, detail bool) (rest.Answer, error) {
	available, hosts := map[string]bool{}, map[string]object{}
	for h := range c.View.Hosts() {
		available[h.Zone] = available[h.Zone] || up(h) && !h.Disabled
		if hosts[h.Zone] == nil {
			hosts[h.Zone] = object{}
		}
		hosts[h.Zone][h.Name] = object{binary: object{"active": !h.Disabled, "available": up(h), "updated_at": micro(h.UpdatedAt)}}
	}
	out := []object{}
	for _, z := range slices.Sorted(maps.Keys(available)) {
		o := object{"zoneName": z, "zoneState": object{"available": available[z]}, "hosts": nil}
		if detail {
			o["hosts"] = hosts[z]
		}
		out = append(out, o)
	}
	return rest.JSON(http.StatusOK, object{"availabilityZoneInfo": out}), nil
}

func listZones(c *rest.Call) (rest.Answer, error)   { return zoneAnswer(c, false) }
func detailZones(c *rest.Call) (rest.Answer, error) { return zoneAnswer(c, true) }
