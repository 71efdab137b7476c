package compute

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// hostID hides a host's name from users: it differs from project to project.
func hostID(c *rest.Call, s *model.Server) string {
	h := c.View.Host(s.HostID)
	if h == nil {
		return ""
	}
	sum := sha256.Sum224([]byte(string(s.ProjectID) + h.Name))
	return hex.EncodeToString(sum[:])
}

func serverLinks(c *rest.Call, s *model.Server) []object { return links(c, "servers", string(s.ID)) }

// renderer shows a server in one of the API's forms.
type renderer func(c *rest.Call, s *model.Server) (object, error)

// brief is a server as the plain list gives it.
func brief(c *rest.Call, s *model.Server) (object, error) {
	return object{"id": s.ID, "name": s.Name, "links": serverLinks(c, s)}, nil
}

// core is what every answer about a server has.
func core(c *rest.Call, s *model.Server) object {
	out := object{"id": s.ID, "name": s.Name, "links": serverLinks(c, s)}
	out["status"], out["tenant_id"], out["user_id"] = status(s), s.ProjectID, s.UserID
	out["created"], out["updated"], out["hostId"] = whole(s.CreatedAt), whole(s.UpdatedAt), hostID(c, s)
	out["metadata"], out["accessIPv4"], out["accessIPv6"] = filled(s.Metadata), s.AccessIPv4, s.AccessIPv6
	out["image"] = object{"id": s.ImageID, "links": []object{bookmark(c, "images", string(s.ImageID))}}
	out["flavor"] = serverFlavor(c, s)
	out["OS-DCF:diskConfig"] = diskConfig(s)
	if slices.Contains(hasProgress, status(s)) {
		out["progress"] = progress(s)
	}
	if s.Fault != nil && (s.VMState == model.Errored || s.VMState == deleted) {
		out["fault"] = serverFault(c, s.Fault)
	}
	if c.Version.AtLeast(9) {
		out["locked"] = false
	}
	if c.Version.AtLeast(19) {
		out["description"] = s.Description
	}
	if c.Version.AtLeast(26) {
		out["tags"] = tagList(s)
	}
	if c.Version.AtLeast(63) {
		out["trusted_image_certificates"] = nil
	}
	if c.Version.AtLeast(73) {
		out["locked_reason"] = nil
	}
	return out
}

func diskConfig(s *model.Server) string { return either(s.DiskManual, "MANUAL", "AUTO") }

// serverFlavor is a reference before 2.47, and the server's copy from then on.
func serverFlavor(c *rest.Call, s *model.Server) object {
	z := s.Size
	if !c.Version.AtLeast(47) {
		return object{"id": z.FlavorID, "links": []object{bookmark(c, "flavors", string(z.FlavorID))}}
	}
	return object{"vcpus": z.VCPUs, "ram": z.RAM, "disk": z.Disk, "ephemeral": z.Ephemeral, "swap": z.Swap,
		"original_name": z.FlavorName, "extra_specs": filled(z.ExtraSpecs)}
}

func serverFault(c *rest.Call, f *model.Fault) object {
	out := object{"code": f.Code, "message": f.Message, "created": whole(f.At)}
	if f.Details != "" && (c.Caller.Admin() || f.Code != http.StatusInternalServerError) {
		out["details"] = f.Details
	}
	return out
}

// extended adds what show and detail have, and the answer of an update from
// 2.75 on.
func (d *Door) extended(c *rest.Call, s *model.Server, out object) error {
	gone := s.VMState == deleted
	out["addresses"] = addresses(c, s, true)
	out["key_name"], out["config_drive"] = orNull(s.KeyName), either(s.ConfigDrive, "True", "")
	out["OS-EXT-AZ:availability_zone"] = s.Zone
	out["OS-EXT-STS:task_state"], out["OS-EXT-STS:vm_state"], out["OS-EXT-STS:power_state"] = orNull(s.TaskState), s.VMState, s.PowerState
	out["OS-SRV-USG:launched_at"], out["OS-SRV-USG:terminated_at"] = micro(s.LaunchedAt), nil
	if gone {
		out["OS-SRV-USG:terminated_at"] = micro(s.UpdatedAt)
	}
	out["os-extended-volumes:volumes_attached"] = []object{}
	if c.Version.AtLeast(90) {
		out["OS-EXT-SRV-ATTR:hostname"] = s.Hostname
	}
	if !c.Caller.Admin() {
		return nil
	}
	forAdmins(c, s, out)
	if !c.Version.AtLeast(3) {
		return nil
	}
	userData, err := d.openUserData(s)
	out["OS-EXT-SRV-ATTR:user_data"] = userData
	return err
}

// openUserData gives a server's user data in base64; nil for none.
func (d *Door) openUserData(s *model.Server) (any, error) {
	if len(s.UserData) == 0 {
		return nil, nil
	}
	plain, err := d.Open(s.UserData)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString(plain), nil
}

