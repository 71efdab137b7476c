package command

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/model"
)

// RouterUpdate changes a router: only the fields that are given.
//
// Rules: the router is the actor's; values as in RouterCreate.
type RouterUpdate struct {
	ID          model.RouterID `json:"id"`
	Name        *string        `json:"name,omitempty"`
	Description *string        `json:"description,omitempty"`
	Down        *bool          `json:"down,omitempty"`
	// ExternalNetworkID is cleared by an empty id.
	ExternalNetworkID *model.NetworkID `json:"external_network_id,omitempty"`
}

// Kind implements Command.
func (*RouterUpdate) Kind() string { return "router.update/1" }

// Apply implements Command.
func (c *RouterUpdate) Apply(tx *state.Tx, m Meta) ([]string, error) {
	old, err := findRouter(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	r := old.Clone()
	set(&r.Name, c.Name)
	set(&r.Description, c.Description)
	set(&r.Down, c.Down)
	set(&r.ExternalNetworkID, c.ExternalNetworkID)
	if err := checkTexts("router.update", r.Name, r.Description); err != nil {
		return nil, err
	}
	if r.ExternalNetworkID != old.ExternalNetworkID {
		if err := checkExternal(tx, m.By, r.ExternalNetworkID); err != nil {
			return nil, err
		}
	}
	tx.PutRouter(touchRouter(r, m))
	return []string{string(r.ID)}, nil
}

// touchRouter marks a router, which must be a clone, as changed by this entry.
func touchRouter(r *model.Router, m Meta) *model.Router {
	r.UpdatedAt, r.Revision = m.At, r.Revision+1
	return r
}

func exampleRouterUpdate() *RouterUpdate {
	name, none := "gate-2", model.NetworkID("")
	return &RouterUpdate{ID: "00000000-0000-4000-8000-0000000000e4", Name: &name, ExternalNetworkID: &none}
}

func workRouterUpdate(g Gen) (Command, By, bool) {
	r, have := pick(g, g.View().Routers())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, r.ProjectID)
	name := fmt.Sprintf("r-%d", g.Intn(100))
	c := &RouterUpdate{ID: r.ID, Name: &name}
	if n, have := pick(g, g.View().Networks()); have && g.Intn(2) == 0 {
		c.ExternalNetworkID = &n.ID
	}
	return c, by, ok
}
