package sim

import (
	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/internal/model"
)

// requestChecker is "answers are honest": what was acknowledged is never
// forgotten, what was refused was not done, what was asked once is done at most
// once however often it was tried, and nothing is there that nobody asked for.
type requestChecker struct {
	nothing
	w *world
	// asked are servers that somebody wished for, created those whose create
	// was acknowledged; deleting and deleted likewise.
	asked, created, deleting, deleted map[string]bool
}

const honest = "answers are honest"

func (c *requestChecker) sent(r *request) {
	switch x := r.env.Command.(type) {
	case *command.ServerCreate:
		for _, i := range x.Items {
			c.asked[string(i.ID)] = true
		}
	case *command.ServerDelete:
		c.deleting[string(x.ID)] = true
	}
}

func (c *requestChecker) committed(e entry) {
	if r := c.w.requests[e.env.ID]; r != nil && e.fresh() {
		r.done++
		if r.done > 1 {
			c.w.violated(honest, "request %d (%s) was done %d times", r.n, e.env.Command.Kind(), r.done)
		}
		if r.answered && r.err != nil {
			c.w.violated(honest, "request %d (%s) was refused (%v), and done later", r.n, e.env.Command.Kind(), r.err)
		}
	}
	c.lists(e)
}

// lists looks whether every server is listed that must be, and none else.
func (c *requestChecker) lists(e entry) {
	for s := range e.after.Servers() {
		if id := string(s.ID); !c.asked[id] || c.deleted[id] {
			c.w.violated(honest, "server %s is listed: asked for %t, its delete acknowledged %t", c.w.server(s.ID), c.asked[id], c.deleted[id])
		}
	}
	if e.Index%16 == 0 {
		c.kept()
	}
}

// kept looks for what was acknowledged.
func (c *requestChecker) kept() {
	for _, id := range sortedKeys(c.created) {
		if !c.deleting[id] && c.w.view().Server(model.ServerID(id)) == nil {
			c.w.violated(honest, "server %s was acknowledged, nobody deleted it, and it is not there", c.w.server(model.ServerID(id)))
		}
	}
}

func (c *requestChecker) answered(r *request) {
	if r.err != nil {
		if r.done > 0 {
			c.w.violated(honest, "request %d (%s) was refused (%v), and yet done", r.n, r.env.Command.Kind(), r.err)
		}
		return
	}
	if r.done == 0 {
		c.w.violated(honest, "request %d (%s) was acknowledged, and not done", r.n, r.env.Command.Kind())
	}
	switch x := r.env.Command.(type) {
	case *command.ServerCreate:
		for _, i := range x.Items {
			c.created[string(i.ID)] = true
		}
	case *command.ServerDelete:
		c.deleted[string(x.ID)] = true
	}
}

func (c *requestChecker) end() string {
	c.kept()
	return ""
}
