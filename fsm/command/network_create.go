package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// NetworkCreate makes a network (Networking API v2, "Create network"). Its
// segment number is new and never given again.
//
// Rules: the project is the actor's and there; the id is new; texts are
// well-formed; the MTU is 0 for model.DefaultMTU or from assign.MinMTU to
// assign.MaxMTU;
// only administrators make shared and external networks; the project's quota
// has room.
type NetworkCreate struct {
	ID          model.NetworkID `json:"id"`
	ProjectID   model.ProjectID `json:"project_id"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
	Down        bool            `json:"down,omitempty"`
	Shared      bool            `json:"shared,omitempty"`
	External    bool            `json:"external,omitempty"`
	MTU         int             `json:"mtu,omitempty"`
}

// Kind implements Command.
func (*NetworkCreate) Kind() string { return "network.create/1" }

// Apply implements Command.
func (c *NetworkCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "network.create"
	if err := ownProject(tx, m.By, c.ProjectID); err != nil {
		return nil, err
	}
	if err := newUUID(op, string(c.ID), tx.Network(c.ID) != nil); err != nil {
		return nil, err
	}
	n := &model.Network{ID: c.ID, ProjectID: c.ProjectID, Name: c.Name, Description: c.Description, Down: c.Down,
		Shared: c.Shared, External: c.External, MTU: c.MTU, Revision: 1, CreatedAt: m.At, UpdatedAt: m.At}
	if n.MTU == 0 {
		n.MTU = model.DefaultMTU
	}
	if err := checkNetwork(m.By, n, &model.Network{}); err != nil {
		return nil, err
	}
	if err := tx.Charge(c.ProjectID, state.Charge{Resource: "network", By: 1}); err != nil {
		return nil, err
	}
	segment := tx.Next(lastSegment)
	if segment > assign.MaxSegment {
		return nil, refuse(op, errs.Conflict, "Unable to create the network. No tenant network is available for allocation.")
	}
	n.Segment = uint32(segment)
	tx.PutNetwork(n)
	return []string{string(c.ID)}, nil
}

// checkNetwork checks a network's values, and that only administrators change
// what is theirs.
func checkNetwork(by By, n, old *model.Network) error {
	const op = "network.check"
	if err := checkTexts(op, n.Name, n.Description); err != nil {
		return err
	}
	if n.MTU < assign.MinMTU || n.MTU > assign.MaxMTU {
		return refuse(op, errs.Invalid, "Invalid input for mtu. Reason: '%d' is not from %d to %d.", n.MTU, assign.MinMTU, assign.MaxMTU)
	}
	privileged := by.Admin || by.System != ""
	if n.Shared != old.Shared && !privileged {
		return refuse(op, errs.Forbidden, "setting the network's 'shared' is disallowed by policy")
	}
	if n.External != old.External && !privileged {
		return refuse(op, errs.Forbidden, "setting the network's 'router:external' is disallowed by policy")
	}
	return nil
}

func exampleNetworkCreate() *NetworkCreate {
	return &NetworkCreate{ID: "00000000-0000-4000-8000-0000000000e1", ProjectID: "000000000000000000000000000000a1", Name: "private"}
}

func workNetworkCreate(g Gen) (Command, By, bool) {
	by, ok := anybody(g)
	by.Admin = g.Intn(3) == 0
	return &NetworkCreate{ID: model.NetworkID(g.UUID()), ProjectID: by.ProjectID, Name: fmt.Sprintf("n-%d", g.Intn(100)),
		Shared: g.Intn(5) == 0, External: g.Intn(5) == 0}, by, ok
}
