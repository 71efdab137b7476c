package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func renderInterface(c *rest.Call, p *model.Port) object {
	ips := []object{}
	for _, a := range fixedOf(c, p.ID) {
		ips = append(ips, object{"subnet_id": a.SubnetID, "ip_address": a.IP})
	}
	out := object{"net_id": p.NetworkID, "port_id": p.ID, "mac_addr": p.MAC, "port_state": either(p.Active, "ACTIVE", "DOWN"), "fixed_ips": ips}
	if c.Version.AtLeast(70) {
		out["tag"] = nil
	}
	return out
}

func listInterfaces(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for p := range c.View.PortsOfDevice(string(s.ID)) {
		out = append(out, renderInterface(c, p))
	}
	return rest.JSON(http.StatusOK, object{"interfaceAttachments": out}), nil
}

func showInterface(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	p := c.View.Port(model.PortID(c.Param("port")))
	if p == nil || p.DeviceID != string(s.ID) {
		return rest.Answer{}, errs.Errorf("compute.interface", errs.NotFound, "Instance %s does not have a port with id %s", s.ID, shorten(c.Param("port")))
	}
	return rest.JSON(http.StatusOK, object{"interfaceAttachment": renderInterface(c, p)}), nil
}

func listIPs(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"addresses": addresses(c, s, false)}), nil
}

func showIPs(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	label := c.Param("label")
	list, there := addresses(c, s, false)[label]
	if !there {
		return rest.Answer{}, errs.Errorf("compute.ips", errs.NotFound, "Instance is not a member of specified network")
	}
	return rest.JSON(http.StatusOK, object{label: list}), nil
}
