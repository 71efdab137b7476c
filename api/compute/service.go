package compute

import (
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// binary is what clients know a host's agent as.
const binary = "nova-compute"

// publicID is a service's or hypervisor's id: a number before 2.53.
func publicID(c *rest.Call, h *model.Host) any {
	if c.Version.AtLeast(53) {
		return h.ID
	}
	return h.Num
}

func renderService(c *rest.Call, h *model.Host) object {
	out := object{"id": publicID(c, h), "binary": binary, "host": h.Name, "zone": h.Zone, "status": either(h.Disabled, "disabled", "enabled"),
		"state": either(up(h), "up", "down"), "updated_at": micro(h.UpdatedAt), "disabled_reason": orNull(h.DisabledReason)}
	if c.Version.AtLeast(11) {
		out["forced_down"] = h.ForcedDown
	}
	return out
}

func listServices(c *rest.Call) (rest.Answer, error) {
	if err := onlyQuery(c, "host", "binary"); err != nil {
		return rest.Answer{}, err
	}
	out := []object{}
	for h := range c.View.Hosts() {
		if (c.Query("host") == "" || c.Query("host") == h.Name) && (c.Query("binary") == "" || c.Query("binary") == binary) {
			out = append(out, renderService(c, h))
		}
	}
	return rest.JSON(http.StatusOK, object{"services": out}), nil
}

// updateService takes the older form (a verb) before 2.53 and the newer one
// (an id) from then on.
func updateService(c *rest.Call) (rest.Answer, error) {
	if c.Version.AtLeast(53) {
		return updateServiceByID(c)
	}
	return updateServiceByVerb(c)
}

type serviceIn struct {
	Host       string  `json:"host"`
	Binary     string  `json:"binary"`
	Status     *string `json:"status"`
	Reason     string  `json:"disabled_reason"`
	ForcedDown *truth  `json:"forced_down"`
}

var serviceRule = record(
	has("status", oneOf("enabled", "disabled")),
	has("disabled_reason", title),
	has("forced_down", boolish),
)

// decideService is the command for what is asked of a host.
func decideService(h *model.Host, in serviceIn) (*command.HostService, error) {
	cmd := &command.HostService{ID: h.ID, Reason: in.Reason, ForcedDown: (*bool)(in.ForcedDown)}
	if in.Status != nil {
		off := *in.Status == "disabled"
		cmd.Disabled = &off
	}
	if in.Reason != "" && (cmd.Disabled == nil || !*cmd.Disabled) {
		return nil, invalid("Specifying disabled_reason is not allowed unless the status is 'disabled'.")
	}
	if cmd.Disabled == nil && cmd.ForcedDown == nil {
		return nil, invalid("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
	}
	return cmd, nil
}

func updateServiceByID(c *rest.Call) (rest.Answer, error) {
	var in serviceIn
	if err := parse(c, serviceRule, &in); err != nil {
		return rest.Answer{}, err
	}
	id := c.Param("which")
	if !model.IsUUID(id) {
		return rest.Answer{}, invalid("Invalid uuid %s", shorten(id))
	}
	h := c.View.Host(model.HostID(id))
	if h == nil {
		return rest.Answer{}, errs.Errorf("compute.service", errs.NotFound, "Service %s could not be found.", id)
	}
	cmd, err := decideService(h, in)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"service": renderService(c, c.View.Host(h.ID))}), nil
}

// serviceVerbs are the rules of the older form's bodies.
var serviceVerbs = map[string]rule{
	"enable":             record(has("host", title).must(), has("binary", title).must()),
	"disable":            record(has("host", title).must(), has("binary", title).must()),
	"disable-log-reason": record(has("host", title).must(), has("binary", title).must(), has("disabled_reason", title).must()),
	"force-down":         record(has("host", title).must(), has("binary", title).must(), has("forced_down", boolish).must()),
}

func updateServiceByVerb(c *rest.Call) (rest.Answer, error) {
	verb := c.Param("which")
	r := serviceVerbs[verb]
	if r == nil || verb == "force-down" && !c.Version.AtLeast(11) {
		return rest.Answer{}, errs.Errorf("compute.service", errs.NotFound, "Unknown action")
	}
	var in serviceIn
	if err := parse(c, r, &in); err != nil {
		return rest.Answer{}, err
	}
	h := c.View.HostNamed(in.Host)
	if h == nil || in.Binary != binary {
		return rest.Answer{}, errs.Errorf("compute.service", errs.NotFound, "Host %s has no service %s.", shorten(in.Host), shorten(in.Binary))
	}
	out := object{"host": in.Host, "binary": in.Binary}
	if verb == "force-down" {
		out["forced_down"] = in.ForcedDown
	} else {
		status := either(verb == "enable", "enabled", "disabled")
		in.Status, out["status"] = &status, status
	}
	if in.Reason != "" {
		out["disabled_reason"] = in.Reason
	}
	cmd, err := decideService(h, in)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.JSON(http.StatusOK, object{"service": out}), nil
}
