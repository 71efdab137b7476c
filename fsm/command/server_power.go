package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// ServerPower switches a server on or off (Compute API, os-start and os-stop).
//
// Rules: the server is the actor's and has no task. On: it is stopped. Off: it
// is active or in error, and a host has it.
type ServerPower struct {
	ID model.ServerID `json:"id"`
	On bool           `json:"on"`
}

// Kind implements Command.
func (*ServerPower) Kind() string { return "server.power/1" }

// Apply implements Command.
func (c *ServerPower) Apply(tx *state.Tx, m Meta) ([]string, error) {
	old, err := findServer(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	action, allowed := "stop", old.VMState == model.Active || old.VMState == model.Errored
	if c.On {
		action, allowed = "start", old.VMState == model.Stopped
	}
	if old.TaskState != "" || !allowed || old.HostID == "" {
		return nil, wrongState(old, action)
	}
	s := old.Clone()
	s.Off = !c.On
	s.TaskState = model.TaskPoweringOff
	if c.On {
		s.TaskState = model.TaskPoweringOn
		s.PowerEpoch++
	}
	tx.PutServer(touch(s, m))
	beginAction(tx, m, s.ID, s.ProjectID, action)
	return []string{string(s.ID)}, nil
}

func exampleServerPower() *ServerPower {
	return &ServerPower{ID: "00000000-0000-4000-8000-000000000001", On: false}
}

func workServerPower(g Gen) (Command, By, bool) {
	s, by, ok := someServer(g)
	if !ok {
		return nil, by, false
	}
	return &ServerPower{ID: s.ID, On: s.VMState == model.Stopped}, by, true
}
