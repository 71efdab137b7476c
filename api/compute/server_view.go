package compute

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// statuses turn a server's states into the one word that users see.
func status(s *model.Server) string {
	switch {
	case s.VMState == model.Active && s.TaskState == model.TaskRebooting:
		return "REBOOT"
	case s.VMState == model.Active && s.TaskState == model.TaskRebootingHard:
		return "HARD_REBOOT"
	}
	switch s.VMState {
	case model.Active:
		return "ACTIVE"
	case model.Building:
		return "BUILD"
	case model.Stopped:
		return "SHUTOFF"
	case model.Errored:
		return "ERROR"
	}
	return "UNKNOWN"
}

// hostID hides a host's name from users: it differs from project to project.
func hostID(s *model.Server) string {
	if s.HostID == "" {
		return ""
	}
	sum := sha256.Sum224([]byte(string(s.ProjectID) + string(s.HostID)))
	return hex.EncodeToString(sum[:])
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// renderServer is a server as show and detail give it.
func renderServer(c *rest.Call, s *model.Server) object {
	meta := s.Metadata
	if meta == nil {
		meta = map[string]string{}
	}
	out := object{
		"id": s.ID, "name": s.Name, "status": status(s), "tenant_id": s.ProjectID, "user_id": s.UserID,
		"created": whole(s.CreatedAt), "updated": whole(s.UpdatedAt), "hostId": hostID(s), "metadata": meta,
		"links": links(c, "servers", string(s.ID)), "accessIPv4": s.AccessIPv4, "accessIPv6": s.AccessIPv6,
		"addresses": addresses(c, s, true), "key_name": orNull(s.KeyName), "config_drive": "",
		"flavor":                      object{"id": s.Size.FlavorID, "links": bookmark(c, "flavors", string(s.Size.FlavorID))},
		"image":                       object{"id": s.ImageID, "links": bookmark(c, "images", string(s.ImageID))},
		"OS-DCF:diskConfig":           map[bool]string{false: "AUTO", true: "MANUAL"}[s.DiskManual],
		"OS-EXT-AZ:availability_zone": s.Zone, "OS-EXT-STS:task_state": orNull(s.TaskState),
		"OS-EXT-STS:vm_state": s.VMState, "OS-EXT-STS:power_state": s.PowerState,
		"OS-SRV-USG:launched_at": micro(s.LaunchedAt), "OS-SRV-USG:terminated_at": nil,
		"os-extended-volumes:volumes_attached": []object{},
	}
	if st := status(s); st == "ACTIVE" || st == "BUILD" {
		out["progress"] = map[bool]int{true: 100, false: 0}[st == "ACTIVE"]
	}
	if s.Fault != nil && s.VMState == model.Errored {
		f := object{"code": s.Fault.Code, "message": s.Fault.Message, "created": whole(s.Fault.At)}
		if c.Caller.Admin() && s.Fault.Details != "" {
			f["details"] = s.Fault.Details
		}
		out["fault"] = f
	}
	forAdmins(c, s, out)
	if c.Version.AtLeast(9) {
		out["locked"] = false
	}
	if c.Version.AtLeast(19) {
		out["description"] = s.Description
	}
	return out
}

// forAdmins adds what only administrators see.
func forAdmins(c *rest.Call, s *model.Server, out object) {
	if !c.Caller.Admin() {
		return
	}
	var host any
	h := c.View.Host(s.HostID)
	if h != nil {
		host = h.Name
	}
	out["OS-EXT-SRV-ATTR:host"], out["OS-EXT-SRV-ATTR:hypervisor_hostname"] = host, host
	out["OS-EXT-SRV-ATTR:instance_name"] = fmt.Sprintf("instance-%08x", s.Num)
	if c.Version.AtLeast(3) {
		out["OS-EXT-SRV-ATTR:hostname"], out["OS-EXT-SRV-ATTR:kernel_id"], out["OS-EXT-SRV-ATTR:ramdisk_id"] = s.Hostname, "", ""
		out["OS-EXT-SRV-ATTR:launch_index"], out["OS-EXT-SRV-ATTR:reservation_id"] = s.LaunchIndex, s.ReservationID
		out["OS-EXT-SRV-ATTR:root_device_name"], out["OS-EXT-SRV-ATTR:user_data"] = "/dev/vda", nil
	}
	if c.Version.AtLeast(16) {
		state := ""
		switch {
		case h == nil:
		case h.Disabled:
			state = "MAINTENANCE"
		case h.Down || h.ForcedDown:
			state = "DOWN"
		default:
			state = "UP"
		}
		out["host_status"] = state
	}
}

// addresses lists a server's addresses by network name; none while it builds.
func addresses(c *rest.Call, s *model.Server, extended bool) object {
	out := object{}
	if s.VMState == model.Building {
		return out
	}
	for p := range c.View.PortsOfDevice(string(s.ID)) {
		n := c.View.Network(p.NetworkID)
		for a := range c.View.FixedAddressesOf(p.ID) {
			version := 4
			if ip, err := netip.ParseAddr(a.IP); err == nil && ip.Is6() {
				version = 6
			}
			o := object{"version": version, "addr": a.IP}
			if extended {
				o["OS-EXT-IPS:type"], o["OS-EXT-IPS-MAC:mac_addr"] = "fixed", p.MAC
			}
			list, _ := out[n.Name].([]object)
			out[n.Name] = append(list, o)
		}
	}
	return out
}

// find gives a server that the caller may see; a foreign one is not there.
func find(c *rest.Call) (*model.Server, error) {
	s := c.View.Server(model.ServerID(c.Param("id")))
	if s == nil || s.ProjectID != c.Caller.ProjectID() && !c.Caller.Admin() {
		return nil, errs.Errorf("compute.server", errs.NotFound, "Instance %s could not be found.", c.Param("id"))
	}
	return s, nil
}
