package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// PortUpdate changes a port: only the fields that are given.
//
// Rules: the port is the actor's; texts are well-formed; the device of a port
// that a server or router has cannot be changed, nor can a port be given to
// one: unplug and plug are commands of their own. The owner is as in
// PortCreate.
type PortUpdate struct {
	ID          model.PortID `json:"id"`
	Name        *string      `json:"name,omitempty"`
	Description *string      `json:"description,omitempty"`
	Down        *bool        `json:"down,omitempty"`
	DeviceID    *string      `json:"device_id,omitempty"`
	DeviceOwner *string      `json:"device_owner,omitempty"`
}

// Kind implements Command.
func (*PortUpdate) Kind() string { return "port.update/1" }

// Apply implements Command.
func (c *PortUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	old, err := findPort(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	p := old.Clone()
	set(&p.Name, c.Name)
	set(&p.Description, c.Description)
	set(&p.Down, c.Down)
	set(&p.DeviceID, c.DeviceID)
	set(&p.DeviceOwner, c.DeviceOwner)
	if err := checkTexts("port.update", p.Name, p.Description); err != nil {
		return nil, err
	}
	if p.DeviceID != old.DeviceID || p.DeviceOwner != old.DeviceOwner {
		if managed(tx, old.DeviceID) {
			return nil, portInUse(old)
		}
		if err := checkDevice(tx, m.By, p.DeviceID, p.DeviceOwner); err != nil {
			return nil, err
		}
	}
	p.UpdatedAt, p.Revision = m.At, p.Revision+1
	tx.PutPort(p)
	return []string{string(p.ID)}, nil
}

func examplePortUpdate() *PortUpdate {
	name, device := "plug-2", "appliance"
	return &PortUpdate{ID: "00000000-0000-4000-8000-0000000000e3", Name: &name, DeviceID: &device}
}

func workPortUpdate(g Gen) (Command, By, bool) {
	p, have := pick(g, g.View().Ports())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, p.ProjectID)
	name := fmt.Sprintf("port-%d", g.Intn(100))
	c := &PortUpdate{ID: p.ID, Name: &name}
	if g.Intn(4) == 0 {
		device := []string{"", g.UUID()}[g.Intn(2)]
		if s, have := pick(g, g.View().Servers()); have && g.Intn(2) == 0 {
			device = string(s.ID)
		}
		c.DeviceID = &device
	}
	return c, by, ok
}
