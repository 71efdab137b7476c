package command

import (
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/errs"
	"github.com/kvorum/kvorum/internal/model"
)

// RouterDelete removes a router.
//
// Rules: the router is the actor's and has no interface.
type RouterDelete struct {
	ID model.RouterID `json:"id"`
}

// Kind implements Command.
func (*RouterDelete) Kind() string { return "router.delete/1" }

// Apply implements Command.
func (c *RouterDelete) Apply(tx *state.Tx, m Meta) ([]string, error) {
	r, err := findRouter(tx, m.By, c.ID)
	if err != nil {
		return nil, err
	}
	for range tx.PortsOfDevice(string(r.ID)) {
		return nil, refuse("router.delete", errs.Conflict, "Router %s still has ports", r.ID)
	}
	tx.DeleteRouter(r.ID)
	return []string{string(r.ID)}, tx.Charge(r.ProjectID, state.Charge{Resource: "router", By: -1})
}

func exampleRouterDelete() *RouterDelete {
	return &RouterDelete{ID: "00000000-0000-4000-8000-0000000000e4"}
}

func workRouterDelete(g Gen) (Command, By, bool) {
	r, have := pick(g, g.View().Routers())
	if !have {
		return nil, By{}, false
	}
	by, ok := ownerOf(g, r.ProjectID)
	return &RouterDelete{ID: r.ID}, by, ok
}
