package compute

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func renderHypervisor(c *rest.Call, h *model.Host) object {
	return object{"id": publicID(c, h), "hypervisor_hostname": h.Name, "state": either(up(h), "up", "down"),
		"status": either(h.Disabled, "disabled", "enabled")}
}

func renderHypervisorDetail(c *rest.Call, h *model.Host) object {
	out := renderHypervisor(c, h)
	ip, _, err := net.SplitHostPort(h.Address)
	if err != nil {
		ip = h.Address
	}
	out["hypervisor_type"], out["hypervisor_version"], out["host_ip"] = h.Hypervisor, h.HypervisorVersion, ip
	out["service"] = object{"id": publicID(c, h), "host": h.Name, "disabled_reason": orNull(h.DisabledReason)}
	if c.Version.AtLeast(88) {
		out["uptime"] = nil // hosts do not tell
		return out
	}
	usage(out, h, busy(c, h))
	out["cpu_info"] = cpuInfo(c, h)
	return out
}

// usage adds what a host, or the sum of all, has and has promised.
func usage(out object, h *model.Host, tasks int) {
	out["vcpus"], out["vcpus_used"], out["memory_mb"], out["memory_mb_used"] = h.VCPUs, h.UsedVCPUs, h.RAM, h.UsedRAM
	out["local_gb"], out["local_gb_used"] = h.Disk, h.UsedDisk
	out["free_ram_mb"], out["free_disk_gb"], out["disk_available_least"] = h.RAM-h.UsedRAM, h.Disk-h.UsedDisk, h.Disk-h.UsedDisk
	out["current_workload"], out["running_vms"] = tasks, h.Guests
}

// busy counts a host's servers that are in the middle of a task.
func busy(c *rest.Call, h *model.Host) (n int) {
	for s := range c.View.ServersOn(h.ID) {
		if s.TaskState != "" {
			n++
		}
	}
	return n
}

// cpuInfo is a text of JSON before 2.28, and the JSON itself from then on.
func cpuInfo(c *rest.Call, h *model.Host) any {
	if !c.Version.AtLeast(28) {
		return h.CPUInfo
	}
	var info map[string]any
	if err := json.Unmarshal([]byte(h.CPUInfo), &info); err != nil || info == nil {
		return object{}
	}
	return info
}

// withServers adds the servers that a host has.
func withServers(c *rest.Call, out object, h *model.Host) object {
	list := []object{}
	for s := range c.View.ServersOn(h.ID) {
		list = append(list, object{"name": s.Name, "uuid": s.ID})
	}
	if len(list) > 0 || c.Version.AtLeast(75) {
		out["servers"] = list
	}
	return out
}

// hypervisorPage lists the hosts that the query asks for.
func hypervisorPage(c *rest.Call, path string, render func(*rest.Call, *model.Host) object) (rest.Answer, error) {
	if err := onlyQuery(c, "limit", "marker", "hypervisor_hostname_pattern", "with_servers"); err != nil {
		return rest.Answer{}, err
	}
	pattern := ""
	var servers bool
	if c.Version.AtLeast(53) {
		pattern = c.Query("hypervisor_hostname_pattern")
		text := c.Query("with_servers")
		yes, ok := truthOf(text)
		if text != "" && !ok {
			return rest.Answer{}, badQuery("with_servers", text, "It is not a truth value")
		}
		servers = yes
	}
	all, err := hostsLike(c, pattern)
	if err != nil {
		return rest.Answer{}, err
	}
	more := false
	if c.Version.AtLeast(33) {
		if all, more, err = page(c, all, func(h *model.Host) string { return fmt.Sprint(publicID(c, h)) }); err != nil {
			return rest.Answer{}, err
		}
	}
	out := []object{}
	for _, h := range all {
		o := render(c, h)
		if servers {
			withServers(c, o, h)
		}
		out = append(out, o)
	}
	body := object{"hypervisors": out}
	if more {
		body["hypervisors_links"] = next(c, path, fmt.Sprint(publicID(c, all[len(all)-1])))
	}
	return rest.JSON(http.StatusOK, body), nil
}

// hostsLike lists the hosts with a text in their name; none is errs.NotFound,
// unless the text is empty.
func hostsLike(c *rest.Call, text string) (all []*model.Host, err error) {
	for h := range c.View.Hosts() {
		if strings.Contains(h.Name, text) {
			all = append(all, h)
		}
	}
	if text != "" && len(all) == 0 {
		return nil, errs.Errorf("compute.hypervisor", errs.NotFound, "No hypervisor matching '%s' could be found.", shorten(text))
	}
	return all, nil
}

func listHypervisors(c *rest.Call) (rest.Answer, error) {
	return hypervisorPage(c, "os-hypervisors", renderHypervisor)
}

func detailHypervisors(c *rest.Call) (rest.Answer, error) {
	return hypervisorPage(c, "os-hypervisors/detail", renderHypervisorDetail)
}

// searchHypervisors serves /{pattern}/search and /{pattern}/servers.
func searchHypervisors(c *rest.Call) (rest.Answer, error) {
	all, err := hostsLike(c, c.Param("id"))
	if err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for _, h := range all {
		o := renderHypervisor(c, h)
		if strings.HasSuffix(c.Request.URL.Path, "/servers") {
			withServers(c, o, h)
		}
		out = append(out, o)
	}
	return rest.JSON(http.StatusOK, object{"hypervisors": out}), nil
}

func findHypervisor(c *rest.Call) (*model.Host, error) {
	id := c.Param("id")
	if c.Version.AtLeast(53) {
		if !model.IsUUID(id) {
			return nil, invalid("Invalid uuid %s", shorten(id))
		}
		if h := c.View.Host(model.HostID(id)); h != nil {
			return h, nil
		}
	} else {
		for h := range c.View.Hosts() {
			if strconv.FormatUint(h.Num, 10) == id {
				return h, nil
			}
		}
	}
	return nil, errs.Errorf("compute.hypervisor", errs.NotFound, "Hypervisor with ID '%s' could not be found.", shorten(id))
}

func showHypervisor(c *rest.Call) (rest.Answer, error) {
	if err := onlyQuery(c, "with_servers"); err != nil {
		return rest.Answer{}, err
	}
	h, err := findHypervisor(c)
	if err != nil {
		return rest.Answer{}, err
	}
	out := renderHypervisorDetail(c, h)
	if yes, _ := truthOf(c.Query("with_servers")); yes && c.Version.AtLeast(53) {
		withServers(c, out, h)
	}
	return rest.JSON(http.StatusOK, object{"hypervisor": out}), nil
}

// hypervisorUptime is not known: hosts do not tell.
func hypervisorUptime(c *rest.Call) (rest.Answer, error) {
	if _, err := findHypervisor(c); err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{}, errs.Errorf("compute.hypervisor", errs.NotImplemented, "The uptime of hosts is not offered by this cloud.")
}

func hypervisorStatistics(c *rest.Call) (rest.Answer, error) {
	var sum model.Host
	count, tasks := 0, 0
	for h := range c.View.Hosts() {
		if h.Disabled {
			continue
		}
		count++
		tasks += busy(c, h)
		sum.VCPUs += h.VCPUs
		sum.UsedVCPUs += h.UsedVCPUs
		sum.RAM += h.RAM
		sum.UsedRAM += h.UsedRAM
		sum.Disk += h.Disk
		sum.UsedDisk += h.UsedDisk
		sum.Guests += h.Guests
	}
	out := object{"count": count}
	usage(out, &sum, tasks)
	return rest.JSON(http.StatusOK, object{"hypervisor_statistics": out}), nil
}
