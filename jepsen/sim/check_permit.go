package sim

import (
	"github.com/kvorum/kvorum/hostagent"
	"github.com/kvorum/kvorum/internal/model"
)

// permitChecker is "a guest runs by its permit": what starts on a host has the
// present permit, and it is that host's.
type permitChecker struct {
	nothing
	w *world
}

func (c *permitChecker) observed(h *host, was, now hostagent.Have) {
	if !up(now) || now.Boot == was.Boot {
		return
	}
	p := c.w.view().Permit(model.ServerID(now.ID))
	if p == nil || string(p.HostID) != h.id || p.Number != now.Permit {
		c.w.violated("a guest runs by its permit", "%s started on %s under %d, and the permit is %v",
			c.w.film.name("s", now.ID), h.name, now.Permit, p)
	}
}

// onceChecker is "one host runs a guest".
type onceChecker struct {
	nothing
	w *world
}

func (c *onceChecker) observed(h *host, _, now hostagent.Have) {
	if !up(now) {
		return
	}
	for _, other := range c.w.hosts {
		if other != h && other.runs(now.ID) {
			c.w.violated("one host runs a guest", "%s runs on %s and on %s", c.w.film.name("s", now.ID), other.name, h.name)
		}
	}
}
