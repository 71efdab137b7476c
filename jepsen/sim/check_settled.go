package sim

import (
	"fmt"

	"github.com/kvorum/kvorum/fsm/command"
	"github.com/kvorum/kvorum/fsm/state"
	"github.com/kvorum/kvorum/internal/assign"
	"github.com/kvorum/kvorum/internal/model"
)

// settledChecker is "everything settles": once all is healed every request has
// an answer, every server is what was asked or in error with a reason, what was
// deleted is gone with all that it held, and hosts hold nothing else.
type settledChecker struct {
	nothing
	w *world
	// off has what was asked last of each server's power, as far as an entry
	// did it; a guest may stop itself against its user's wish.
	off           map[string]bool
	stoppedItself map[string]bool
	// aged says that no tombstone and no join token may be left.
	aged bool
}

const settles = "everything settles"

func (c *settledChecker) committed(e entry) {
	if !e.fresh() {
		return
	}
	switch x := e.env.Command.(type) {
	case *command.ServerPower:
		c.wish(string(x.ID), !x.On)
	case *command.ServerReboot:
		c.wish(string(x.ID), false)
	}
}

func (c *settledChecker) wish(id string, off bool) {
	if c.off == nil {
		c.off = map[string]bool{}
	}
	c.off[id] = off
	if !off {
		delete(c.stoppedItself, id)
	}
}

func (c *settledChecker) end() string {
	for _, r := range c.w.asked {
		if !r.answered {
			return fmt.Sprintf("request %d (%s) has no answer", r.n, r.env.Command.Kind())
		}
	}
	v := c.w.view()
	for s := range v.Servers() {
		if why := c.server(v, s); why != "" {
			return "server " + c.w.server(s.ID) + " " + why
		}
	}
	for t := range v.Tombstones() {
		if why := c.tombstone(v, t); why != "" {
			return "deleted server " + c.w.server(t.Server.ID) + " " + why
		}
	}
	for t := range v.JoinTokens() {
		if c.aged {
			return "join token " + string(t.ID) + " is remembered for ever"
		}
	}
	for _, h := range c.w.hosts {
		if why := c.host(v, h); why != "" {
			return h.name + " " + why
		}
	}
	return ""
}

// server says what is not right about a server.
func (c *settledChecker) server(v state.View, s *model.Server) string {
	have, on := c.where(string(s.ID))
	id := string(s.ID)
	switch {
	case s.TaskState != "":
		return fmt.Sprintf("is %s and still %s", s.VMState, s.TaskState)
	case s.VMState == model.Errored:
		if s.Fault == nil || s.Fault.Message == "" {
			return "is in error without a reason"
		}
		if s.HostID == "" && on != nil {
			return "has no host and is on " + on.name
		}
		return ""
	case on == nil || on.id != string(s.HostID):
		return fmt.Sprintf("is %s, but is not on its host %s", s.VMState, c.w.host(s.HostID))
	case s.VMState == model.Active && (have != assign.Running && have != assign.Paused || c.off[id]):
		return fmt.Sprintf("is active, its guest is %s, and to be off is %t", have, c.off[id])
	case s.VMState == model.Stopped && (have != assign.Shutoff && have != assign.Crashed || !c.off[id] && !c.stoppedItself[id]):
		return fmt.Sprintf("is stopped, its guest is %s, to be off is %t, stopped itself is %t", have, c.off[id], c.stoppedItself[id])
	case s.VMState != model.Active && s.VMState != model.Stopped:
		return "is still " + s.VMState
	case s.PowerState != powerOf(have):
		return fmt.Sprintf("has power state %d, and its guest is %s", s.PowerState, have)
	}
	return c.ports(v, s)
}

// powerOf is how a guest's state reads in the API.
func powerOf(s assign.State) int {
	switch s {
	case assign.Running:
		return model.PowerRunning
	case assign.Paused:
		return model.PowerPaused
	case assign.Crashed:
		return model.PowerCrashed
	}
	return model.PowerShutdown
}

func (c *settledChecker) ports(v state.View, s *model.Server) string {
	for p := range v.PortsOfDevice(string(s.ID)) {
		if p.Active != (s.PowerState == model.PowerRunning) {
			return fmt.Sprintf("has power state %d, and a port that says active=%t", s.PowerState, p.Active)
		}
	}
	return ""
}

// where is the guest's state, and the host that has it.
func (c *settledChecker) where(id string) (assign.State, *host) {
	for _, h := range c.w.hosts {
		if have, ok := h.seen[id]; ok {
			return have.State, h
		}
	}
	return assign.Missing, nil
}

// tombstone says what is left of a deleted server.
func (c *settledChecker) tombstone(v state.View, t *model.Tombstone) string {
	if !t.Confirmed {
		return "is not confirmed"
	}
	if c.aged {
		return "is remembered for ever"
	}
	if _, on := c.where(string(t.Server.ID)); on != nil {
		return "is still on " + on.name
	}
	for a := range v.FixedAddressesHeldBy(t.Server.ID) {
		return "still holds " + a.IP
	}
	return ""
}

// host says what is not right about a host.
func (c *settledChecker) host(v state.View, h *host) string {
	record := v.Host(model.HostID(h.id))
	switch {
	case record == nil:
		return "is not registered"
	case record.Down:
		return "is said to be down"
	case h.agent == nil:
		return "has no agent"
	case !h.holds():
		return "holds no lease"
	}
	for _, id := range sortedKeys(h.seen) {
		if p := v.Permit(model.ServerID(id)); p == nil || string(p.HostID) != h.id {
			return "holds " + c.w.film.name("s", id) + ", which is not its"
		}
	}
	if d, ok := h.agent.Ledger().Desired(); !ok || d.Digest != state.Desired(v, model.HostID(h.id)).Digest {
		return "works from an old desired state"
	}
	if n := h.agent.Counts().Quarantined; n > 0 {
		return fmt.Sprintf("has %d guests that it does not know", n)
	}
	return ""
}
