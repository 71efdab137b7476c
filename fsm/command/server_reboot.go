package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// ServerReboot reboots a server (Compute API, reboot).
//
// Rules: the server is the actor's and a host has it. Soft: it is active and
// has no task. Hard: it is active, stopped or in error, and has no task but
// rebooting; it ends up running.
type ServerReboot struct {
	ID   model.ServerID `json:"id"`
	Hard bool           `json:"hard"`
}

// Kind implements Command.
func (*ServerReboot) Kind() string { return "server.reboot/1" }

// Apply implements Command.
func (c *ServerReboot) Apply(tx *state.Tx, m Meta) ([]string, error) {
	old, err := findServer(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	allowed := old.VMState == model.Active && old.TaskState == ""
	if c.Hard {
		state := old.VMState == model.Active || old.VMState == model.Stopped || old.VMState == model.Errored
		task := old.TaskState == "" || old.TaskState == model.TaskRebooting || old.TaskState == model.TaskRebootingHard
		allowed = state && task
	}
	if !allowed || old.HostID == "" {
		return nil, wrongState(old, "reboot")
	}
	s := old.Clone()
	s.RebootEpoch++
	s.RebootHard = c.Hard
	s.TaskState = model.TaskRebooting
	if c.Hard {
		s.TaskState = model.TaskRebootingHard
	}
	if s.Off || s.VMState == model.Errored {
		s.Off = false
		s.PowerEpoch++
	}
	tx.PutServer(touch(s, m))
	beginAction(tx, m, s.ID, s.ProjectID, "reboot")
	return []string{string(s.ID)}, nil
}

func exampleServerReboot() *ServerReboot {
	return &ServerReboot{ID: "00000000-0000-4000-8000-000000000001", Hard: true}
}

func workServerReboot(g Gen) (Command, By, bool) {
	s, by, ok := someServer(g)
	if !ok {
		return nil, by, false
	}
	return &ServerReboot{ID: s.ID, Hard: g.Intn(2) == 0}, by, true
}
