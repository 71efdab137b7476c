package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// PortCreate makes a port (Networking API v2, "Create port").
//
// Rules: the project is the actor's and there; the network is usable by the
// project, and external ones by administrators only; the id is new; the MAC is
// free on the network; texts are well-formed; the device is neither a server
// nor a router, which get their ports by commands of their own, and the owner
// is not the cloud's own ("network:...") unless an administrator says so;
// addresses asked for are free; the project's quota has room.
type PortCreate struct {
	ID          model.PortID    `json:"id"`
	NetworkID   model.NetworkID `json:"network_id"`
	ProjectID   model.ProjectID `json:"project_id"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	MAC         string          `json:"mac"`
	Down        bool            `json:"down,omitempty"`
	DeviceID    string          `json:"device_id,omitempty"`
	DeviceOwner string          `json:"device_owner,omitempty"`
	// Wants are the addresses asked for; without any it gets a free one, or
	// none with NoAddress.
	Wants     []PortAddress `json:"wants,omitempty"`
	NoAddress bool          `json:"no_address,omitempty"`
}

// Kind implements Command.
func (*PortCreate) Kind() string { return "port.create/1" }

// Apply implements Command.
func (c *PortCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "port.create"
	if err := ownProject(tx, m.By, c.ProjectID); err != nil {
		return nil, err
	}
	n, err := seeNetwork(tx, m.By, c.NetworkID)
	if err != nil {
		return nil, err
	}
	if n.External && !m.By.Admin && !mayUse(m.By, n.ProjectID) {
		return nil, refuse(op, errs.Forbidden, "It is not allowed to create an interface on external network %s", n.ID)
	}
	if err := checkTexts(op, c.Name, c.Description); err != nil {
		return nil, err
	}
	if err := checkDevice(tx, m.By, c.DeviceID, c.DeviceOwner); err != nil {
		return nil, err
	}
	if len(c.Wants) > maxWants {
		return nil, refuse(op, errs.Invalid, "Invalid input for fixed_ips. Reason: %d addresses are more than %d.", len(c.Wants), maxWants)
	}
	p := &model.Port{ID: c.ID, NetworkID: c.NetworkID, ProjectID: c.ProjectID, Name: c.Name, Description: c.Description,
		MAC: c.MAC, Down: c.Down, DeviceID: c.DeviceID, DeviceOwner: c.DeviceOwner}
	if err := makePort(tx, m, p, c.Wants, !c.NoAddress); err != nil {
		return nil, err
	}
	return []string{string(c.ID)}, nil
}

func examplePortCreate() *PortCreate {
	return &PortCreate{ID: "00000000-0000-4000-8000-0000000000e3", NetworkID: "00000000-0000-4000-8000-0000000000e1",
		ProjectID: "000000000000000000000000000000a1", Name: "plug", MAC: "fa:16:3e:00:00:03",
		Wants: []PortAddress{{SubnetID: "00000000-0000-4000-8000-0000000000e2", IP: "10.0.0.9"}}}
}

func workPortCreate(g Gen) (Command, By, bool) {
	v := g.View()
	by, ok := anybody(g)
	n, have := pick(g, v.Networks())
	if !ok || !have {
		return nil, by, false
	}
	by.Admin = g.Intn(4) == 0
	c := &PortCreate{ID: model.PortID(g.UUID()), NetworkID: n.ID, ProjectID: by.ProjectID, MAC: newMAC(g), NoAddress: g.Intn(8) == 0}
	switch s, have := pick(g, v.SubnetsOf(n.ID)); {
	case have && g.Intn(4) == 0:
		c.Wants = []PortAddress{{SubnetID: s.ID}, {IP: s.Pools[0].Start}}
	case have && g.Intn(4) == 0:
		c.Wants = []PortAddress{{IP: s.Gateway}}
	}
	if g.Intn(6) == 0 {
		c.DeviceID, c.DeviceOwner = g.UUID(), "baremetal:none"
		if s, have := pick(g, v.Servers()); have && g.Intn(2) == 0 {
			c.DeviceID = string(s.ID)
		}
	}
	return c, by, true
}
