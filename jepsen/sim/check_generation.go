package sim

// generationChecker is "generations go forward": what a host works from never
// becomes older, by a restart of its agent neither.
type generationChecker struct {
	nothing
	w    *world
	last map[string]generation
}

type generation struct{ incarnation, index uint64 }

// look is told when an agent may have taken a desired state.
func (c *generationChecker) look(h *host) {
	d, ok := h.agent.Ledger().Desired()
	if !ok {
		return
	}
	was, now := c.last[h.id], generation{d.Incarnation, d.Index}
	if now.incarnation < was.incarnation || now.incarnation == was.incarnation && now.index < was.index {
		c.w.violated("generations go forward", "%s went from %v back to %v", h.name, was, now)
	}
	c.last[h.id] = now
}
