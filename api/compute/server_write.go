package compute

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"strconv"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

func (d *Door) deleteServer(c *rest.Call) (rest.Answer, error) {
	if _, err := c.Do(&command.ServerDelete{ID: model.ServerID(c.Param("id"))}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

func (d *Door) updateServer(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Server struct {
			Name        *string          `json:"name"`
			AccessIPv4  *string          `json:"accessIPv4"`
			AccessIPv6  *string          `json:"accessIPv6"`
			DiskConfig  *string          `json:"OS-DCF:diskConfig"`
			Description *json.RawMessage `json:"description"`
		} `json:"server"`
	}
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	s := in.Server
	cmd := &command.ServerUpdate{ID: model.ServerID(c.Param("id")), Name: s.Name, AccessIPv4: s.AccessIPv4, AccessIPv6: s.AccessIPv6}
	if s.DiskConfig != nil {
		manual := *s.DiskConfig == "MANUAL"
		cmd.DiskManual = &manual
	}
	if s.Description != nil && c.Version.AtLeast(19) {
		if err := json.Unmarshal(*s.Description, &cmd.Description); err != nil {
			return rest.Answer{}, badInput("description", string(*s.Description), "It is not a string or null")
		}
		cmd.NoDescription = cmd.Description == nil
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	out := renderServer(c, c.View.Server(cmd.ID))
	for _, k := range []string{"key_name", "config_drive", "OS-EXT-AZ:availability_zone", "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at",
		"OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-EXT-STS:power_state", "os-extended-volumes:volumes_attached", "host_status"} {
		delete(out, k)
	}
	maps.DeleteFunc(out, func(k string, _ any) bool { return len(k) > 19 && k[:19] == "OS-EXT-SRV-ATTR:hos" })
	out["addresses"] = addresses(c, c.View.Server(cmd.ID), false)
	return rest.JSON(http.StatusOK, object{"server": out}), nil
}

func (d *Door) showMetadata(c *rest.Call) (rest.Answer, error) {
	s, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	meta := s.Metadata
	if meta == nil {
		meta = map[string]string{}
	}
	return rest.JSON(http.StatusOK, object{"metadata": meta}), nil
}

// writeMetadata merges (POST) or replaces (PUT) a server's metadata.
func (d *Door) writeMetadata(c *rest.Call) (rest.Answer, error) {
	var in struct {
		Metadata map[string]string `json:"metadata"`
	}
	if err := c.Decode(&in, true); err != nil {
		return rest.Answer{}, err
	}
	s, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	merged := map[string]string{}
	if c.Request.Method == http.MethodPost {
		maps.Copy(merged, s.Metadata)
	}
	maps.Copy(merged, in.Metadata)
	if len(merged) > maxMetadata {
		return rest.Answer{}, errs.Errorf("compute.metadata", errs.Quota, "Maximum number of metadata items exceeds %d", maxMetadata)
	}
	if _, err := c.Do(&command.ServerUpdate{ID: s.ID, Metadata: &merged}); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"metadata": merged}), nil
}

// known are Nova's actions that are not offered here yet.
var known = map[string]bool{"pause": true, "unpause": true, "suspend": true, "resume": true, "rebuild": true, "resize": true, "confirmResize": true,
	"revertResize": true, "createImage": true, "createBackup": true, "changePassword": true, "addSecurityGroup": true, "removeSecurityGroup": true,
	"lock": true, "unlock": true, "rescue": true, "unrescue": true, "shelve": true, "shelveOffload": true, "unshelve": true, "forceDelete": true,
	"restore": true, "migrate": true, "os-migrateLive": true, "evacuate": true, "os-resetState": true, "injectNetworkInfo": true, "resetNetwork": true,
	"trigger_crash_dump": true, "addFloatingIp": true, "removeFloatingIp": true, "addFixedIp": true, "removeFixedIp": true,
	"os-getVNCConsole": true, "os-getSPICEConsole": true, "os-getRDPConsole": true, "os-getSerialConsole": true}

func (d *Door) action(c *rest.Call) (rest.Answer, error) {
	var in map[string]json.RawMessage
	if err := c.Decode(&in, false); err != nil {
		return rest.Answer{}, err
	}
	if len(in) != 1 {
		return rest.Answer{}, invalid("Malformed request body: it must have exactly one action")
	}
	s, err := find(c)
	if err != nil {
		return rest.Answer{}, err
	}
	for name, arg := range in {
		switch name {
		case "os-start", "os-stop":
			return accepted(c, &command.ServerPower{ID: s.ID, On: name == "os-start"})
		case "reboot":
			return reboot(c, s, arg)
		case "os-getConsoleOutput":
			return d.console(c, s, arg)
		}
		if known[name] {
			return rest.Answer{}, errs.Errorf("compute.action", errs.NotImplemented, "The action %s is not offered by this cloud.", name)
		}
		return rest.Answer{}, invalid("There is no such action: %s", shorten(name))
	}
	return rest.Answer{}, nil
}

func accepted(c *rest.Call, cmd command.Command) (rest.Answer, error) {
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusAccepted), nil
}

func reboot(c *rest.Call, s *model.Server, arg json.RawMessage) (rest.Answer, error) {
	var in struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(arg, &in); err != nil {
		return rest.Answer{}, badInput("reboot", string(arg), "It is not an object with a 'type'")
	}
	switch in.Type {
	case "HARD", "Hard", "hard":
		return accepted(c, &command.ServerReboot{ID: s.ID, Hard: true})
	case "SOFT", "Soft", "soft":
		return accepted(c, &command.ServerReboot{ID: s.ID})
	}
	return rest.Answer{}, badInput("type", shorten(in.Type), "It is not one of ['HARD', 'SOFT']")
}

var control = regexp.MustCompile(`[\x00-\x08\x0b-\x1f]`)

// console gives the end of a server's console log, in lines.
func (d *Door) console(c *rest.Call, s *model.Server, arg json.RawMessage) (rest.Answer, error) {
	var in struct {
		Length any `json:"length"`
	}
	if err := json.Unmarshal(arg, &in); err != nil {
		return rest.Answer{}, badInput("os-getConsoleOutput", string(arg), "It is not an object")
	}
	lines := -1
	switch n := in.Length.(type) {
	case float64:
		lines = int(n)
	case string:
		v, err := strconv.Atoi(n)
		if err != nil {
			return rest.Answer{}, badInput("length", n, "It is not of type 'integer'")
		}
		lines = v
	}
	h := c.View.Host(s.HostID)
	if h == nil {
		return rest.Answer{}, errs.Errorf("compute.console", errs.Conflict, "Instance %s is not ready", s.ID)
	}
	b, err := d.Consoles.Output(c.Context(), h, s, 1<<20)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"output": string(control.ReplaceAll(lastLines(b, lines), nil))}), nil
}

// lastLines is the end of a text; all of it for a negative n.
func lastLines(b []byte, n int) []byte {
	if n < 0 {
		return b
	}
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == '\n' && i != len(b)-1 {
			if n--; n <= 0 {
				return b[i+1:]
			}
		}
	}
	return b
}
