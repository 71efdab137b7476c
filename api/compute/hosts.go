package compute

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func up(h *model.Host) bool { return !h.Down && !h.ForcedDown }

func word(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// listZones lists the zones that hosts are in; detail adds the hosts.
func listZones(c *rest.Call) (rest.Answer, error) {
	detail := strings.HasSuffix(c.Request.URL.Path, "/detail")
	zones := map[string]bool{}
	hosts := map[string]object{}
	for h := range c.View.Hosts() {
		zones[h.Zone] = zones[h.Zone] || up(h) && !h.Disabled
		if hosts[h.Zone] == nil {
			hosts[h.Zone] = object{}
		}
		hosts[h.Zone][h.Name] = object{"nova-compute": object{"active": !h.Disabled, "available": up(h), "updated_at": micro(h.UpdatedAt)}}
	}
	var names []string
	for z := range zones {
		names = append(names, z)
	}
	out := []object{}
	for _, z := range sorted(names, func(s string) string { return s }) {
		o := object{"zoneName": z, "zoneState": object{"available": zones[z]}, "hosts": nil}
		if detail {
			o["hosts"] = hosts[z]
		}
		out = append(out, o)
	}
	return rest.JSON(http.StatusOK, object{"availabilityZoneInfo": out}), nil
}

func renderService(c *rest.Call, h *model.Host) object {
	o := object{"id": h.Num, "binary": "nova-compute", "host": h.Name, "zone": h.Zone, "status": word(h.Disabled, "disabled", "enabled"),
		"state": word(up(h), "up", "down"), "updated_at": micro(h.UpdatedAt), "disabled_reason": orNull(h.DisabledReason)}
	if c.Version.AtLeast(11) {
		o["forced_down"] = h.ForcedDown
	}
	return o
}

func listServices(c *rest.Call) (rest.Answer, error) {
	out := []object{}
	for h := range c.View.Hosts() {
		if (c.Query("host") == "" || c.Query("host") == h.Name) && (c.Query("binary") == "" || c.Query("binary") == "nova-compute") {
			out = append(out, renderService(c, h))
		}
	}
	return rest.JSON(http.StatusOK, object{"services": out}), nil
}

func updateService(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Host       string `json:"host"`
		Binary     string `json:"binary"`
		Reason     string `json:"disabled_reason"`
		ForcedDown *bool  `json:"forced_down"`
	}
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	h := c.View.HostNamed(in.Host)
	if h == nil || in.Binary != "nova-compute" {
		return rest.Answer{}, errs.Errorf("compute.service", errs.NotFound, "Host %s does not have a service %s.", shorten(in.Host), shorten(in.Binary))
	}
	yes, no := true, false
	cmd := &command.HostService{ID: h.ID}
	service := object{"host": in.Host, "binary": in.Binary}
	switch verb := c.Param("verb"); {
	case verb == "enable":
		cmd.Disabled, service["status"] = &no, "enabled"
	case verb == "disable":
		cmd.Disabled, service["status"] = &yes, "disabled"
	case verb == "disable-log-reason" && in.Reason != "":
		cmd.Disabled, cmd.Reason, service["status"], service["disabled_reason"] = &yes, in.Reason, "disabled", in.Reason
	case verb == "disable-log-reason":
		return rest.Answer{}, invalid("Missing disabled reason field")
	case verb == "force-down" && c.Version.AtLeast(11) && in.ForcedDown != nil:
		cmd.ForcedDown, service["forced_down"] = in.ForcedDown, *in.ForcedDown
	default:
		return rest.Answer{}, errs.Errorf("compute.service", errs.NotFound, "Unknown action")
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"service": service}), nil
}

func renderHypervisor(h *model.Host, detail bool) object {
	o := object{"id": h.Num, "hypervisor_hostname": h.Name, "state": word(up(h), "up", "down"), "status": word(h.Disabled, "disabled", "enabled")}
	if !detail {
		return o
	}
	ip, _, err := net.SplitHostPort(h.Address)
	if err != nil {
		ip = h.Address
	}
	o["hypervisor_type"], o["hypervisor_version"], o["host_ip"] = h.Hypervisor, h.HypervisorVersion, ip
	o["service"] = object{"id": h.Num, "host": h.Name, "disabled_reason": orNull(h.DisabledReason)}
	o["vcpus"], o["vcpus_used"], o["memory_mb"], o["memory_mb_used"] = h.VCPUs, h.UsedVCPUs, h.RAM, h.UsedRAM
	o["local_gb"], o["local_gb_used"], o["free_ram_mb"], o["free_disk_gb"] = h.Disk, h.UsedDisk, h.RAM-h.UsedRAM, h.Disk-h.UsedDisk
	o["current_workload"], o["running_vms"], o["disk_available_least"], o["cpu_info"] = 0, h.Guests, h.Disk-h.UsedDisk, h.CPUInfo
	return o
}

func listHypervisors(c *rest.Call) (rest.Answer, error) {
	out := []object{}
	for h := range c.View.Hosts() {
		out = append(out, renderHypervisor(h, strings.HasSuffix(c.Request.URL.Path, "/detail")))
	}
	return rest.JSON(http.StatusOK, object{"hypervisors": out}), nil
}

func showHypervisor(c *rest.Call) (rest.Answer, error) {
	for h := range c.View.Hosts() {
		if strconv.FormatUint(h.Num, 10) == c.Param("id") {
			return rest.JSON(http.StatusOK, object{"hypervisor": renderHypervisor(h, true)}), nil
		}
	}
	return rest.Answer{}, errs.Errorf("compute.hypervisor", errs.NotFound, "Hypervisor with ID '%s' could not be found.", shorten(c.Param("id")))
}

func hypervisorStatistics(c *rest.Call) (rest.Answer, error) {
	var sum model.Host
	n := 0
	for h := range c.View.Hosts() {
		n++
		sum.VCPUs += h.VCPUs
		sum.UsedVCPUs += h.UsedVCPUs
		sum.RAM += h.RAM
		sum.UsedRAM += h.UsedRAM
		sum.Disk += h.Disk
		sum.UsedDisk += h.UsedDisk
		sum.Guests += h.Guests
	}
	o := renderHypervisor(&sum, true)
	for _, k := range []string{"id", "hypervisor_hostname", "state", "status", "hypervisor_type", "hypervisor_version", "host_ip", "service", "cpu_info"} {
		delete(o, k)
	}
	o["count"] = n
	return rest.JSON(http.StatusOK, object{"hypervisor_statistics": o}), nil
}