// forAdmins adds what only administrators see, but for the user data.
func forAdmins(c *rest.Call, s *model.Server, out object) {
	h := c.View.Host(s.HostID)
	var host any
	if h != nil {
		host = h.Name
	}
	out["OS-EXT-SRV-ATTR:host"], out["OS-EXT-SRV-ATTR:hypervisor_hostname"] = host, host
	out["OS-EXT-SRV-ATTR:instance_name"] = fmt.Sprintf("instance-%08x", s.Num)
	if c.Version.AtLeast(3) {
		out["OS-EXT-SRV-ATTR:hostname"] = s.Hostname
		out["OS-EXT-SRV-ATTR:kernel_id"], out["OS-EXT-SRV-ATTR:ramdisk_id"] = bootPart(c, s, "kernel_id"), bootPart(c, s, "ramdisk_id")
		out["OS-EXT-SRV-ATTR:launch_index"], out["OS-EXT-SRV-ATTR:reservation_id"] = s.LaunchIndex, s.ReservationID
		out["OS-EXT-SRV-ATTR:root_device_name"] = rootDevice
	}
	if c.Version.AtLeast(16) {
		out["host_status"] = hostStatus(h)
	}
}

// rootDevice is how a guest sees its root disk.
const rootDevice = assign.RootDevice

// bootPart is the kernel or ramdisk that a server's image names.
func bootPart(c *rest.Call, s *model.Server, property string) string {
	if img := c.View.Image(s.ImageID); img != nil {
		return img.Properties[property]
	}
	return ""
}

func hostStatus(h *model.Host) string {
	switch {
	case h == nil:
		return ""
	case !up(h):
		return "DOWN"
	case h.Disabled:
		return "MAINTENANCE"
	}
	return "UP"
}

// renderServer is a server as detail gives it.
func (d *Door) renderServer(c *rest.Call, s *model.Server) (object, error) {
	out := core(c, s)
	return out, d.extended(c, s, out)
}

// renderOne is a server as show gives it.
func (d *Door) renderOne(c *rest.Call, s *model.Server) (object, error) {
	out, err := d.renderServer(c, s)
	if c.Version.AtLeast(71) {
		out["server_groups"] = []string{}
	}
	return out, err
}

// renderUpdated is a server as the answer to an update has it: less than show
// before 2.75.
func (d *Door) renderUpdated(c *rest.Call, s *model.Server) (object, error) {
	if c.Version.AtLeast(75) {
		return d.renderOne(c, s)
	}
	out := core(c, s)
	out["addresses"] = addresses(c, s, false)
	if c.Version.AtLeast(71) {
		out["server_groups"] = []string{}
	}
	return out, nil
}

// serverAnswer is a server in one of its forms.
func serverAnswer(c *rest.Call, s *model.Server, render renderer) (rest.Answer, error) {
	out, err := render(c, s)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"server": out}), nil
}

// addresses lists a server's addresses by network name; none while it builds.
// full adds each one's type and MAC.
func addresses(c *rest.Call, s *model.Server, full bool) object {
	out := object{}
	if s.VMState == model.Building {
		return out
	}
	for p := range c.View.PortsOfDevice(string(s.ID)) {
		n := c.View.Network(p.NetworkID)
		if n == nil {
			continue
		}
		for _, a := range fixedOf(c, p.ID) {
			o := object{"version": ipVersion(a.IP), "addr": a.IP}
			if full {
				o["OS-EXT-IPS:type"], o["OS-EXT-IPS-MAC:mac_addr"] = "fixed", p.MAC
			}
			list, _ := out[n.Name].([]object)
			out[n.Name] = append(list, o)
		}
	}
	return out
}

// fixedOf lists a port's addresses, IPv4 first.
func fixedOf(c *rest.Call, p model.PortID) []*model.FixedAddress {
	return slices.SortedStableFunc(c.View.FixedAddressesOf(p), func(a, b *model.FixedAddress) int {
		return cmp.Compare(ipVersion(a.IP), ipVersion(b.IP))
	})
}

func ipVersion(text string) int {
	if ip, err := netip.ParseAddr(text); err == nil && ip.Is6() {
		return 6
	}
	return 4
}

// findServer gives the server that the path names, if the caller may see it; a
// foreign one is not there.
func findServer(c *rest.Call) (*model.Server, error) {
	s := c.View.Server(model.ServerID(c.Param("id")))
	if s == nil || s.ProjectID != c.Caller.ProjectID() && !c.Caller.Admin() {
		return nil, noServer(c)
	}
	return s, nil
}

func noServer(c *rest.Call) error {
	return errs.Errorf("compute.server", errs.NotFound, "Instance %s could not be found.", shorten(c.Param("id")))
}

func (d *Door) showServer(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return serverAnswer(c, s, d.renderOne)
}
