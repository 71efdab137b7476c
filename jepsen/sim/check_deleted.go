package sim

import (
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/model"
)

// deletedChecker is "deleted is final": once a delete is confirmed nothing of
// the server runs anywhere, nor ever will.
type deletedChecker struct {
	nothing
	w *world
}

const final = "deleted is final"

func (c *deletedChecker) committed(e entry) {
	var ids []model.ServerID
	switch x := e.env.Command.(type) {
	case *command.HostReport:
		for _, g := range x.Guests {
			ids = append(ids, g.ID)
		}
	case *command.ServerDelete:
		ids = append(ids, x.ID)
	}
	for _, id := range ids {
		if t := e.after.Tombstone(id); t == nil || !t.Confirmed {
			continue
		}
		for _, h := range c.w.hosts {
			if have, there := h.seen[string(id)]; there {
				c.w.violated(final, "%s is confirmed to be gone, and is %s on %s", c.w.server(id), have.State, h.name)
			}
		}
	}
}

func (c *deletedChecker) observed(h *host, _, now hostagent.Have) {
	t := c.w.view().Tombstone(model.ServerID(now.ID))
	if up(now) && t != nil && t.Confirmed {
		c.w.violated(final, "%s runs on %s after its end was confirmed", c.w.film.name("s", now.ID), h.name)
	}
}
