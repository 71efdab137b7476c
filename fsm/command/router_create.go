package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// RouterCreate makes a router (Networking API v2, "Create router").
//
// Rules: the project is the actor's and there; the id is new; texts are
// well-formed; the external network, if given, is visible and external; the
// project's quota has room; there is a number left for it.
type RouterCreate struct {
	ID                model.RouterID  `json:"id"`
	ProjectID         model.ProjectID `json:"project_id"`
	Name              string          `json:"name,omitempty"`
	Description       string          `json:"description,omitempty"`
	Down              bool            `json:"down,omitempty"`
	ExternalNetworkID model.NetworkID `json:"external_network_id,omitempty"`
}

// Kind implements Command.
func (*RouterCreate) Kind() string { return "router.create/1" }

// Apply implements Command.
func (c *RouterCreate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	const op = "router.create"
	if err := ownProject(tx, m.By, c.ProjectID); err != nil {
		return nil, err
	}
	if err := newUUID(op, string(c.ID), tx.Router(c.ID) != nil); err != nil {
		return nil, err
	}
	if err := checkTexts(op, c.Name, c.Description); err != nil {
		return nil, err
	}
	if err := checkExternal(tx, m.By, c.ExternalNetworkID); err != nil {
		return nil, err
	}
	if err := tx.Charge(c.ProjectID, state.Charge{Resource: "router", By: 1}); err != nil {
		return nil, err
	}
	num := tx.Next(lastRouter)
	if num > assign.MaxRouter {
		return nil, refuse(op, errs.Conflict, "Unable to create the router: all numbers of routers were given.")
	}
	tx.PutRouter(&model.Router{ID: c.ID, Num: num, ProjectID: c.ProjectID, Name: c.Name, Description: c.Description,
		Down: c.Down, ExternalNetworkID: c.ExternalNetworkID, Revision: 1, CreatedAt: m.At, UpdatedAt: m.At})
	return []string{string(c.ID)}, nil
}

// checkExternal checks that a router may have its gateway on a network; an
// empty id is none.
func checkExternal(tx *state.Tx, by By, id model.NetworkID) error {
	if id == "" {
		return nil
	}
	n, err := seeNetwork(tx, by, id)
	if err != nil {
		return err
	}
	if !n.External {
		return refuse("router.external", errs.Invalid, "Bad router request: Network %s is not an external network.", id)
	}
	return nil
}

func exampleRouterCreate() *RouterCreate {
	return &RouterCreate{ID: "00000000-0000-4000-8000-0000000000e4", ProjectID: "000000000000000000000000000000a1", Name: "gate",
		ExternalNetworkID: "00000000-0000-4000-8000-0000000000e5"}
}

func workRouterCreate(g Gen) (Command, By, bool) {
	by, ok := anybody(g)
	c := &RouterCreate{ID: model.RouterID(g.UUID()), ProjectID: by.ProjectID, Name: fmt.Sprintf("r-%d", g.Intn(100))}
	if n, have := pick(g, g.View().Networks()); have && (n.External || g.Intn(4) == 0) {
		c.ExternalNetworkID = n.ID
	}
	return c, by, ok
}
