package compute

import (
	"net/http"
	"slices"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// eventNames are what the one event of each action is called.
var eventNames = map[string]string{"create": "compute__do_build_and_run_instance", "delete": "compute_terminate_instance",
	"start": "compute_start_instance", "stop": "compute_stop_instance", "reboot": "compute_reboot_instance"}

// findAny is findServer that also finds deleted servers, from 2.21 on.
func findAny(c *rest.Call) (*model.Server, error) {
	s, err := findServer(c)
	if err == nil || !c.Version.AtLeast(21) {
		return s, err
	}
	t := c.View.Tombstone(model.ServerID(c.Param("id")))
	if t == nil || t.Server.ProjectID != c.Caller.ProjectID() && !c.Caller.Admin() {
		return nil, err
	}
	return remains(t), nil
}

func renderAction(c *rest.Call, s *model.Server, a *model.ServerAction) object {
	var message any
	if a.Failed {
		message = "Error"
	}
	out := object{"action": a.Action, "instance_uuid": s.ID, "message": message, "project_id": a.ProjectID,
		"request_id": a.RequestID, "start_time": micro(a.StartedAt), "user_id": a.UserID}
	if c.Version.AtLeast(58) {
		out["updated_at"] = micro(changedAt(a))
	}
	return out
}

// changedAt is when an action last changed.
func changedAt(a *model.ServerAction) int64 { return max(a.StartedAt, a.FinishedAt) }

// actionsOf lists a server's actions, the newest first.
func actionsOf(c *rest.Call, s *model.Server) []*model.ServerAction {
	all := slices.Collect(c.View.ServerActions(s.ID))
	slices.Reverse(all)
	return all
}

func listActions(c *rest.Call) (rest.Answer, error) {
	s, err := findAny(c)
	if err != nil {
		return rest.Answer{}, err
	}
	all, more := actionsOf(c, s), false
	if c.Version.AtLeast(58) {
		if all, more, err = actionPage(c, all); err != nil {
			return rest.Answer{}, err
		}
	}
	out := []object{}
	for _, a := range all {
		out = append(out, renderAction(c, s, a))
	}
	body := object{"instanceActions": out}
	if more {
		body["links"] = next(c, "servers/"+string(s.ID)+"/os-instance-actions", all[len(all)-1].RequestID)
	}
	return rest.JSON(http.StatusOK, body), nil
}

// actionPage cuts a list of actions by the query.
func actionPage(c *rest.Call, all []*model.ServerAction) ([]*model.ServerAction, bool, error) {
	known := []string{"limit", "marker", "changes-since"}
	q := c.Request.URL.Query()
	if c.Version.AtLeast(66) {
		known = append(known, "changes-before")
	} else {
		q.Del("changes-before")
	}
	if err := onlyQuery(c, known...); err != nil {
		return nil, false, err
	}
	since, _, err := timeOf(q, "changes-since")
	if err != nil {
		return nil, false, err
	}
	before, limited, err := timeOf(q, "changes-before")
	if err != nil {
		return nil, false, err
	}
	all = slices.DeleteFunc(all, func(a *model.ServerAction) bool {
		return changedAt(a) < since || limited && changedAt(a) > before
	})
	return page(c, all, func(a *model.ServerAction) string { return a.RequestID })
}

func showAction(c *rest.Call) (rest.Answer, error) {
	s, err := findAny(c)
	if err != nil {
		return rest.Answer{}, err
	}
	for _, a := range actionsOf(c, s) {
		if a.RequestID != c.Param("request") {
			continue
		}
		out := renderAction(c, s, a)
		if c.Caller.Admin() || c.Version.AtLeast(51) {
			out["events"] = []object{renderEvent(c, s, a)}
		}
		return rest.JSON(http.StatusOK, object{"instanceAction": out}), nil
	}
	return rest.Answer{}, errs.Errorf("compute.action", errs.NotFound, "Action %s not found", shorten(c.Param("request")))
}

// renderEvent is the one event that an action has. It was where the server is:
// servers stay where they are. Administrators see why it came there.
func renderEvent(c *rest.Call, s *model.Server, a *model.ServerAction) object {
	name := eventNames[a.Action]
	if name == "" {
		name = a.Action
	}
	out := object{"event": name, "start_time": micro(a.StartedAt), "finish_time": micro(a.FinishedAt), "result": nil}
	if a.FinishedAt != 0 {
		out["result"] = either(a.Failed, "Error", "Success")
	}
	if c.Caller.Admin() {
		out["traceback"] = nil
	}
	if c.Version.AtLeast(62) {
		out["hostId"] = hostID(c, s)
		if c.Caller.Admin() {
			out["host"] = orNull(hostOf(c, s))
		}
	}
	if c.Version.AtLeast(84) && c.Caller.Admin() {
		out["details"] = nil
		if a.Action == "create" {
			out["details"] = orNull(s.Why)
		}
	}
	return out
}
