package compute

import (
	"encoding/json"
	"net/http"

	"github.com/kvorum/kvorum/api/rest"
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

var updateRule = record(has("server", record(append([]field{has("name", title)}, serverFields...)...)).must())

type updateIn struct {
	Server struct {
		Name        *string         `json:"name"`
		AccessIPv4  *string         `json:"accessIPv4"`
		AccessIPv6  *string         `json:"accessIPv6"`
		DiskConfig  *string         `json:"OS-DCF:diskConfig"`
		Description json.RawMessage `json:"description"`
		Hostname    *string         `json:"hostname"`
	} `json:"server"`
}

// decideUpdate is the command that changes what is given.
func decideUpdate(id model.ServerID, in updateIn) (*command.ServerUpdate, error) {
	s := in.Server
	cmd := &command.ServerUpdate{ID: id, Name: s.Name, AccessIPv4: s.AccessIPv4, AccessIPv6: s.AccessIPv6, Hostname: s.Hostname}
	if s.DiskConfig != nil {
		manual := *s.DiskConfig == "MANUAL"
		cmd.DiskManual = &manual
	}
	if s.Description != nil {
		if err := json.Unmarshal(s.Description, &cmd.Description); err != nil {
			return nil, invalid("Malformed request body")
		}
		cmd.NoDescription = cmd.Description == nil
	}
	return cmd, nil
}

func (d *Door) updateServer(c *rest.Call) (rest.Answer, error) {
	var in updateIn
	if err := parse(c, updateRule, &in); err != nil {
		return rest.Answer{}, err
	}
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	cmd, err := decideUpdate(s.ID, in)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	if s = c.View.Server(s.ID); s == nil { // somebody deleted it right after
		return rest.Answer{}, noServer(c)
	}
	return serverAnswer(c, s, d.renderUpdated)
}

func deleteServer(c *rest.Call) (rest.Answer, error) {
	s, err := findServer(c)
	if err != nil {
		return rest.Answer{}, err
	}
	if _, err := c.Do(&command.ServerDelete{ID: s.ID}); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusNoContent), nil
}

// accepted does a command whose answer is 202 without a body.
func accepted(c *rest.Call, cmd command.Command) (rest.Answer, error) {
	if _, err := c.Do(cmd); err != nil {
		return rest.Answer{}, err
	}
	return rest.Empty(http.StatusAccepted), nil
}
